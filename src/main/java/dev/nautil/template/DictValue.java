package dev.nautil.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A dict: keys in the order of insertion, equal where Python's are (1, 1.0 and true are one). */
final class DictValue {
  record Entry(Object key, Object value) {}

  private final Map<Object, Entry> entries = new LinkedHashMap<>();
  private Shape shape = Shape.LEAF;

  /** Only while the dict is being built: no one else may have seen it. */
  void put(Object key, Object value) {
    Object hashed = hashKey(key);
    Entry old = entries.get(hashed);
    shape = shape.plus(Shape.of(key)).plus(Shape.of(value));
    entries.put(hashed, new Entry(old == null ? key : old.key, value));
  }

  void putAll(DictValue other) {
    other.entries().forEach(e -> put(e.key, e.value));
  }

  /** The value, or null where there is none. */
  @Nullable Object get(Object key) {
    Entry entry = entries.get(hashKey(key));
    return entry == null ? null : entry.value;
  }

  int size() {
    return entries.size();
  }

  Collection<Entry> entries() {
    return entries.values();
  }

  Shape shape() {
    return shape;
  }

  static boolean isHashable(Object key) {
    if (key instanceof Seq.TupleValue t) {
      for (Object item : t) {
        if (!isHashable(item)) {
          return false;
        }
      }
      return true;
    }
    return !(key instanceof Seq.ListValue || key instanceof DictValue || key instanceof DictView);
  }

  /** What stands for a key in a Java map: numbers that are equal become the same object. */
  static Object hashKey(Object key) {
    if (key instanceof Boolean b) {
      return b ? 1L : 0L;
    } else if (key instanceof Double d) {
      if (d == Math.rint(d) && !Double.isInfinite(d)) {
        BigInteger whole = new BigDecimal(d).toBigInteger();
        return whole.bitLength() < 64 ? (Object) whole.longValue() : whole;
      }
    } else if (!isHashable(key)) {
      throw new Fail("unhashable type: '" + Types.name(key) + "'");
    }
    return key;
  }
}
