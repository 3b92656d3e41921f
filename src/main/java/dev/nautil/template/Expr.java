package dev.nautil.template;

import dev.nautil.template.Callable.Args;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** An expression of the syntax tree, which evaluates itself. */
abstract class Expr {
  /** Operators of arithmetic, with their names in messages. */
  enum Op {
    ADD("+"),
    SUB("-"),
    MUL("*"),
    DIV("/"),
    FLOORDIV("//"),
    MOD("%"),
    POW("**");

    final String symbol;

    Op(String symbol) {
      this.symbol = symbol;
    }
  }

  /** Operators of comparison. */
  enum Comparison {
    EQ("=="),
    NE("!="),
    LT("<"),
    LE("<="),
    GT(">"),
    GE(">="),
    IN("in"),
    NOT_IN("not in");

    final String symbol;

    Comparison(String symbol) {
      this.symbol = symbol;
    }
  }

  /** A tree of operators higher than this is refused: a long chain recurses when evaluated. */
  private static final int MAX_HEIGHT = 500;

  final int line;

  /** Nodes on the longest way down: about the stack frames that evaluation takes. */
  final int height;

  Expr(int line, Expr... children) {
    this(line, List.of(children));
  }

  Expr(int line, List<Expr> children) {
    this.line = line;
    int h = 0;
    for (Expr child : children) {
      h = Math.max(h, child.height);
    }
    if (h >= MAX_HEIGHT) {
      throw new Fail("an expression nests more than " + MAX_HEIGHT + " deep: depth limit");
    }
    this.height = h + 1;
  }

  abstract Object eval(Run run);

  static final class Const extends Expr {
    final Object value;

    Const(int line, Object value) {
      super(line);
      this.value = value;
    }

    @Override
    Object eval(Run run) {
      return value;
    }
  }

  static final class Name extends Expr {
    final String name;

    Name(int line, String name) {
      super(line);
      this.name = name;
    }

    @Override
    Object eval(Run run) {
      run.step();
      return run.variable(name);
    }
  }

  /** A list or tuple display; a tuple of names is a target of assignment too. */
  static final class Sequence extends Expr {
    final List<Expr> items;
    final boolean tuple;

    Sequence(int line, List<Expr> items, boolean tuple) {
      super(line, items);
      this.items = items;
      this.tuple = tuple;
    }

    @Override
    Object eval(Run run) {
      run.items(items.size() + 2);
      List<Object> values = new ArrayList<>(items.size());
      for (Expr item : items) {
        values.add(item.eval(run));
      }
      return tuple ? new Seq.TupleValue(values) : new Seq.ListValue(values);
    }
  }

  static final class Dict extends Expr {
    private final List<Expr> keysAndValues;

    Dict(int line, List<Expr> keysAndValues) {
      super(line, keysAndValues);
      this.keysAndValues = keysAndValues;
    }

    @Override
    Object eval(Run run) {
      run.items(4 * keysAndValues.size() + 4);
      DictValue dict = new DictValue();
      for (int i = 0; i < keysAndValues.size(); i += 2) {
        Object key = keysAndValues.get(i).eval(run);
        dict.put(key, keysAndValues.get(i + 1).eval(run));
      }
      return dict;
    }
  }

  static final class Binary extends Expr {
    private final Op op;
    private final Expr left;
    private final Expr right;

    Binary(int line, Op op, Expr left, Expr right) {
      super(line, left, right);
      this.op = op;
      this.left = left;
      this.right = right;
    }

    @Override
    Object eval(Run run) {
      Object a = left.eval(run);
      Object b = right.eval(run);
      run.step();
      run.line = line;
      return Ops.arithmetic(run, op, a, b);
    }
  }

  static final class Sign extends Expr {
    private final boolean negative;
    private final Expr operand;

    Sign(int line, boolean negative, Expr operand) {
      super(line, operand);
      this.negative = negative;
      this.operand = operand;
    }

    @Override
    Object eval(Run run) {
      Object value = operand.eval(run);
      run.line = line;
      if (value instanceof Undefined u) {
        throw u.fail();
      }
      if (!Numbers.isNumber(value)) {
        String symbol = negative ? "-" : "+";
        throw new Fail("bad operand type for unary " + symbol + ": '" + Types.name(value) + "'");
      }
      if (value instanceof Double d) {
        return negative ? -d : d;
      }
      return Numbers.normal(negative ? Numbers.big(value).negate() : Numbers.big(value));
    }
  }

  static final class Not extends Expr {
    private final Expr operand;

    Not(int line, Expr operand) {
      super(line, operand);
      this.operand = operand;
    }

    @Override
    Object eval(Run run) {
      return !Ops.truth(operand.eval(run));
    }
  }

  /** {@code and} and {@code or}: the value is one of the operands. */
  static final class Logic extends Expr {
    private final boolean and;
    private final Expr left;
    private final Expr right;

    Logic(int line, boolean and, Expr left, Expr right) {
      super(line, left, right);
      this.and = and;
      this.left = left;
      this.right = right;
    }

    @Override
    Object eval(Run run) {
      Object a = left.eval(run);
      return Ops.truth(a) == and ? right.eval(run) : a;
    }
  }

  static final class Compare extends Expr {
    private final List<Expr> operands;
    private final List<Comparison> ops;

    Compare(int line, List<Expr> operands, List<Comparison> ops) {
      super(line, operands);
      this.operands = operands;
      this.ops = ops;
    }

    @Override
    Object eval(Run run) {
      Object a = operands.get(0).eval(run);
      for (int i = 0; i < ops.size(); i++) {
        Object b = operands.get(i + 1).eval(run);
        run.step();
        run.line = line;
        if (!Ops.compare(run, ops.get(i), a, b)) {
          return false;
        }
        a = b;
      }
      return true;
    }
  }

  /** {@code a ~ b}: the operands printed one after the other. */
  static final class Concat extends Expr {
    private final List<Expr> parts;

    Concat(int line, List<Expr> parts) {
      super(line, parts);
      this.parts = parts;
    }

    @Override
    Object eval(Run run) {
      List<Object> values = new ArrayList<>(parts.size());
      for (Expr part : parts) {
        values.add(part.eval(run));
      }
      run.step();
      run.line = line;
      StrBuilder builder = new StrBuilder(run);
      for (Object value : values) {
        builder.append(Text.str(run, value));
      }
      return builder.toStr();
    }
  }

  static final class Conditional extends Expr {
    private final Expr test;
    private final Expr yes;
    private final @Nullable Expr no;

    Conditional(int line, Expr test, Expr yes, @Nullable Expr no) {
      super(line, no == null ? List.of(test, yes) : List.of(test, yes, no));
      this.test = test;
      this.yes = yes;
      this.no = no;
    }

    @Override
    Object eval(Run run) {
      if (Ops.truth(test.eval(run))) {
        return yes.eval(run);
      }
      return no != null
          ? no.eval(run)
          : new Undefined(
              "the inline if-expression evaluated to false and no else section was defined.");
    }
  }

  static final class GetAttr extends Expr {
    private final Expr object;
    private final Str name;

    GetAttr(int line, Expr object, String name) {
      super(line, object);
      this.object = object;
      this.name = Str.trusted(name);
    }

    @Override
    Object eval(Run run) {
      Object value = object.eval(run);
      run.step();
      run.line = line;
      return Access.attribute(run, value, name);
    }
  }

  static final class GetItem extends Expr {
    private final Expr object;
    private final Expr key;

    GetItem(int line, Expr object, Expr key) {
      super(line, object, key);
      this.object = object;
      this.key = key;
    }

    @Override
    Object eval(Run run) {
      Object value = object.eval(run);
      Object k = key.eval(run);
      run.step();
      run.line = line;
      return Access.item(run, value, k);
    }
  }

  static final class Slice extends Expr {
    private final Expr object;
    private final List<Expr> bounds;

    Slice(int line, Expr object, List<Expr> bounds) {
      super(line, Stream.concat(List.of(object).stream(), bounds.stream()).toList());
      this.object = object;
      this.bounds = bounds;
    }

    @Override
    Object eval(Run run) {
      Object value = object.eval(run);
      Object start = bounds.get(0).eval(run);
      Object stop = bounds.get(1).eval(run);
      Object step = bounds.get(2).eval(run);
      run.step();
      run.line = line;
      return Access.slice(run, value, start, stop, step);
    }
  }

  /** The arguments in the text of a call. */
  record Arguments(
      List<Expr> positional,
      Map<String, Expr> named,
      @Nullable Expr extraPositional,
      @Nullable Expr extraNamed) {
    static final Arguments NONE = new Arguments(List.of(), Map.of(), null, null);

    List<Expr> all(@Nullable Expr callee) {
      List<Expr> all = new ArrayList<>(positional);
      all.addAll(named.values());
      for (Expr e : new Expr[] {callee, extraPositional, extraNamed}) {
        if (e != null) {
          all.add(e);
        }
      }
      return all;
    }

    /** Evaluates them, after a first argument where there is one. */
    Args eval(Run run, @Nullable Object first) {
      List<Object> values = new ArrayList<>(positional.size() + 1);
      if (first != null) {
        values.add(first);
      }
      for (Expr e : positional) {
        values.add(e.eval(run));
      }
      if (extraPositional != null) {
        Ops.iterate(run, extraPositional.eval(run)).forEachRemaining(values::add);
        run.items(values.size());
      }
      if (named.isEmpty() && extraNamed == null) {
        return new Args(values, Map.of());
      }
      Map<String, Object> names = new LinkedHashMap<>();
      named.forEach((name, e) -> names.put(name, e.eval(run)));
      if (extraNamed != null) {
        addNamed(names, extraNamed.eval(run));
      }
      return new Args(values, names);
    }

    private static void addNamed(Map<String, Object> names, Object extra) {
      if (!(extra instanceof DictValue dict)) {
        throw new Fail("argument after ** must be a mapping, not " + Types.name(extra));
      }
      for (DictValue.Entry e : dict.entries()) {
        if (!(e.key() instanceof Str name)) {
          throw new Fail("keywords must be strings");
        }
        if (names.put(name.text, e.value()) != null) {
          throw new Fail("got multiple values for keyword argument '" + name.text + "'");
        }
      }
    }
  }

  static final class Call extends Expr {
    private final Expr callee;
    private final Arguments arguments;

    Call(int line, Expr callee, Arguments arguments) {
      super(line, arguments.all(callee));
      this.callee = callee;
      this.arguments = arguments;
    }

    @Override
    Object eval(Run run) {
      return call(run, null);
    }

    /** Calls, passing the body of a call block if there is one. */
    Object call(Run run, @Nullable Object caller) {
      Object function = callee.eval(run);
      Args args = arguments.eval(run, null);
      if (caller != null) {
        Map<String, Object> named = new LinkedHashMap<>(args.named());
        named.put("caller", caller);
        args = new Args(args.positional(), named);
      }
      run.step();
      run.line = line;
      if (function instanceof Callable c) {
        return c.call(run, args);
      }
      if (function instanceof Undefined u) {
        throw u.fail();
      }
      throw new Fail("'" + Types.name(function) + "' object is not callable");
    }
  }

  /** A filter or a test applied to a value. */
  static final class Apply extends Expr {
    private final @Nullable Expr value;
    private final @Nullable Function function;
    private final String missing;
    private final Arguments arguments;

    /**
     * @param value what it applies to, null for the body of a filter block
     * @param missing what to say if the function is null
     */
    Apply(
        int line,
        @Nullable Expr value,
        @Nullable Function function,
        String missing,
        Arguments arguments) {
      super(line, arguments.all(value));
      this.value = value;
      this.function = function;
      this.missing = missing;
      this.arguments = arguments;
    }

    @Override
    Object eval(Run run) {
      return apply(run, Str.EMPTY);
    }

    /** Applies it, to the given body where no value is written. */
    Object apply(Run run, Object body) {
      Object v;
      if (value == null) {
        v = body;
      } else if (value instanceof Apply inner) {
        v = inner.apply(run, body);
      } else {
        v = value.eval(run);
      }
      Args args = arguments.eval(run, v);
      run.step();
      run.line = line;
      if (function == null) {
        throw new Fail(missing);
      }
      return function.call(run, args);
    }
  }
}
