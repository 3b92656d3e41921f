package dev.nautil.template;

import dev.nautil.template.Callable.Args;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The functions that every template can call. */
final class Globals {
  static final Map<String, Object> ALL = new HashMap<>();

  /** What jinja2's sandbox allows. */
  private static final long MAX_RANGE = 100_000;

  /** A value with attributes of its own. */
  interface Attributes {
    @Nullable Object attribute(String name);
  }

  private Globals() {}

  private static void global(String name, Callable body) {
    ALL.put(name, new Function(name, body));
  }

  static {
    ALL.put("range", new Function("range", "/start stop= step=", Globals::range));
    global("dict", (run, args) -> dict(run, args));
    global("namespace", Globals::namespace);
    global("cycler", (run, args) -> new Cycler(nonEmpty(args.positional())));
    ALL.put(
        "joiner",
        new Function(
            "joiner",
            "sep=",
            (run, a) -> new Joiner(a[0] == null ? Str.trusted(", ") : StringMethods.str(a[0]))));
    ALL.put(
        "raise_exception",
        new Function(
            "raise_exception",
            "message",
            (run, a) -> {
              throw new Fail(Text.str(run, a[0]).text, true);
            }));
    ALL.put(
        "strftime_now",
        new Function(
            "strftime_now",
            "format",
            (run, a) -> Strftime.format(run, StringMethods.str(a[0]), run.options().clock())));
  }

  private static Object range(Run run, @Nullable Object[] a) {
    boolean one = a[1] == null;
    long start = one ? 0 : Numbers.index(a[0], "range() start");
    long stop = Numbers.index(one ? a[0] : a[1], "range() stop");
    long step = a[2] == null ? 1 : Numbers.index(a[2], "range() step");
    if (step == 0) {
      throw new Fail("range() arg 3 must not be zero");
    }
    long span = step > 0 ? stop - start : start - stop;
    long size = span <= 0 ? 0 : (span - 1) / Math.abs(step) + 1;
    if (size > MAX_RANGE) {
      throw new Fail("Range too big. The sandbox blocks ranges larger than " + MAX_RANGE + ".");
    }
    return new Seq.RangeValue(start, (int) size, step, stop);
  }

  private static DictValue dict(Run run, Args args) {
    DictValue dict = new DictValue();
    if (args.positional().size() > 1) {
      throw new Fail("dict expected at most 1 argument, got " + args.positional().size());
    }
    for (Object source : args.positional()) {
      if (source instanceof DictValue other) {
        run.items(4L * other.size());
        dict.putAll(other);
      } else {
        addPairs(run, dict, source);
      }
    }
    run.items(4L * args.named().size() + 4);
    args.named().forEach((name, value) -> dict.put(Str.trusted(name), value));
    return dict;
  }

  private static void addPairs(Run run, DictValue dict, Object source) {
    Iterator<Object> pairs = Ops.iterate(run, source);
    while (pairs.hasNext()) {
      List<Object> pair = Ops.list(run, pairs.next());
      if (pair.size() != 2) {
        throw new Fail("dictionary update sequence element has length " + pair.size());
      }
      run.items(4);
      dict.put(pair.get(0), pair.get(1));
    }
  }

  private static Object namespace(Run run, Args args) {
    Namespace namespace = new Namespace();
    for (DictValue.Entry e : dict(run, args).entries()) {
      if (e.key() instanceof Str name) {
        namespace.attributes.put(name.text, e.value());
      }
    }
    return namespace;
  }

  private static List<Object> nonEmpty(List<Object> items) {
    if (items.isEmpty()) {
      throw new Fail("at least one item has to be provided");
    }
    return items;
  }

  /** {@code cycler(…)}: the items in turn, over and over. */
  static final class Cycler implements Attributes {
    private final List<Object> items;
    private int at;

    Cycler(List<Object> items) {
      this.items = List.copyOf(items);
    }

    @Override
    public @Nullable Object attribute(String name) {
      return switch (name) {
        case "current" -> items.get(at);
        case "pos" -> (long) at;
        case "items" -> new Seq.TupleValue(items);
        case "next" -> new Function(name, "", (run, a) -> next());
        case "reset" -> new Function(name, "", (run, a) -> reset());
        default -> null;
      };
    }

    private Object next() {
      Object item = items.get(at);
      at = (at + 1) % items.size();
      return item;
    }

    private Object reset() {
      at = 0;
      return None.NONE;
    }
  }

  /** {@code joiner(…)}: nothing the first time, the separator after that. */
  private static final class Joiner implements Callable, Attributes {
    private final Str separator;
    private boolean used;

    Joiner(Str separator) {
      this.separator = separator;
    }

    @Override
    public Object call(Run run, Args args) {
      Str result = used ? separator : Str.EMPTY;
      used = true;
      return result;
    }

    @Override
    public @Nullable Object attribute(String name) {
      return switch (name) {
        case "sep" -> separator;
        case "used" -> used;
        default -> null;
      };
    }
  }
}
