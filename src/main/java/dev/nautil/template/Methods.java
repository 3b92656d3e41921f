package dev.nautil.template;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** The methods of lists, tuples, dicts and numbers. */
final class Methods {
  /** What would change a list, which the sandbox does not allow. */
  static final Set<String> CHANGES_LIST =
      Set.of("append", "clear", "pop", "reverse", "insert", "sort", "extend", "remove");

  static final Set<String> CHANGES_DICT = Set.of("clear", "pop", "popitem", "setdefault", "update");

  static final Map<String, Function> SEQUENCE = new HashMap<>();
  static final Map<String, Function> DICT = new HashMap<>();
  static final Function LIST_COPY =
      new Function("copy", "/self", (run, a) -> new Seq.ListValue(Ops.list(run, a[0])));

  private Methods() {}

  static {
    SEQUENCE.put("index", new Function("index", "/self value start= end=", Methods::index));
    SEQUENCE.put("count", new Function("count", "/self value", Methods::count));
    DICT.put(
        "get",
        new Function(
            "get",
            "/self key default=",
            (run, a) -> {
              Object value = ((DictValue) a[0]).get(a[1]);
              return value != null ? value : a[2] != null ? a[2] : None.NONE;
            }));
    for (DictView.Kind kind : DictView.Kind.values()) {
      String name = kind.name().toLowerCase(Locale.ROOT);
      DICT.put(name, new Function(name, "/self", (run, a) -> new DictView((DictValue) a[0], kind)));
    }
    DICT.put(
        "copy",
        new Function(
            "copy",
            "/self",
            (run, a) -> {
              run.items(4L * ((DictValue) a[0]).size());
              DictValue copy = new DictValue();
              copy.putAll((DictValue) a[0]);
              return copy;
            }));
    DICT.put("fromkeys", new Function("fromkeys", "/self keys value=", Methods::fromKeys));
  }

  private static Object fromKeys(Run run, @Nullable Object[] a) {
    DictValue dict = new DictValue();
    for (Object key : Ops.list(run, a[1])) {
      run.items(4);
      dict.put(key, a[2] == null ? None.NONE : a[2]);
    }
    return dict;
  }

  private static Object index(Run run, @Nullable Object[] a) {
    Seq s = (Seq) a[0];
    long from = a[2] == null ? 0 : Numbers.index(a[2], "start");
    long to = a[3] == null ? s.size() : Numbers.index(a[3], "end");
    from = from < 0 ? Math.max(0, from + s.size()) : from;
    to = to < 0 ? to + s.size() : Math.min(s.size(), to);
    for (long i = from; i < to; i++) {
      run.step();
      if (s.get((int) i) == a[1] || Ops.equal(run, s.get((int) i), a[1])) {
        return i;
      }
    }
    throw new Fail("value is not in " + Types.name(s));
  }

  private static Object count(Run run, @Nullable Object[] a) {
    long n = 0;
    for (Object item : (Seq) a[0]) {
      run.step();
      n += item == a[1] || Ops.equal(run, item, a[1]) ? 1 : 0;
    }
    return n;
  }

  static @Nullable Function number(Object number, String name) {
    return switch (name) {
      case "is_integer" ->
          number instanceof Double
              ? new Function(name, "/self", (run, a) -> isWhole((Double) a[0]))
              : null;
      case "bit_length" ->
          number instanceof Double
              ? null
              : new Function(
                  name,
                  "/self",
                  (run, a) -> {
                    BigInteger b = Numbers.big(a[0]);
                    return (long) b.abs().bitLength();
                  });
      case "conjugate" -> new Function(name, "/self", (run, a) -> a[0]);
      default -> null;
    };
  }

  private static boolean isWhole(double d) {
    return !Double.isInfinite(d) && d == Math.rint(d);
  }

  static @Nullable Object ofMacro(Stmt.Macro.Value macro, String name) {
    Stmt.Signature signature = macro.signature();
    return switch (name) {
      case "name" -> Str.trusted(signature.name());
      case "arguments" ->
          new Seq.TupleValue(signature.parameters().stream().map(Str::trusted).toList());
      case "catch_kwargs" -> signature.takesNamed();
      case "catch_varargs" -> signature.takesPositional();
      case "caller" -> signature.takesCaller();
      default -> null;
    };
  }
}
