package dev.nautil.template;

import dev.nautil.template.Callable.Args;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A statement of the syntax tree, which executes itself. */
abstract class Stmt {
  /** Whether a loop goes on after a statement. */
  enum Flow {
    NEXT,
    BREAK,
    CONTINUE
  }

  final int line;

  /** About the stack frames that this takes, without the statements inside it. */
  private final int frames;

  Stmt(int line, Expr... expressions) {
    this.line = line;
    int height = 0;
    for (Expr e : expressions) {
      height = Math.max(height, e.height);
    }
    this.frames = 3 + height;
  }

  abstract Flow exec(Run run);

  static Flow run(Run run, List<Stmt> body) {
    for (Stmt s : body) {
      run.step();
      run.line = s.line;
      run.enter(s.frames);
      Flow flow = s.exec(run);
      run.leave(s.frames);
      if (flow != Flow.NEXT) {
        return flow;
      }
    }
    return Flow.NEXT;
  }

  /** Runs a body in a scope of its own, writing where the rest writes. */
  private static Flow runInside(Run run, Scope inner, List<Stmt> body) {
    Scope outer = run.scope;
    run.scope = inner;
    Flow flow = run(run, body);
    run.scope = outer;
    return flow;
  }

  static final class Data extends Stmt {
    private final Str text;

    Data(int line, String text) {
      super(line);
      this.text = Str.trusted(text);
    }

    @Override
    Flow exec(Run run) {
      run.out.append(text);
      return Flow.NEXT;
    }
  }

  static final class Print extends Stmt {
    private final Expr value;

    Print(int line, Expr value) {
      super(line, value);
      this.value = value;
    }

    @Override
    Flow exec(Run run) {
      Object v = value.eval(run);
      run.out.append(Text.str(run, v));
      return Flow.NEXT;
    }
  }

  static final class Jump extends Stmt {
    private final Flow flow;

    Jump(int line, Flow flow) {
      super(line);
      this.flow = flow;
    }

    @Override
    Flow exec(Run run) {
      return flow;
    }
  }

  static final class If extends Stmt {
    private final List<Expr> tests;
    private final List<List<Stmt>> bodies;

    /**
     * @param bodies one for each test, and one more if there is an else
     */
    If(int line, List<Expr> tests, List<List<Stmt>> bodies) {
      super(line, tests.toArray(new Expr[0]));
      this.tests = tests;
      this.bodies = bodies;
    }

    @Override
    Flow exec(Run run) {
      for (int i = 0; i < tests.size(); i++) {
        run.step();
        if (Ops.truth(tests.get(i).eval(run))) {
          return run(run, bodies.get(i));
        }
      }
      return bodies.size() > tests.size() ? run(run, bodies.get(tests.size())) : Flow.NEXT;
    }
  }

  static final class For extends Stmt implements Loop.Body {
    private final Target target;
    private final Expr items;
    private final @Nullable Expr test;
    private final boolean recursive;
    private final List<Stmt> body;
    private final List<Stmt> otherwise;
    private final Frame frame;
    private final Frame testFrame;
    private final Frame elseFrame;

    For(
        int line,
        Target target,
        Expr items,
        @Nullable Expr test,
        boolean recursive,
        List<Stmt> body,
        List<Stmt> otherwise,
        Frame frame,
        Frame testFrame,
        Frame elseFrame) {
      super(line, test == null ? new Expr[] {items} : new Expr[] {items, test});
      this.target = target;
      this.items = items;
      this.test = test;
      this.recursive = recursive;
      this.body = body;
      this.otherwise = otherwise;
      this.frame = frame;
      this.testFrame = testFrame;
      this.elseFrame = elseFrame;
    }

    @Override
    Flow exec(Run run) {
      Object iterable = items.eval(run);
      if (recursive) {
        run.out.append(recurse(run, run.scope, iterable, 0));
        return Flow.NEXT;
      }
      loop(run, run.scope, iterable, 0);
      return Flow.NEXT;
    }

    @Override
    public Str recurse(Run run, Scope outside, Object iterable, int depth) {
      StrBuilder outer = run.out;
      Scope caller = run.scope;
      run.out = new StrBuilder(run);
      run.scope = outside;
      loop(run, outside, iterable, depth);
      Str result = run.out.toStr();
      run.scope = caller;
      run.out = outer;
      return result;
    }

    private void loop(Run run, Scope outside, Object iterable, int depth) {
      Iterator<Object> source = Ops.iterate(run, iterable);
      Loop loop;
      if (test != null) {
        Iterator<Object> matching =
            new IterValue.Filtered(source, item -> matches(run, outside, item));
        loop = new Loop(run, matching, -1, depth, recursive ? this : null, outside);
      } else {
        loop =
            new Loop(
                run, source, Ops.knownLength(iterable), depth, recursive ? this : null, outside);
      }
      boolean none = true;
      while (loop.advance()) {
        run.step();
        Scope inner = new Scope(outside, frame);
        inner.set("loop", loop);
        target.assign(run, inner, loop.current());
        Flow flow = runInside(run, inner, body);
        if (flow == Flow.BREAK) {
          // Python's generated code leaves the flag that an else looks at for the end of a turn.
          break;
        }
        if (flow == Flow.NEXT) {
          none = false;
        }
      }
      if (none && !otherwise.isEmpty()) {
        runInside(run, new Scope(outside, elseFrame), otherwise);
      }
    }

    private boolean matches(Run run, Scope outside, Object item) {
      Scope caller = run.scope;
      run.scope = new Scope(outside, testFrame);
      target.assign(run, run.scope, item);
      boolean result = Ops.truth(test.eval(run));
      run.scope = caller;
      return result;
    }
  }

  /** What an assignment writes to. */
  interface Target {
    void assign(Run run, Scope scope, Object value);

    record Variable(String name) implements Target {
      @Override
      public void assign(Run run, Scope scope, Object value) {
        scope.set(name, value);
      }
    }

    /** An attribute of a namespace. */
    record Attribute(String object, String name) implements Target {
      @Override
      public void assign(Run run, Scope scope, Object value) {
        if (!(run.variable(object) instanceof Namespace namespace)) {
          throw new Fail("cannot assign attribute on non-namespace object");
        }
        run.items(1);
        namespace.attributes.put(name, value);
      }
    }

    record Tuple(List<Target> targets) implements Target {
      @Override
      public void assign(Run run, Scope scope, Object value) {
        Iterator<Object> values = Ops.iterate(run, value);
        List<Object> taken = new ArrayList<>();
        while (taken.size() <= targets.size() && values.hasNext()) {
          taken.add(values.next());
        }
        if (taken.size() != targets.size()) {
          throw new Fail(
              taken.size() > targets.size()
                  ? "too many values to unpack (expected " + targets.size() + ")"
                  : "not enough values to unpack (expected "
                      + targets.size()
                      + ", got "
                      + taken.size()
                      + ")");
        }
        for (int i = 0; i < taken.size(); i++) {
          targets.get(i).assign(run, scope, taken.get(i));
        }
      }
    }
  }

  static final class Set extends Stmt {
    private final Target target;
    private final Expr value;

    Set(int line, Target target, Expr value) {
      super(line, value);
      this.target = target;
      this.value = value;
    }

    @Override
    Flow exec(Run run) {
      target.assign(run, run.scope, value.eval(run));
      return Flow.NEXT;
    }
  }

  static final class SetBlock extends Stmt {
    private final Target target;
    private final Expr.@Nullable Apply filter;
    private final List<Stmt> body;
    private final Frame frame;

    SetBlock(int line, Target target, Expr.@Nullable Apply filter, List<Stmt> body, Frame frame) {
      super(line, filter == null ? new Expr[0] : new Expr[] {filter});
      this.target = target;
      this.filter = filter;
      this.body = body;
      this.frame = frame;
    }

    @Override
    Flow exec(Run run) {
      Scope inner = new Scope(run.scope, frame);
      Object value = run.capture(inner, body);
      if (filter != null) {
        value = applyIn(run, inner, filter, value);
      }
      target.assign(run, run.scope, value);
      return Flow.NEXT;
    }
  }

  private static Object applyIn(Run run, Scope inner, Expr.Apply filter, Object value) {
    Scope outer = run.scope;
    run.scope = inner;
    Object result = filter.apply(run, value);
    run.scope = outer;
    return result;
  }

  /** What a block becomes must be text: unlike a printed value, jinja2 converts nothing here. */
  private static void writeText(Run run, Object value) {
    if (!(value instanceof Str text)) {
      throw new Fail("a block must become text, not " + Types.name(value));
    }
    run.out.append(text);
  }

  static final class FilterBlock extends Stmt {
    private final Expr.Apply filter;
    private final List<Stmt> body;
    private final Frame frame;

    FilterBlock(int line, Expr.Apply filter, List<Stmt> body, Frame frame) {
      super(line, filter);
      this.filter = filter;
      this.body = body;
      this.frame = frame;
    }

    @Override
    Flow exec(Run run) {
      Scope inner = new Scope(run.scope, frame);
      Str text = run.capture(inner, body);
      writeText(run, applyIn(run, inner, filter, text));
      return Flow.NEXT;
    }
  }

  /** {@code with}, {@code generation} and blocks of inheritance: a scope, perhaps with values. */
  static final class With extends Stmt {
    private final List<Target> targets;
    private final List<Expr> values;
    private final List<Stmt> body;
    private final Frame frame;
    private final boolean fromRoot;

    With(
        int line,
        List<Target> targets,
        List<Expr> values,
        List<Stmt> body,
        Frame frame,
        boolean fromRoot) {
      super(line, values.toArray(new Expr[0]));
      this.targets = targets;
      this.values = values;
      this.body = body;
      this.frame = frame;
      this.fromRoot = fromRoot;
    }

    @Override
    Flow exec(Run run) {
      Scope inner = new Scope(fromRoot ? run.root : run.scope, frame);
      for (int i = 0; i < targets.size(); i++) {
        targets.get(i).assign(run, inner, values.get(i).eval(run));
      }
      return runInside(run, inner, body);
    }
  }

  /** The parameters and body of a macro or a call block. */
  record Signature(
      String name,
      List<String> parameters,
      List<Expr> defaults,
      boolean takesNamed,
      boolean takesPositional,
      boolean takesCaller,
      List<Stmt> body,
      Frame frame) {}

  static final class Macro extends Stmt {
    private final Signature signature;

    Macro(int line, Signature signature) {
      super(line);
      this.signature = signature;
    }

    @Override
    Flow exec(Run run) {
      run.scope.set(signature.name, new Value(signature, run.scope));
      return Flow.NEXT;
    }

    /** A macro with the scope that it was defined in. */
    record Value(Signature signature, Scope outside) implements Callable {
      @Override
      public Object call(Run run, Args args) {
        Scope inner = new Scope(outside, signature.frame);
        int frames = 12;
        run.enter(frames);
        bind(run, inner, args);
        Str result = run.capture(inner, signature.body);
        run.leave(frames);
        return result;
      }

      private void bind(Run run, Scope inner, Args args) {
        List<String> names = signature.parameters;
        int given = Math.min(args.positional().size(), names.size());
        Map<String, Object> named = new LinkedHashMap<>(args.named());
        boolean foundCaller = names.contains("caller");
        Scope caller = run.scope;
        run.scope = inner;
        for (int i = 0; i < names.size(); i++) {
          String name = names.get(i);
          Object value = i < given ? args.positional().get(i) : named.remove(name);
          inner.set(name, value != null ? value : byDefault(run, i));
        }
        run.scope = caller;
        if (signature.takesCaller && !foundCaller) {
          Object body = named.remove("caller");
          inner.set("caller", body != null ? body : new Undefined("No caller defined"));
        }
        bindRest(run, inner, args.positional().subList(given, args.positional().size()), named);
      }

      private Object byDefault(Run run, int parameter) {
        int i = parameter - signature.parameters.size() + signature.defaults.size();
        return i < 0
            ? new Undefined(
                "parameter '" + signature.parameters.get(parameter) + "' was not provided")
            : signature.defaults.get(i).eval(run);
      }

      private void bindRest(
          Run run, Scope inner, List<Object> positional, Map<String, Object> named) {
        if (signature.takesNamed) {
          DictValue dict = new DictValue();
          named.forEach((key, value) -> dict.put(Str.trusted(key), value));
          inner.set("kwargs", dict);
        } else if (!named.isEmpty()) {
          throw new Fail(
              "macro '"
                  + signature.name
                  + "' takes no keyword argument '"
                  + named.keySet().iterator().next()
                  + "'");
        }
        if (signature.takesPositional) {
          run.items(positional.size());
          inner.set("varargs", new Seq.TupleValue(List.copyOf(positional)));
        } else if (!positional.isEmpty()) {
          throw new Fail(
              "macro '"
                  + signature.name
                  + "' takes not more than "
                  + signature.parameters.size()
                  + " argument(s)");
        }
      }
    }
  }

  static final class CallBlock extends Stmt {
    private final Expr.Call call;
    private final Signature signature;

    CallBlock(int line, Expr.Call call, Signature signature) {
      super(line, call);
      this.call = call;
      this.signature = signature;
    }

    @Override
    Flow exec(Run run) {
      Object result = call.call(run, new Macro.Value(signature, run.scope));
      writeText(run, result);
      return Flow.NEXT;
    }
  }
}
