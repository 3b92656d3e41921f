package dev.nautil.template;

import java.util.HashMap;
import java.util.Map;
import java.util.function.Predicate;

/** The tests that follow {@code is}. */
final class Predicates {
  static final Map<String, Function> ALL = new HashMap<>();

  private Predicates() {}

  private static void test(String name, Predicate<Object> test) {
    ALL.put(name, new Function(name, "/value", (run, a) -> test.test(a[0])));
  }

  private static void compare(Expr.Comparison op, String... names) {
    for (String name : names) {
      ALL.put(name, new Function(name, "/a b", (run, a) -> Ops.compare(run, op, a[0], a[1])));
    }
  }

  static {
    test("defined", v -> !(v instanceof Undefined));
    test("undefined", v -> v instanceof Undefined);
    test("none", v -> v instanceof None);
    test("boolean", v -> v instanceof Boolean);
    test("true", v -> Boolean.TRUE.equals(v));
    test("false", v -> Boolean.FALSE.equals(v));
    test("integer", v -> Numbers.isInt(v) && !(v instanceof Boolean));
    test("float", v -> v instanceof Double);
    test("number", Numbers::isNumber);
    test("string", v -> v instanceof Str);
    test("mapping", v -> v instanceof DictValue);
    test(
        "sequence",
        v ->
            v instanceof Str
                || v instanceof Seq
                || v instanceof DictValue
                || v instanceof Undefined);
    test("iterable", Ops::isIterable);
    test("callable", v -> v instanceof Callable || v instanceof Undefined);
    test("escaped", v -> v instanceof Str s && s.markup);
    test("filter", v -> v instanceof Str s && Filters.ALL.containsKey(s.text));
    test("test", v -> v instanceof Str s && ALL.containsKey(s.text));
    ALL.put("odd", new Function("odd", "value", (run, a) -> hasRest(run, a[0], 2L, 1L)));
    ALL.put("even", new Function("even", "value", (run, a) -> hasRest(run, a[0], 2L, 0L)));
    ALL.put(
        "divisibleby",
        new Function("divisibleby", "value num", (run, a) -> hasRest(run, a[0], a[1], 0L)));
    ALL.put(
        "lower",
        new Function(
            "lower", "value", (run, a) -> StringMethods.isLower(run, Text.str(run, a[0]))));
    ALL.put(
        "upper",
        new Function(
            "upper", "value", (run, a) -> StringMethods.isUpper(run, Text.str(run, a[0]))));
    ALL.put("sameas", new Function("sameas", "value other", (run, a) -> same(a[0], a[1])));
    ALL.put("in", new Function("in", "value seq", (run, a) -> Ops.contains(run, a[1], a[0])));
    compare(Expr.Comparison.EQ, "==", "eq", "equalto");
    compare(Expr.Comparison.NE, "!=", "ne");
    compare(Expr.Comparison.GT, ">", "gt", "greaterthan");
    compare(Expr.Comparison.GE, ">=", "ge");
    compare(Expr.Comparison.LT, "<", "lt", "lessthan");
    compare(Expr.Comparison.LE, "<=", "le");
  }

  private static Object hasRest(Run run, Object value, Object by, Object rest) {
    return Ops.equal(run, Ops.arithmetic(run, Expr.Op.MOD, value, by), rest);
  }

  /** Identity, where Java's boxes have none. */
  private static boolean same(Object a, Object b) {
    if (a instanceof Str || a instanceof Long || a instanceof Boolean) {
      return a.equals(b);
    }
    return a == b;
  }
}
