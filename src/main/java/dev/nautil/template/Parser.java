package dev.nautil.template;

import dev.nautil.template.Lexer.Kind;
import dev.nautil.template.Stmt.Target;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Reads statements; its parent reads expressions. */
final class Parser extends ExpressionParser {
  /** A template: its statements and the frame of its variables. */
  record Template(List<Stmt> body, Frame frame) {}

  /** Tags nested deeper than this are refused. */
  private static final int MAX_NESTING = 100;

  /** The names that a macro has without declaring them, if its body uses them. */
  private static final Set<String> SPECIAL = Set.of("caller", "kwargs", "varargs");

  private final List<Frame> frames = new ArrayList<>();
  private final List<Specials> macros = new ArrayList<>();
  private int nesting;

  /** Loops that a break would leave, and loops around. */
  private int loops;

  private int fors;

  /** Which special names the body of a macro uses before it sets them. */
  private static final class Specials {
    final Set<String> used = new HashSet<>();
    final Set<String> declared = new HashSet<>();
  }

  private Parser(List<Lexer.Token> tokens) {
    super(tokens);
  }

  /**
   * @throws TemplateException if the text is no template
   */
  static Template parse(String source) {
    Parser parser = new Parser(Lexer.tokens(source));
    try {
      Frame frame = parser.push();
      List<Stmt> body = parser.body();
      parser.expect(Kind.END, null);
      parser.pop();
      parser.frames.forEach(Frame::resolve);
      return new Template(body, frame);
    } catch (Fail e) {
      throw new TemplateException(parser.current().line(), e.getMessage(), false);
    }
  }

  private Frame push() {
    frame = new Frame(frame);
    frames.add(frame);
    return frame;
  }

  private void pop() {
    if (!frame.unknown.isEmpty()) {
      throw new Fail(frame.unknown.get(0));
    }
    frame = frame.parent;
  }

  @Override
  void load(String name) {
    super.load(name);
    if (SPECIAL.contains(name)) {
      for (Specials macro : macros) {
        if (!macro.declared.contains(name)) {
          macro.used.add(name);
        }
      }
    }
  }

  private void declare(String name) {
    if (SPECIAL.contains(name)) {
      macros.forEach(macro -> macro.declared.add(name));
    }
  }

  private void store(String name) {
    if (fors > 0 && name.equals("loop")) {
      throw new Fail("Can't assign to special loop variable in for-loop target");
    }
    declare(name);
    frame.store(name);
  }

  private void parameter(String name) {
    declare(name);
    frame.parameter(name);
  }

  /** Statements up to one of the tags, which is current when this returns, or to the end. */
  private List<Stmt> body(String... endTags) {
    if (++nesting > MAX_NESTING) {
      throw new Fail("tags nest more than " + MAX_NESTING + " deep: depth limit");
    }
    List<Stmt> body = new ArrayList<>();
    while (true) {
      Lexer.Token token = current();
      switch (token.kind()) {
        case DATA -> {
          next();
          body.add(new Stmt.Data(token.line(), token.text()));
        }
        case PRINT_BEGIN -> {
          next();
          body.add(new Stmt.Print(token.line(), tuple(true)));
          expect(Kind.PRINT_END, null);
        }
        case TAG_BEGIN -> {
          next();
          if (current().kind() == Kind.NAME && Arrays.asList(endTags).contains(current().text())) {
            nesting--;
            return body;
          }
          body.add(statement());
          expect(Kind.TAG_END, null);
        }
        default -> {
          if (endTags.length > 0) {
            throw new Fail("unexpected end of template, expected " + String.join(" or ", endTags));
          }
          nesting--;
          return body;
        }
      }
    }
  }

  /** The end of an opening tag and what follows up to one of the tags. */
  private List<Stmt> block(String... endTags) {
    skipIf(":");
    expect(Kind.TAG_END, null);
    return body(endTags);
  }

  /** Likewise, past the single tag that ends it. */
  private List<Stmt> closed(String endTag) {
    List<Stmt> body = block(endTag);
    next();
    return body;
  }

  /** Likewise, in a frame of its own; the caller pops it. */
  private List<Stmt> framed(String endTag) {
    push();
    return closed(endTag);
  }

  private Stmt statement() {
    Lexer.Token tag = expect(Kind.NAME, null);
    int line = tag.line();
    return switch (tag.text()) {
      case "if" -> ifStatement(line);
      case "for" -> forStatement(line);
      case "set" -> set(line);
      case "macro" -> macro(line);
      case "call" -> callBlock(line);
      case "filter" -> filterBlock(line);
      case "with" -> with(line);
      case "generation" -> scoped(line, "endgeneration", false);
      case "block" -> inheritanceBlock(line);
      case "autoescape" -> autoescape(line);
      case "print" -> print(line);
      case "break", "continue" -> jump(line, tag.text());
      case "include", "import", "from", "extends" ->
          throw new Fail("a chat template is one file: '" + tag.text() + "' is not supported");
      default -> throw new Fail("Encountered unknown tag '" + tag.text() + "'");
    };
  }

  private Stmt ifStatement(int line) {
    List<Expr> tests = new ArrayList<>();
    List<List<Stmt>> bodies = new ArrayList<>();
    int unknown = frame.unknown.size();
    Frame inside = frame;
    String tag = "if";
    while (!tag.equals("endif")) {
      if (!tag.equals("else")) {
        tests.add(tuple(false));
      }
      inside.branches++;
      bodies.add(tag.equals("else") ? block("endif") : block("elif", "else", "endif"));
      inside.branches--;
      tag = next().text();
    }
    // Inside a condition an unknown filter is an error only where it runs.
    inside.unknown.subList(unknown, inside.unknown.size()).clear();
    return new Stmt.If(line, tests, bodies);
  }

  private Stmt forStatement(int line) {
    Set<String> names = new HashSet<>();
    Target target = target(names, "in");
    if (names.contains("loop")) {
      throw new Fail("Can't assign to special loop variable in for-loop target");
    }
    expect(Kind.NAME, "in");
    Expr items = tuple(false, "recursive");
    Frame testFrame = push();
    names.forEach(this::parameter);
    Expr test = skipIf("if") ? expression() : null;
    pop();
    boolean recursive = skipIf("recursive");
    Frame bodyFrame = push();
    frame.parameter("loop");
    names.forEach(this::parameter);
    loops++;
    fors++;
    List<Stmt> body = block("endfor", "else");
    loops--;
    pop();
    Frame elseFrame = push();
    List<Stmt> otherwise = List.of();
    if (next().text().equals("else")) {
      int outer = loops;
      loops = recursive ? 0 : loops;
      otherwise = closed("endfor");
      loops = outer;
    }
    fors--;
    pop();
    return new Stmt.For(
        line, target, items, test, recursive, body, otherwise, bodyFrame, testFrame, elseFrame);
  }

  private Stmt set(int line) {
    Set<String> names = new HashSet<>();
    Target target = target(names, null);
    if (skipIf("=")) {
      Expr value = tuple(true);
      names.forEach(this::store);
      return new Stmt.Set(line, target, value);
    }
    names.forEach(this::store);
    Frame inner = push();
    Expr.Apply filter = current().text().equals("|") ? filters(null) : null;
    List<Stmt> body = closed("endset");
    pop();
    return new Stmt.SetBlock(line, target, filter, body, inner);
  }

  private Stmt macro(int line) {
    String name = expect(Kind.NAME, null).text();
    store(name);
    return new Stmt.Macro(line, signature(name, "endmacro", null));
  }

  private Stmt callBlock(int line) {
    Expr.Call[] call = new Expr.Call[1];
    Stmt.Signature signature = signature("caller", "endcall", call);
    return new Stmt.CallBlock(line, call[0], signature);
  }

  /**
   * Parameters and body of a macro or call block.
   *
   * @param call where to put the call of a call block, null for a macro
   */
  private Stmt.Signature signature(String name, String endTag, Expr.Call @Nullable [] call) {
    Frame outside = frame;
    Frame inner = push();
    Specials specials = new Specials();
    int outerLoops = loops;
    loops = 0;
    List<String> parameters = new ArrayList<>();
    List<Expr> defaults = new ArrayList<>();
    if (call == null || current().text().equals("(") && current().kind() == Kind.OPERATOR) {
      parameters(parameters, defaults);
    }
    if (call != null) {
      frame = outside;
      if (!(expression() instanceof Expr.Call c)) {
        throw new Fail("expected call");
      }
      call[0] = c;
      frame = inner;
    }
    macros.add(specials);
    List<Stmt> body = closed(endTag);
    macros.remove(macros.size() - 1);
    pop();
    loops = outerLoops;
    int caller = parameters.indexOf("caller");
    if (specials.used.contains("caller")
        && caller >= 0
        && caller < parameters.size() - defaults.size()) {
      throw new Fail("the special \"caller\" argument must be omitted or be given a default");
    }
    return new Stmt.Signature(
        name,
        parameters,
        defaults,
        specials.used.contains("kwargs") && !parameters.contains("kwargs"),
        specials.used.contains("varargs") && !parameters.contains("varargs"),
        specials.used.contains("caller"),
        body,
        inner);
  }

  private void parameters(List<String> names, List<Expr> defaults) {
    expect(Kind.OPERATOR, "(");
    while (!current().text().equals(")")) {
      if (!names.isEmpty()) {
        expect(Kind.OPERATOR, ",");
      }
      String name = expect(Kind.NAME, null).text();
      frame.parameter(name);
      names.add(name);
      if (skipIf("=")) {
        defaults.add(expression());
      } else if (!defaults.isEmpty()) {
        throw new Fail("non-default argument follows default argument");
      }
    }
    expect(Kind.OPERATOR, ")");
  }

  private Stmt filterBlock(int line) {
    Frame inner = push();
    Expr.Apply filter = filters(null);
    List<Stmt> body = closed("endfilter");
    pop();
    return new Stmt.FilterBlock(line, filter, body, inner);
  }

  private Stmt with(int line) {
    Frame outside = frame;
    Frame inner = push();
    List<Target> targets = new ArrayList<>();
    List<Expr> values = new ArrayList<>();
    while (current().kind() != Kind.TAG_END) {
      if (!targets.isEmpty()) {
        expect(Kind.OPERATOR, ",");
      }
      Set<String> names = new HashSet<>();
      targets.add(target(names, null));
      names.forEach(this::parameter);
      expect(Kind.OPERATOR, "=");
      frame = outside;
      values.add(expression());
      frame = inner;
    }
    List<Stmt> body = closed("endwith");
    pop();
    return new Stmt.With(line, targets, values, body, inner, false);
  }

  private Stmt scoped(int line, String endTag, boolean fromRoot) {
    int outerLoops = loops;
    loops = 0;
    List<Stmt> body = framed(endTag);
    Frame inner = frame;
    pop();
    loops = outerLoops;
    return new Stmt.With(line, List.of(), List.of(), body, inner, fromRoot);
  }

  private Stmt inheritanceBlock(int line) {
    String name = expect(Kind.NAME, null).text();
    boolean scoped = skipIf("scoped");
    skipIf("required");
    Stmt block = scoped(line, "endblock", !scoped);
    if (current().kind() == Kind.NAME) {
      expect(Kind.NAME, name);
    }
    return block;
  }

  private Stmt autoescape(int line) {
    Expr on = expression();
    if (!(on instanceof Expr.Const c) || Ops.truth(c.value)) {
      throw new Fail("a prompt is not HTML: autoescape is not supported");
    }
    List<Stmt> body = framed("endautoescape");
    Frame inner = frame;
    pop();
    return new Stmt.With(line, List.of(), List.of(), body, inner, false);
  }

  private Stmt print(int line) {
    List<Expr> values = new ArrayList<>();
    while (current().kind() != Kind.TAG_END) {
      if (!values.isEmpty()) {
        expect(Kind.OPERATOR, ",");
      }
      values.add(expression());
    }
    return new Stmt.Print(line, new Expr.Concat(line, values));
  }

  private Stmt jump(int line, String name) {
    if (loops == 0) {
      throw new Fail("'" + name + "' outside loop");
    }
    return new Stmt.Jump(line, name.equals("break") ? Stmt.Flow.BREAK : Stmt.Flow.CONTINUE);
  }

  /** What is assigned to: names, attributes of namespaces, tuples of them. */
  private Target target(Set<String> names, @Nullable String end) {
    List<Target> targets = new ArrayList<>();
    boolean isTuple = false;
    while (true) {
      boolean ended = end != null && current().text().equals(end) && current().kind() == Kind.NAME;
      if (ended || current().text().equals(")") || current().kind() == Kind.TAG_END) {
        break;
      }
      targets.add(simpleTarget(names, end == null));
      if (!current().text().equals(",")) {
        break;
      }
      next();
      isTuple = true;
    }
    if (targets.isEmpty() && !isTuple) {
      throw new Fail("Expected an expression, got '" + current().text() + "'");
    }
    return isTuple ? new Target.Tuple(targets) : targets.get(0);
  }

  private Target simpleTarget(Set<String> names, boolean attributes) {
    if (skipIf("(")) {
      nest();
      Target inner = target(names, null);
      unnest();
      expect(Kind.OPERATOR, ")");
      return inner;
    }
    String name = expect(Kind.NAME, null).text();
    if (attributes && skipIf(".")) {
      load(name);
      return new Target.Attribute(name, expect(Kind.NAME, null).text());
    }
    if (Set.of("true", "false", "none", "True", "False", "None").contains(name)) {
      throw new Fail("can't assign to '" + name + "'");
    }
    names.add(name);
    return new Target.Variable(name);
  }
}
