package dev.nautil.json;

import com.fasterxml.jackson.databind.JsonNode;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;

/** Finds members of objects that a schema does not know, or that it wants. */
public final class ArgumentCheck {
  private final Map<String, Object> root;
  private final List<String> problems = new ArrayList<>();

  private ArgumentCheck(Map<String, Object> root) {
    this.root = root;
  }

  /** What is wrong, in words that a model can read; empty if nothing was found. */
  public static List<String> problems(JsonNode json, Map<String, Object> schema) {
    if (!json.isObject()) {
      return List.of("the arguments are to be a JSON object");
    }
    ArgumentCheck check = new ArgumentCheck(schema);
    check.check(json, schema, "");
    return check.problems;
  }

  private void check(JsonNode json, Object part, String path) {
    Map<?, ?> schema = resolved(part);
    if (json.isArray()) {
      for (int i = 0; i < json.size(); i++) {
        check(json.get(i), schema.get("items"), path + "[" + i + "]");
      }
    } else if (json.isObject()) {
      Map<?, ?> properties = map(schema.get("properties"));
      Object additional = schema.get("additionalProperties");
      String prefix = path.isEmpty() ? "" : path + ".";
      json.properties()
          .forEach(
              member -> {
                String name = member.getKey();
                if (properties.containsKey(name)) {
                  check(member.getValue(), properties.get(name), prefix + name);
                } else if (Boolean.FALSE.equals(additional)) {
                  problems.add(
                      "unknown: \"" + prefix + name + "\"; known are " + properties.keySet());
                } else {
                  check(member.getValue(), additional, prefix + name);
                }
              });
      if (schema.get("required") instanceof Collection<?> required) {
        for (Object name : required) {
          if (!json.has(String.valueOf(name))) {
            problems.add("missing: \"" + prefix + name + "\"");
          }
        }
      }
    }
  }

  /** The schema that a reference leads to; none where it is not known how. */
  private Map<?, ?> resolved(Object part) {
    Map<?, ?> schema = map(part);
    for (int i = 0; i < 16 && schema.get("$ref") instanceof String ref; i++) {
      Object target = root;
      for (String step : ref.replaceFirst("^#/?", "").split("/")) {
        target = step.isEmpty() ? target : map(target).get(step);
      }
      schema = map(target);
    }
    return schema;
  }

  private static Map<?, ?> map(Object value) {
    return value instanceof Map<?, ?> map ? map : Map.of();
  }
}
