package dev.nautil.template;

import dev.nautil.tokenizer.PromptText;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Turns the caller's Java values into the interpreter's, and measures them. */
final class ContextReader {
  private static final int MAX_DEPTH = 150;

  /** What an element counts for beside its text. */
  private static final int VALUE = 16;

  private long chars;
  private int depth;

  Map<String, Object> read(Map<String, ?> context) {
    Map<String, Object> values = new HashMap<>();
    try {
      context.forEach((name, value) -> values.put(name, read(value)));
    } catch (Fail e) {
      throw new IllegalArgumentException("context: " + e.getMessage());
    }
    return values;
  }

  /** The size of what was read, in characters. */
  long chars() {
    return chars;
  }

  private Object read(@Nullable Object value) {
    chars += VALUE;
    if (value == null) {
      return None.NONE;
    } else if (value instanceof CharSequence s) {
      chars += s.length();
      return Str.plain(s.toString());
    } else if (value instanceof PromptText p) {
      chars += p.text().length();
      return Str.of(p);
    } else if (value instanceof Boolean) {
      return value;
    } else if (value instanceof Number n) {
      return number(n);
    } else if (value instanceof Map<?, ?> || value instanceof Collection<?>) {
      if (++depth > MAX_DEPTH) {
        throw new IllegalArgumentException("the context nests more than " + MAX_DEPTH + " deep");
      }
      Object read = value instanceof Map<?, ?> m ? map(m) : list((Collection<?>) value);
      depth--;
      return read;
    }
    throw new IllegalArgumentException(
        "the context holds a " + value.getClass().getName() + ", which has no place in a template");
  }

  private static Object number(Number n) {
    if (n instanceof BigInteger b) {
      return Numbers.normal(b);
    } else if (n instanceof Double || n instanceof Float || n instanceof BigDecimal) {
      // By way of its text, 0.1f is 0.1 and not 0.10000000149011612.
      return n instanceof Float ? Double.parseDouble(n.toString()) : (Object) n.doubleValue();
    }
    return n.longValue();
  }

  private Object map(Map<?, ?> map) {
    DictValue dict = new DictValue();
    map.forEach(
        (key, value) -> {
          Object k = read(key);
          if (!DictValue.isHashable(k)) {
            throw new IllegalArgumentException("the context has a map whose key is no scalar");
          }
          dict.put(k, read(value));
        });
    return dict;
  }

  private Object list(Collection<?> items) {
    List<Object> values = new ArrayList<>(items.size());
    items.forEach(item -> values.add(read(item)));
    return new Seq.ListValue(values);
  }
}
