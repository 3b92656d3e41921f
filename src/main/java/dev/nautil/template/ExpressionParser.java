package dev.nautil.template;

import dev.nautil.template.Expr.Comparison;
import dev.nautil.template.Expr.Op;
import dev.nautil.template.Lexer.Kind;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Reads expressions, one method a level of precedence, loosest first. Jinja's levels are its own:
 * {@code ~} binds tighter than {@code +}, a filter tighter than a sign's operand's power.
 */
abstract class ExpressionParser {
  /** Brackets and prefix operators nested deeper than this are refused. */
  private static final int MAX_NESTING = 100;

  private final List<Lexer.Token> tokens;
  private int pos;
  private int nesting;
  @Nullable Frame frame;

  ExpressionParser(List<Lexer.Token> tokens) {
    this.tokens = tokens;
  }

  // ---- tokens

  final Lexer.Token current() {
    return tokens.get(pos);
  }

  private Lexer.Token look() {
    return tokens.get(Math.min(pos + 1, tokens.size() - 1));
  }

  final Lexer.Token next() {
    Lexer.Token token = current();
    if (pos < tokens.size() - 1) {
      pos++;
    }
    return token;
  }

  /** Takes an operator or a keyword if it is next. */
  final boolean skipIf(String text) {
    if (is(current(), text)) {
      next();
      return true;
    }
    return false;
  }

  private static boolean is(Lexer.Token token, String text) {
    return (token.kind() == Kind.OPERATOR || token.kind() == Kind.NAME)
        && token.text().equals(text);
  }

  final Lexer.Token expect(Kind kind, @Nullable String text) {
    Lexer.Token token = current();
    if (token.kind() != kind || text != null && !token.text().equals(text)) {
      String expected =
          text != null ? "'" + text + "'" : kind.name().toLowerCase(Locale.ROOT).replace('_', ' ');
      throw new Fail("expected " + expected + ", got '" + token.text() + "'");
    }
    return next();
  }

  final void nest() {
    if (++nesting > MAX_NESTING) {
      throw new Fail("an expression nests more than " + MAX_NESTING + " deep: depth limit");
    }
  }

  final void unnest() {
    nesting--;
  }

  /** Notes that a variable is read. */
  void load(String name) {
    frame.load(name);
  }

  // ---- expressions

  final Expr tuple(boolean conditional, String... ends) {
    return tuple(conditional, false, ends);
  }

  private Expr tuple(boolean conditional, boolean mayBeEmpty, String... ends) {
    int line = current().line();
    List<Expr> items = new ArrayList<>();
    boolean isTuple = false;
    while (!isTupleEnd(ends)) {
      items.add(conditional ? expression() : or());
      if (!skipIf(",")) {
        break;
      }
      isTuple = true;
    }
    if (!isTuple && items.size() == 1) {
      return items.get(0);
    }
    if (items.isEmpty() && !mayBeEmpty) {
      throw new Fail("Expected an expression, got '" + current().text() + "'");
    }
    return new Expr.Sequence(line, items, true);
  }

  private boolean isTupleEnd(String... ends) {
    Kind kind = current().kind();
    return kind == Kind.PRINT_END
        || kind == Kind.TAG_END
        || is(current(), ")")
        || Arrays.stream(ends).anyMatch(end -> is(current(), end));
  }

  final Expr expression() {
    nest();
    int line = current().line();
    int unknown = frame.unknown.size();
    Expr value = or();
    while (skipIf("if")) {
      Expr test = or();
      Expr no = skipIf("else") ? expression() : null;
      value = new Expr.Conditional(line, test, value, no);
      frame.unknown.subList(unknown, frame.unknown.size()).clear();
    }
    unnest();
    return value;
  }

  private Expr or() {
    int line = current().line();
    Expr left = and();
    while (skipIf("or")) {
      left = new Expr.Logic(line, false, left, and());
    }
    return left;
  }

  private Expr and() {
    int line = current().line();
    Expr left = not();
    while (skipIf("and")) {
      left = new Expr.Logic(line, true, left, not());
    }
    return left;
  }

  private Expr not() {
    int line = current().line();
    if (skipIf("not")) {
      nest();
      Expr operand = not();
      unnest();
      return new Expr.Not(line, operand);
    }
    return compare();
  }

  private Expr compare() {
    int line = current().line();
    List<Expr> operands = new ArrayList<>(List.of(sum()));
    List<Comparison> ops = new ArrayList<>();
    for (Comparison op = comparison(); op != null; op = comparison()) {
      ops.add(op);
      operands.add(sum());
    }
    return ops.isEmpty() ? operands.get(0) : new Expr.Compare(line, operands, ops);
  }

  private @Nullable Comparison comparison() {
    if (is(current(), "not") && is(look(), "in")) {
      next();
      next();
      return Comparison.NOT_IN;
    }
    for (Comparison op : Comparison.values()) {
      if (skipIf(op.symbol)) {
        return op;
      }
    }
    return null;
  }

  private Expr sum() {
    int line = current().line();
    Expr left = concat();
    while (is(current(), "+") || is(current(), "-")) {
      Op op = next().text().equals("+") ? Op.ADD : Op.SUB;
      left = new Expr.Binary(line, op, left, concat());
    }
    return left;
  }

  private Expr concat() {
    int line = current().line();
    List<Expr> parts = new ArrayList<>(List.of(product()));
    while (skipIf("~")) {
      parts.add(product());
    }
    return parts.size() == 1 ? parts.get(0) : new Expr.Concat(line, parts);
  }

  private Expr product() {
    int line = current().line();
    Expr left = power();
    while (true) {
      Op op =
          skipIf("*")
              ? Op.MUL
              : skipIf("/") ? Op.DIV : skipIf("//") ? Op.FLOORDIV : skipIf("%") ? Op.MOD : null;
      if (op == null) {
        return left;
      }
      left = new Expr.Binary(line, op, left, power());
    }
  }

  private Expr power() {
    int line = current().line();
    Expr left = unary(true);
    while (skipIf("**")) {
      left = new Expr.Binary(line, Op.POW, left, unary(true));
    }
    return left;
  }

  private Expr unary(boolean withFilter) {
    int line = current().line();
    Expr value;
    if (is(current(), "-") || is(current(), "+")) {
      boolean negative = next().text().equals("-");
      nest();
      value = new Expr.Sign(line, negative, unary(false));
      unnest();
    } else {
      value = primary();
    }
    value = postfix(value);
    return withFilter ? filtersAndTests(value) : value;
  }

  private Expr primary() {
    Lexer.Token token = next();
    int line = token.line();
    switch (token.kind()) {
      case NAME:
        return name(token);
      case STRING:
        StringBuilder text = new StringBuilder((String) token.value());
        while (current().kind() == Kind.STRING) {
          text.append(next().value());
        }
        return new Expr.Const(line, Str.trusted(text.toString()));
      case NUMBER:
        return new Expr.Const(line, token.value());
      default:
        if (is(token, "(")) {
          nest();
          Expr inner = tuple(true, true);
          expect(Kind.OPERATOR, ")");
          unnest();
          return inner;
        } else if (is(token, "[")) {
          return new Expr.Sequence(line, items("]"), false);
        } else if (is(token, "{")) {
          return dict(line);
        }
        throw new Fail("unexpected '" + token.text() + "'");
    }
  }

  private Expr name(Lexer.Token token) {
    int line = token.line();
    return switch (token.text()) {
      case "true", "True" -> new Expr.Const(line, true);
      case "false", "False" -> new Expr.Const(line, false);
      case "none", "None" -> new Expr.Const(line, None.NONE);
      default -> {
        load(token.text());
        yield new Expr.Name(line, token.text());
      }
    };
  }

  private List<Expr> items(String end) {
    List<Expr> items = new ArrayList<>();
    while (!is(current(), end)) {
      if (!items.isEmpty()) {
        expect(Kind.OPERATOR, ",");
        if (is(current(), end)) {
          break;
        }
      }
      items.add(expression());
    }
    next();
    return items;
  }

  private Expr dict(int line) {
    List<Expr> items = new ArrayList<>();
    while (!is(current(), "}")) {
      if (!items.isEmpty()) {
        expect(Kind.OPERATOR, ",");
        if (is(current(), "}")) {
          break;
        }
      }
      items.add(expression());
      expect(Kind.OPERATOR, ":");
      items.add(expression());
    }
    next();
    return new Expr.Dict(line, items);
  }

  private Expr postfix(Expr start) {
    Expr value = start;
    while (true) {
      int line = current().line();
      if (skipIf(".")) {
        value = afterDot(line, value);
      } else if (skipIf("[")) {
        value = subscript(line, value);
      } else if (is(current(), "(")) {
        value = new Expr.Call(line, value, arguments());
      } else {
        return value;
      }
    }
  }

  private Expr afterDot(int line, Expr value) {
    Lexer.Token token = next();
    if (token.kind() == Kind.NAME) {
      return new Expr.GetAttr(line, value, token.text());
    }
    if (token.kind() == Kind.NUMBER && !(token.value() instanceof Double)) {
      return new Expr.GetItem(line, value, new Expr.Const(line, token.value()));
    }
    throw new Fail("expected name or number");
  }

  private Expr subscript(int line, Expr value) {
    List<Expr> keys = new ArrayList<>();
    List<Expr> slice = null;
    while (!is(current(), "]")) {
      if (!keys.isEmpty() || slice != null) {
        expect(Kind.OPERATOR, ",");
      }
      if (slice != null) {
        throw new Fail("a slice of several dimensions is not supported");
      }
      Expr start = is(current(), ":") ? null : expression();
      if (skipIf(":")) {
        slice = List.of(start == null ? nothing(line) : start, bound(line), step(line));
      } else {
        keys.add(start);
      }
    }
    next();
    if (slice != null) {
      if (!keys.isEmpty()) {
        throw new Fail("a slice of several dimensions is not supported");
      }
      return new Expr.Slice(line, value, slice);
    }
    Expr key = keys.size() == 1 ? keys.get(0) : new Expr.Sequence(line, keys, true);
    return new Expr.GetItem(line, value, key);
  }

  private static Expr nothing(int line) {
    return new Expr.Const(line, None.NONE);
  }

  private Expr bound(int line) {
    boolean given = !is(current(), ":") && !is(current(), "]") && !is(current(), ",");
    return given ? expression() : nothing(line);
  }

  private Expr step(int line) {
    return skipIf(":") ? bound(line) : nothing(line);
  }

  private Expr.Arguments arguments() {
    expect(Kind.OPERATOR, "(");
    List<Expr> positional = new ArrayList<>();
    Map<String, Expr> named = new LinkedHashMap<>();
    Expr extraPositional = null;
    Expr extraNamed = null;
    boolean first = true;
    while (!is(current(), ")")) {
      if (!first) {
        expect(Kind.OPERATOR, ",");
        if (is(current(), ")")) {
          break;
        }
      }
      first = false;
      if (is(current(), "*")) {
        ensure(extraPositional == null && extraNamed == null);
        next();
        extraPositional = expression();
      } else if (is(current(), "**")) {
        ensure(extraNamed == null);
        next();
        extraNamed = expression();
      } else if (current().kind() == Kind.NAME && is(look(), "=")) {
        ensure(extraNamed == null);
        String name = next().text();
        next();
        ensure(named.put(name, expression()) == null);
      } else {
        ensure(extraPositional == null && extraNamed == null && named.isEmpty());
        positional.add(expression());
      }
    }
    next();
    return new Expr.Arguments(positional, named, extraPositional, extraNamed);
  }

  private static void ensure(boolean valid) {
    if (!valid) {
      throw new Fail("invalid syntax for function call expression");
    }
  }

  private Expr filtersAndTests(Expr start) {
    Expr value = start;
    while (true) {
      if (is(current(), "|")) {
        next();
        value = filter(value);
      } else if (is(current(), "is")) {
        value = test(value);
      } else if (is(current(), "(")) {
        value = new Expr.Call(current().line(), value, arguments());
      } else {
        return value;
      }
    }
  }

  /** A chain of filters on the body of a block. */
  final Expr.Apply filters(@Nullable Expr start) {
    skipIf("|");
    Expr.Apply value = filter(start);
    while (skipIf("|")) {
      value = filter(value);
    }
    return value;
  }

  private String dottedName() {
    String name = expect(Kind.NAME, null).text();
    while (skipIf(".")) {
      name += "." + expect(Kind.NAME, null).text();
    }
    return name;
  }

  private Expr.Apply filter(@Nullable Expr value) {
    int line = current().line();
    String name = dottedName();
    Expr.Arguments arguments = is(current(), "(") ? arguments() : Expr.Arguments.NONE;
    return apply(line, value, Filters.ALL.get(name), "No filter named '" + name + "'", arguments);
  }

  private Expr.Apply apply(
      int line,
      @Nullable Expr value,
      @Nullable Function function,
      String missing,
      Expr.Arguments arguments) {
    if (function == null) {
      frame.unknown.add(missing);
    }
    return new Expr.Apply(line, value, function, missing, arguments);
  }

  private static final Set<String> NOT_ARGUMENTS = Set.of("else", "or", "and");

  private Expr test(Expr value) {
    int line = next().line();
    boolean negated = skipIf("not");
    String name = dottedName();
    Expr.Arguments arguments = Expr.Arguments.NONE;
    if (is(current(), "(")) {
      arguments = arguments();
    } else if (startsArgument()) {
      if (is(current(), "is")) {
        throw new Fail("You cannot chain multiple tests with is");
      }
      nest();
      Expr argument = postfix(primary());
      unnest();
      arguments = new Expr.Arguments(List.of(argument), Map.of(), null, null);
    }
    Expr test =
        apply(line, value, Predicates.ALL.get(name), "No test named '" + name + "'", arguments);
    return negated ? new Expr.Not(line, test) : test;
  }

  private boolean startsArgument() {
    Lexer.Token token = current();
    return switch (token.kind()) {
      case STRING, NUMBER -> true;
      case NAME -> !NOT_ARGUMENTS.contains(token.text());
      default -> is(token, "[") || is(token, "{");
    };
  }
}
