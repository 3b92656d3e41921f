package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.List;
import java.util.Random;

/** Schemas that some values match, of all the keywords that are enforced. */
final class RandomSchemas {
  static final List<String> FORMATS =
      List.of(
          "date",
          "time",
          "date-time",
          "duration",
          "email",
          "hostname",
          "ipv4",
          "ipv6",
          "uri",
          "uuid");

  static final List<String> NAMES =
      List.of("a", "b", "name", "number", "ä", "a/b", "a\"b", "na", "😀", "", "items", "é\n");

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final Random random;
  private int definitions;

  RandomSchemas(long seed) {
    random = new Random(seed);
  }

  ObjectNode next() {
    definitions = random.nextInt(3);
    ObjectNode root = random.nextInt(3) > 0 ? object(3) : schema(3);
    if (definitions > 0) {
      ObjectNode defs = MAPPER.createObjectNode();
      int count = definitions;
      for (int i = 0; i < count; i++) {
        // A definition refers to those before it, or to itself where a value may do without.
        definitions = i;
        ObjectNode definition = random.nextInt(3) == 0 ? list(i) : schema(1);
        if (random.nextInt(2) == 0) {
          definition.put("$anchor", "anchor" + i);
        }
        defs.set("d" + i, definition);
      }
      root.set("$defs", defs);
    }
    if (random.nextInt(6) == 0) {
      root.put("$id", "https://example.com/schema");
    }
    if (random.nextInt(3) == 0) {
      root.put("$schema", "https://json-schema.org/draft/2020-12/schema");
    }
    return root;
  }

  /** A linked list, whose rest is of the same schema. */
  private ObjectNode list(int i) {
    ObjectNode list = typed("object");
    ObjectNode properties = list.putObject("properties");
    properties.set("value", schema(0));
    properties.putObject("next").put("$ref", "#/$defs/d" + i);
    list.put("additionalProperties", false);
    list.putArray("required").add("value");
    return list;
  }

  private ObjectNode typed(String type) {
    ObjectNode schema = MAPPER.createObjectNode();
    schema.put("type", type);
    if (random.nextInt(6) == 0) {
      schema.put("title", "a title");
      schema.put("description", "what it is");
      schema.put("default", 1);
      schema.put("$comment", "no comment");
      schema.put("deprecated", true);
      schema.put("readOnly", true);
      schema.put("writeOnly", false);
      schema.putArray("examples").add("x");
    }
    return schema;
  }

  private ObjectNode schema(int depth) {
    int kind = random.nextInt(depth == 0 ? 11 : 20);
    return switch (kind) {
      case 0 -> typed(random.nextBoolean() ? "null" : "boolean");
      case 1, 2 -> integer();
      case 3 -> number();
      case 4, 5 -> string();
      case 6 -> formatted();
      case 7 -> enumeration();
      case 8 -> constant();
      case 9 -> reference();
      case 10 -> untyped();
      case 11, 12 -> array(depth);
      case 13, 14, 15 -> object(depth);
      case 16 -> choice("anyOf", depth);
      case 17 -> choice("oneOf", depth);
      case 18 -> allOf(depth);
      default -> types(depth);
    };
  }

  private JsonNode schemaOrBoolean(int depth) {
    return random.nextInt(12) == 0 ? MAPPER.valueToTree(true) : schema(depth);
  }

  private ObjectNode integer() {
    ObjectNode schema = typed("integer");
    int scale = random.nextInt(3) == 0 ? 1_000_000 : 100;
    int low = random.nextInt(scale) - scale / 2;
    int high = low + 10 + random.nextInt(scale);
    bounds(schema, BigDecimal.valueOf(low), BigDecimal.valueOf(high));
    if (random.nextInt(4) == 0) {
      schema.put("multipleOf", List.of(2, 3, 5, 10).get(random.nextInt(4)));
    }
    return schema;
  }

  private ObjectNode number() {
    ObjectNode schema = typed("number");
    BigDecimal low = BigDecimal.valueOf(random.nextInt(2000) - 1000, random.nextInt(6) - 1);
    BigDecimal high = low.add(BigDecimal.valueOf(1 + random.nextInt(500), random.nextInt(3)));
    if (random.nextInt(4) > 0) {
      bounds(schema, low, high);
    } else {
      schema.put(
          "multipleOf", new BigDecimal(List.of("0.1", "0.25", "0.01").get(random.nextInt(3))));
    }
    return schema;
  }

  private void bounds(ObjectNode schema, BigDecimal low, BigDecimal high) {
    if (random.nextInt(4) > 0) {
      schema.put(random.nextBoolean() ? "minimum" : "exclusiveMinimum", low);
    }
    if (random.nextInt(4) > 0) {
      schema.put(random.nextBoolean() ? "maximum" : "exclusiveMaximum", high);
    }
  }

  private ObjectNode string() {
    ObjectNode schema = typed("string");
    int min = random.nextInt(5);
    if (random.nextInt(3) == 0) {
      RandomValues.Pattern pattern = RandomValues.pattern(random);
      schema.put("pattern", pattern.regex());
      if (random.nextBoolean()) {
        schema.put("maxLength", 12 + random.nextInt(40));
      }
      if (random.nextInt(3) == 0) {
        schema.put("minLength", 1 + random.nextInt(2));
      }
      return schema;
    }
    if (random.nextBoolean()) {
      schema.put("minLength", min);
    }
    if (random.nextBoolean()) {
      schema.put("maxLength", min + random.nextInt(20));
    }
    return schema;
  }

  private ObjectNode formatted() {
    ObjectNode schema = typed("string");
    schema.put("format", FORMATS.get(random.nextInt(FORMATS.size())));
    return schema;
  }

  private ObjectNode enumeration() {
    ObjectNode schema = MAPPER.createObjectNode();
    ArrayNode values = schema.putArray("enum");
    int count = 1 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      values.add(literal());
    }
    return schema;
  }

  private ObjectNode constant() {
    return MAPPER.createObjectNode().set("const", literal());
  }

  private JsonNode literal() {
    return switch (random.nextInt(7)) {
      case 0 -> MAPPER.valueToTree(random.nextInt(100) - 50);
      case 1 -> MAPPER.valueToTree(random.nextInt(10_000) / 100.0);
      case 2 -> MAPPER.nullNode();
      case 3 -> MAPPER.createObjectNode().put("k", true).put("l\"", "ü");
      case 4 -> MAPPER.createArrayNode().add(true).add("two");
      default -> MAPPER.valueToTree(NAMES.get(random.nextInt(NAMES.size())));
    };
  }

  private ObjectNode reference() {
    ObjectNode schema = MAPPER.createObjectNode();
    if (definitions == 0) {
      return typed("boolean");
    }
    schema.put("$ref", "#/$defs/d" + random.nextInt(definitions));
    if (random.nextInt(4) == 0) {
      schema.put("description", "beside a reference");
    }
    return schema;
  }

  /** Keywords without a type, each of which concerns its own. */
  private ObjectNode untyped() {
    ObjectNode schema = MAPPER.createObjectNode();
    if (random.nextBoolean()) {
      schema.put("minLength", 2);
      schema.put("maximum", 10);
    } else {
      schema.put("maxItems", 2);
      schema.put("maxProperties", 1);
    }
    return schema;
  }

  private ObjectNode types(int depth) {
    ObjectNode schema = string();
    schema.putArray("type").add("string").add("null").add("integer");
    if (random.nextBoolean()) {
      schema.put("minimum", 3);
    }
    return schema;
  }

  private ObjectNode array(int depth) {
    ObjectNode schema = typed("array");
    int prefix = 0;
    if (random.nextInt(3) == 0) {
      ArrayNode items = schema.putArray("prefixItems");
      prefix = 1 + random.nextInt(3);
      for (int i = 0; i < prefix; i++) {
        items.add(schemaOrBoolean(depth - 1));
      }
    }
    schema.set("items", schemaOrBoolean(depth - 1));
    int min = random.nextInt(3);
    if (random.nextBoolean()) {
      schema.put("minItems", min);
    }
    if (random.nextBoolean()) {
      schema.put("maxItems", min + random.nextInt(4));
    }
    return schema;
  }

  private ObjectNode object(int depth) {
    ObjectNode schema = typed("object");
    int count = random.nextInt(5);
    ObjectNode properties = schema.putObject("properties");
    ArrayNode required = schema.putArray("required");
    for (int i = 0; i < count; i++) {
      String name = NAMES.get(random.nextInt(NAMES.size()));
      if (!properties.has(name)) {
        properties.set(name, schemaOrBoolean(depth - 1));
        if (random.nextBoolean()) {
          required.add(name);
        }
      }
    }
    switch (random.nextInt(4)) {
      case 0 -> schema.put("additionalProperties", true);
      case 1 -> schema.set("additionalProperties", schema(0));
      default -> schema.put("additionalProperties", false);
    }
    boolean isClosed =
        schema.get("additionalProperties").isBoolean()
            && !schema.get("additionalProperties").asBoolean();
    if (random.nextInt(3) == 0) {
      schema.put("maxProperties", required.size() + 1 + random.nextInt(3));
    }
    int most = isClosed ? properties.size() : required.size() + 1;
    if (random.nextInt(3) == 0) {
      schema.put("minProperties", Math.min(most, required.size() + 1));
    }
    return schema;
  }

  /** Alternatives of which a value matches one, since they differ in type. */
  private ObjectNode choice(String keyword, int depth) {
    ObjectNode schema = MAPPER.createObjectNode();
    ArrayNode alternatives = schema.putArray(keyword);
    alternatives.add(random.nextBoolean() ? string() : formatted());
    if (random.nextBoolean()) {
      alternatives.add(integer());
    }
    alternatives.add(random.nextBoolean() ? object(depth - 1) : array(depth - 1));
    return schema;
  }

  /** Objects that are merged: their properties differ, and none is closed. */
  private ObjectNode allOf(int depth) {
    ObjectNode schema = MAPPER.createObjectNode();
    ArrayNode all = schema.putArray("allOf");
    for (int i = 0; i < 2; i++) {
      ObjectNode part = typed("object");
      ObjectNode properties = part.putObject("properties");
      properties.set("p" + i, schema(depth - 1));
      properties.set("q" + i, schema(0));
      part.putArray("required").add("p" + i);
      all.add(part);
    }
    if (random.nextBoolean()) {
      schema.put("minProperties", 2);
    }
    return schema;
  }
}
