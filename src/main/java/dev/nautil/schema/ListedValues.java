package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The values of an enum, or the one of a const. */
final class ListedValues {
  private static final int MAX_DEPTH = 500;

  /** By what makes a value the same: {@link #identity}. */
  private final Map<Object, JsonNode> values = new LinkedHashMap<>();

  ListedValues(Iterable<JsonNode> values) {
    values.forEach(value -> this.values.putIfAbsent(identity(value, 0), value));
  }

  /** Each once. */
  List<JsonNode> all() {
    return List.copyOf(values.values());
  }

  /** Whether a value is one of them. */
  boolean contains(JsonNode value) {
    return values.containsKey(identity(value, 0));
  }

  /**
   * What two values have in common that are the same to JSON Schema: numbers are by value, and
   * members have no order. What is too deep or has too many digits is the same as nothing.
   */
  private static Object identity(JsonNode value, int depth) {
    if (depth > MAX_DEPTH) {
      return new Object();
    }
    return switch (ValueType.of(value)) {
      case ValueType.NUMBER -> {
        @Nullable BigDecimal number = JsonNumbers.decimal(value);
        yield number == null ? new Object() : number;
      }
      case ValueType.STRING -> value.asText();
      case ValueType.ARRAY -> {
        List<Object> items = new ArrayList<>();
        value.forEach(item -> items.add(identity(item, depth + 1)));
        yield items;
      }
      case ValueType.OBJECT -> {
        Map<String, Object> members = new HashMap<>();
        value.properties().forEach(m -> members.put(m.getKey(), identity(m.getValue(), depth + 1)));
        yield members;
      }
      default -> value;
    };
  }
}
