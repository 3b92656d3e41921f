package dev.nautil.template;

import dev.nautil.template.Expr.Comparison;
import dev.nautil.template.Expr.Op;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;

/** Python's operators on any two values. */
final class Ops {
  private Ops() {}

  static boolean truth(Object o) {
    if (o instanceof Boolean b) {
      return b;
    } else if (o instanceof Str s) {
      return !s.isEmpty();
    } else if (o instanceof Undefined || o instanceof None) {
      return false;
    } else if (o instanceof Long n) {
      return n != 0;
    } else if (o instanceof Double d) {
      return d != 0;
    } else if (o instanceof Seq s) {
      return !s.isEmpty();
    } else if (o instanceof DictValue d) {
      return d.size() > 0;
    } else if (o instanceof DictView v) {
      return !v.isEmpty();
    } else if (o instanceof Loop l) {
      return l.size() > 0;
    }
    return true;
  }

  /** The number of elements, or -1 if the value has no length. */
  static long knownLength(Object o) {
    if (o instanceof Str s) {
      return s.length();
    } else if (o instanceof Seq s) {
      return s.size();
    } else if (o instanceof DictValue d) {
      return d.size();
    } else if (o instanceof DictView v) {
      return v.size();
    } else if (o instanceof Undefined) {
      return 0;
    } else if (o instanceof Loop l) {
      return l.size();
    }
    return -1;
  }

  static boolean isIterable(Object o) {
    return o instanceof IterValue || knownLength(o) >= 0;
  }

  /** Runs through a value, a step an element. */
  static Iterator<Object> iterate(Run run, Object o) {
    Iterator<Object> items;
    if (o instanceof Str s) {
      run.scan(s.units());
      return characters(run, s);
    } else if (o instanceof Seq s) {
      items = s.iterator();
    } else if (o instanceof DictValue d) {
      items = new DictView(d, DictView.Kind.KEYS).iterator();
    } else if (o instanceof DictView v) {
      items = v.iterator();
    } else if (o instanceof IterValue i) {
      items = i;
    } else if (o instanceof Undefined) {
      return Collections.emptyIterator();
    } else {
      throw new Fail("'" + Types.name(o) + "' object is not iterable");
    }
    return new Iterator<>() {
      @Override
      public boolean hasNext() {
        return items.hasNext();
      }

      @Override
      public Object next() {
        run.step();
        return items.next();
      }
    };
  }

  private static Iterator<Object> characters(Run run, Str s) {
    return new Iterator<>() {
      private int at;

      @Override
      public boolean hasNext() {
        return at < s.units();
      }

      @Override
      public Object next() {
        run.step();
        int end = at + Character.charCount(s.text.codePointAt(at));
        Str c = s.sub(at, end).withMarkup(false);
        at = end;
        return c;
      }
    };
  }

  /** The elements as a list that the caller owns. */
  static List<Object> list(Run run, Object o) {
    if (o instanceof Str s) {
      run.items(s.units());
    } else {
      run.items(Math.max(0, knownLength(o)));
    }
    List<Object> list = new ArrayList<>();
    Iterator<Object> items = iterate(run, o);
    boolean lazy = o instanceof IterValue;
    while (items.hasNext()) {
      if (lazy) {
        run.items(1);
      }
      list.add(items.next());
    }
    return list;
  }

  // ---- comparison

  static boolean compare(Run run, Comparison op, Object a, Object b) {
    return switch (op) {
      case EQ -> equal(run, a, b);
      case NE -> !equal(run, a, b);
      case IN -> contains(run, b, a);
      case NOT_IN -> !contains(run, b, a);
      default -> ordered(run, op, a, b);
    };
  }

  static boolean equal(Run run, Object a, Object b) {
    if (a instanceof Str x && b instanceof Str y) {
      run.scan(Math.min(x.units(), y.units()));
      return x.text.equals(y.text);
    }
    if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
      return !Numbers.isNaN(a) && !Numbers.isNaN(b) && Numbers.compare(a, b) == 0;
    }
    if (a instanceof Undefined && b instanceof Undefined) {
      return true;
    }
    if (a instanceof Seq x && b instanceof Seq y) {
      return a == b || x.getClass() == y.getClass() && equalItems(run, x, y);
    }
    if (a instanceof DictValue x && b instanceof DictValue y) {
      return a == b || equalDicts(run, x, y);
    }
    if (a instanceof DictView x && b instanceof DictView y) {
      return a == b || x.kind != DictView.Kind.VALUES && x.kind == y.kind && equalViews(run, x, y);
    }
    return a == b || !(a instanceof Double) && a.equals(b);
  }

  /** Equality as containers use it: a value is always equal to itself. */
  private static boolean same(Run run, Object a, Object b) {
    return a == b || equal(run, a, b);
  }

  private static boolean equalItems(Run run, Seq x, Seq y) {
    if (x.size() != y.size()) {
      return false;
    }
    for (int i = 0; i < x.size(); i++) {
      run.step();
      if (!same(run, x.get(i), y.get(i))) {
        return false;
      }
    }
    return true;
  }

  private static boolean equalDicts(Run run, DictValue x, DictValue y) {
    if (x.size() != y.size()) {
      return false;
    }
    for (DictValue.Entry e : x.entries()) {
      run.step();
      Object other = y.get(e.key());
      if (other == null || !same(run, e.value(), other)) {
        return false;
      }
    }
    return true;
  }

  private static boolean equalViews(Run run, DictView x, DictView y) {
    if (x.size() != y.size()) {
      return false;
    }
    for (Object item : x) {
      run.step();
      if (!contains(run, y, item)) {
        return false;
      }
    }
    return true;
  }

  static boolean contains(Run run, Object container, Object item) {
    if (container instanceof Str s) {
      if (item instanceof Str part) {
        return Search.find(run, s.text, part.text, 0, s.units()) >= 0;
      }
      throw new Fail("'in <string>' requires string as left operand, not " + Types.name(item));
    }
    if (container instanceof DictValue d) {
      return d.get(item) != null;
    }
    if (container instanceof DictView v && v.kind == DictView.Kind.KEYS) {
      return DictValue.isHashable(item) && v.dict.get(item) != null;
    }
    if (!isIterable(container)) {
      throw new Fail("argument of type '" + Types.name(container) + "' is not iterable");
    }
    Iterator<Object> items = iterate(run, container);
    while (items.hasNext()) {
      if (same(run, items.next(), item)) {
        return true;
      }
    }
    return false;
  }

  private static boolean ordered(Run run, Comparison op, Object a, Object b) {
    if (Numbers.isNaN(a) && Numbers.isNumber(b) || Numbers.isNaN(b) && Numbers.isNumber(a)) {
      return false;
    }
    int c = order(run, op, a, b);
    return switch (op) {
      case LT -> c < 0;
      case LE -> c <= 0;
      case GT -> c > 0;
      default -> c >= 0;
    };
  }

  static boolean less(Run run, Object a, Object b) {
    return ordered(run, Comparison.LT, a, b);
  }

  private static int order(Run run, Comparison op, Object a, Object b) {
    if (a instanceof Undefined u) {
      throw u.fail();
    }
    if (b instanceof Undefined u) {
      throw u.fail();
    }
    if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
      return Numbers.compare(a, b);
    }
    if (a instanceof Str x && b instanceof Str y) {
      run.scan(Math.min(x.units(), y.units()));
      return x.compareTo(y);
    }
    boolean sequences = a instanceof Seq && !(a instanceof Seq.RangeValue);
    if (sequences && a.getClass() == b.getClass()) {
      Seq x = (Seq) a;
      Seq y = (Seq) b;
      for (int i = 0; i < Math.min(x.size(), y.size()); i++) {
        run.step();
        if (!same(run, x.get(i), y.get(i))) {
          return ordered(run, op, x.get(i), y.get(i))
              ? (op == Comparison.LT || op == Comparison.LE ? -1 : 1)
              : (op == Comparison.LT || op == Comparison.LE ? 1 : -1);
        }
      }
      return Integer.compare(x.size(), y.size());
    }
    throw new Fail(
        "'"
            + op.symbol
            + "' not supported between instances of '"
            + Types.name(a)
            + "' and '"
            + Types.name(b)
            + "'");
  }

  // ---- arithmetic

  static Object arithmetic(Run run, Op op, Object a, Object b) {
    if (Numbers.isNumber(a) && Numbers.isNumber(b)) {
      return Numbers.arithmetic(op, a, b, run);
    }
    if (a instanceof Str s && op == Op.MOD) {
      return PercentFormat.format(run, s, b);
    }
    if (a instanceof Undefined u) {
      throw u.fail();
    }
    if (b instanceof Undefined u) {
      throw u.fail();
    }
    if (op == Op.ADD) {
      if (a instanceof Str x && b instanceof Str y) {
        return add(run, x, y);
      }
      if (a instanceof Seq x
          && b instanceof Seq y
          && x.getClass() == y.getClass()
          && !(x instanceof Seq.RangeValue)) {
        run.items((long) x.size() + y.size());
        List<Object> all = new ArrayList<>(x.size() + y.size());
        all.addAll(x);
        all.addAll(y);
        return x.like(all);
      }
    }
    if (op == Op.MUL) {
      if (Numbers.isInt(b) && isRepeatable(a)) {
        return repeat(run, a, Numbers.index(b, "count"));
      }
      if (Numbers.isInt(a) && isRepeatable(b)) {
        return repeat(run, b, Numbers.index(a, "count"));
      }
    }
    throw new Fail(
        "unsupported operand type(s) for "
            + op.symbol
            + ": '"
            + Types.name(a)
            + "' and '"
            + Types.name(b)
            + "'");
  }

  /** Markup escapes what is added to it. */
  static Str add(Run run, Str a, Str b) {
    if (a.markup == b.markup) {
      return a.plus(b, run);
    }
    return a.markup ? a.plus(Escape.markup(run, b), run) : Escape.markup(run, a).plus(b, run);
  }

  private static boolean isRepeatable(Object o) {
    return o instanceof Str || o instanceof Seq && !(o instanceof Seq.RangeValue);
  }

  private static Object repeat(Run run, Object o, long times) {
    if (o instanceof Str s) {
      return new StrBuilder(run).repeat(s, times).toStr(s.markup);
    }
    Seq s = (Seq) o;
    long n = Math.max(0, times);
    run.items(s.isEmpty() ? 0 : n > Integer.MAX_VALUE ? Long.MAX_VALUE : n * s.size());
    List<Object> all = new ArrayList<>();
    for (long i = 0; i < n && !s.isEmpty(); i++) {
      all.addAll(s);
    }
    return s.like(all);
  }
}
