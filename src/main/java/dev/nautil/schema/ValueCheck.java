package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Whether the values of an enumeration match what else a schema says. */
final class ValueCheck {
  /** Levels of a value and of the schemas that it is held to. */
  private static final int MAX_DEPTH = 500;

  private final Expansion expansion;
  private final StringRules strings;

  ValueCheck(Expansion expansion, StringRules strings) {
    this.expansion = expansion;
    this.strings = strings;
  }

  boolean matches(JsonNode value, List<Keywords> all) {
    return all.stream().allMatch(k -> matches(value, k, 0));
  }

  private boolean matches(JsonNode value, Location schema, int depth) {
    if (depth > MAX_DEPTH) {
      throw schema.error("is deeper than the values of an enumeration can be held to");
    }
    if (schema.node.isBoolean()) {
      return schema.node.asBoolean();
    }
    Keywords keywords = expansion.keywords(schema);
    return matches(value, keywords, depth)
        && keywords.all.stream().allMatch(s -> matches(value, s, depth + 1))
        && keywords.any.stream()
            .allMatch(choice -> choice.stream().anyMatch(s -> matches(value, s, depth + 1)));
  }

  private boolean matches(JsonNode value, Keywords keywords, int depth) {
    int type = ValueType.of(value);
    if ((type & keywords.types) == 0
        || !keywords.values.stream().allMatch(listed -> listed.contains(value))) {
      return false;
    }
    return switch (type) {
      case ValueType.NUMBER -> {
        @Nullable BigDecimal number = JsonNumbers.decimal(value);
        yield number != null
            && NumberRange.of(keywords.bounds, keywords.multiplesOf).contains(number);
      }
      case ValueType.STRING -> strings.matches(value.asText(), keywords);
      case ValueType.ARRAY -> itemsMatch(value, keywords, depth);
      case ValueType.OBJECT -> propertiesMatch(value, keywords, depth);
      default -> true;
    };
  }

  private boolean itemsMatch(JsonNode array, Keywords keywords, int depth) {
    if (!isWithin(array.size(), keywords.minItems, keywords.maxItems)) {
      return false;
    }
    for (int i = 0; i < array.size(); i++) {
      @Nullable Location schema =
          i < keywords.prefixItems.size() ? keywords.prefixItems.get(i) : keywords.items;
      if (schema != null && !matches(array.get(i), schema, depth + 1)) {
        return false;
      }
    }
    return true;
  }

  private boolean propertiesMatch(JsonNode object, Keywords keywords, int depth) {
    if (!isWithin(object.size(), keywords.minProperties, keywords.maxProperties)
        || !keywords.required.stream().allMatch(object::has)) {
      return false;
    }
    for (Map.Entry<String, JsonNode> member : object.properties()) {
      @Nullable Location schema =
          keywords.properties.getOrDefault(member.getKey(), keywords.additionalProperties);
      if (schema != null && !matches(member.getValue(), schema, depth + 1)) {
        return false;
      }
    }
    return true;
  }

  private static boolean isWithin(int size, int min, int max) {
    return size >= min && (max == Keywords.UNBOUNDED || size <= max);
  }
}
