package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.List;
import java.util.Random;
import java.util.SplittableRandom;

/** Schemas that some values match, of all the keywords that are enforced. */
final class RandomSchemas {
  /** Of strings. */
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

  private static final String ID = "https://example.com/schema";

  private final Random random;
  private final Dialect dialect;

  /** The keyword that definitions are under. */
  private final String under;

  private final boolean hasId;

  /** Whether each definition has an anchor, too. */
  private final boolean hasAnchors;

  /** Those that may be referred to by now: a value of one does without those after it. */
  private int definitions;

  RandomSchemas(long seed) {
    // Random's first numbers are alike where seeds are.
    random = new Random(new SplittableRandom(seed).nextLong());
    dialect = one(2) ? Dialect.DRAFT_2020_12 : one(2) ? Dialect.DRAFT_2019_09 : Dialect.DRAFT_7;
    boolean isOld = dialect == Dialect.DRAFT_7;
    under = one(isOld ? 1 : 3) ? "definitions" : "$defs";
    hasId = one(5);
    hasAnchors = !isOld && one(3);
  }

  ObjectNode next() {
    int count = random.nextInt(3);
    definitions = count;
    ObjectNode root = random.nextInt(3) > 0 ? object(3) : schema(3);
    if (root.path("properties").isObject() && one(8)) {
      ((ObjectNode) root.get("properties")).putObject("root").put("$ref", "#");
    }
    if (count > 0) {
      ObjectNode defs = MAPPER.createObjectNode();
      for (int i = 0; i < count; i++) {
        definitions = i;
        ObjectNode definition = one(2) ? recursive(count) : schema(1);
        if (hasAnchors) {
          definition.put("$anchor", anchor(i));
        }
        defs.set("d" + i, definition);
      }
      root.set(under, defs);
    }
    describe(root);
    return root;
  }

  private void describe(ObjectNode root) {
    if (hasId) {
      root.put("$id", ID);
    }
    if (dialect != Dialect.DRAFT_2020_12 || one(3)) {
      root.put("$schema", dialect.uri);
    }
    if (dialect != Dialect.DRAFT_7 && one(8)) {
      root.put("$dynamicAnchor", "root");
      root.putObject("$vocabulary");
    }
  }

  /** True once in so many times. */
  private boolean one(int times) {
    return random.nextInt(times) == 0;
  }

  static String anchor(int definition) {
    return "anchor" + definition;
  }

  private String to(int definition) {
    if (hasAnchors && one(2)) {
      return "#" + anchor(definition);
    }
    return (hasId && one(2) ? ID : "") + "#/" + under + "/d" + definition;
  }

  /** A linked list or a tree, which has itself or any of the definitions in it, or ends. */
  private ObjectNode recursive(int count) {
    ObjectNode node = typed("object");
    ObjectNode properties = node.putObject("properties");
    properties.set("value", schema(0));
    ObjectNode rest = MAPPER.createObjectNode().put("$ref", to(random.nextInt(count)));
    switch (random.nextInt(3)) {
      case 0 -> properties.set("next", rest);
      case 1 -> properties.putObject("next").putArray("anyOf").add(type("null")).add(rest);
      default -> properties.set("children", type("array").set("items", rest));
    }
    node.put("additionalProperties", false);
    node.putArray("required").add("value");
    return node;
  }

  private static ObjectNode type(String type) {
    return MAPPER.createObjectNode().put("type", type);
  }

  private ObjectNode typed(String type) {
    ObjectNode schema = type(type);
    if (one(6)) {
      schema.put("title", "a title");
      schema.put("description", "what it is");
      schema.put("default", 1);
      schema.put("$comment", "no comment");
      schema.put("example", "an example");
      schema.putObject("externalDocs").put("url", "https://example.com");
      schema.putObject("xml").put("name", "a");
      schema.putObject("discriminator").put("propertyName", "a");
      schema.put("deprecated", true);
      schema.put("readOnly", true);
      schema.put("writeOnly", false);
      schema.putArray("examples").add("x");
      schema.put("x-order", 1);
    }
    if (one(12)) {
      // Nothing, without what they belong to.
      schema.put("then", false).put("else", false);
      schema.put("minContains", 1).put("maxContains", 2);
    }
    return schema;
  }

  private ObjectNode schema(int depth) {
    int kind = random.nextInt(depth == 0 ? 12 : 25);
    return switch (kind) {
      case 0 -> typed(random.nextBoolean() ? "null" : "boolean");
      case 1, 2 -> integer();
      case 3 -> number();
      case 4, 5 -> string();
      case 6, 7 -> formatted();
      case 8 -> enumeration();
      case 9 -> constant();
      case 10 -> reference();
      case 11 -> untyped();
      case 12, 13 -> array(depth);
      case 14, 15, 16 -> object(depth);
      case 17 -> choice("anyOf", depth);
      case 18 -> choice("oneOf", depth);
      case 19 -> cases(depth);
      case 20 -> allOf(depth);
      case 21 -> allOfStrings();
      case 22 -> types();
      default -> array(depth);
    };
  }

  private JsonNode schemaOrTrue(int depth) {
    return one(12) ? MAPPER.valueToTree(true) : schema(depth);
  }

  private ObjectNode integer() {
    ObjectNode schema = typed("integer");
    int scale = one(3) ? 1_000_000 : 100;
    int low = random.nextInt(scale) - scale / 2;
    int high = low + 10 + random.nextInt(scale);
    bounds(schema, BigDecimal.valueOf(low), BigDecimal.valueOf(high));
    if (one(4)) {
      schema.put("multipleOf", List.of(2, 3, 5, 10).get(random.nextInt(4)));
    }
    if (one(4)) {
      schema.put("format", one(2) ? "int32" : "int64");
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
    if (one(3)) {
      schema.put("format", "double");
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
    // Draft 07 leaves it open whether these restrict a string, and the validator has them do so.
    if (dialect != Dialect.DRAFT_7 && one(8)) {
      schema.put("contentEncoding", "base64");
      schema.put("contentMediaType", "application/json");
      schema.put("contentSchema", false);
    }
    int min = random.nextInt(5);
    if (one(3)) {
      RandomValues.Pattern pattern = RandomValues.pattern(random);
      schema.put("pattern", pattern.regex());
      if (random.nextBoolean()) {
        schema.put("maxLength", 12 + random.nextInt(40));
      }
      if (one(3)) {
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

  /** With a length or a pattern of one of the format's strings, or both. */
  private ObjectNode formatted() {
    ObjectNode schema = typed("string");
    if (one(5)) {
      schema.putArray("type").add("string").add("null");
    }
    String format = FORMATS.get(random.nextInt(FORMATS.size()));
    schema.put("format", format);
    String sample = new RandomValues(schema, random).formatted(format);
    if (one(3)) {
      schema.put("minLength", Math.max(0, sample.length() - random.nextInt(4)));
    }
    if (one(3)) {
      schema.put("maxLength", sample.length() + random.nextInt(12));
    }
    if (one(3)) {
      schema.put("pattern", patternOf(sample));
    }
    return schema;
  }

  /** The first character, the last one or some between. */
  private String patternOf(String text) {
    int at = random.nextInt(text.length());
    return switch (random.nextInt(3)) {
      case 0 -> "^" + literally(text.substring(0, 1));
      case 1 -> literally(text.substring(text.length() - 1)) + "$";
      default -> literally(text.substring(at, Math.min(text.length(), at + 2)));
    };
  }

  private static String literally(String text) {
    return text.replaceAll("[\\^$\\\\.*+?()\\[\\]{}|/]", "\\\\$0");
  }

  private ObjectNode enumeration() {
    ObjectNode schema = MAPPER.createObjectNode();
    ArrayNode values = schema.putArray("enum");
    int count = 1 + random.nextInt(4);
    for (int i = 0; i < count; i++) {
      values.add(literal());
    }
    if (one(3)) {
      // Some of the values may not be what the other keywords say.
      values.add("of the type");
      schema.put("type", "string").put("minLength", 1);
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
    if (definitions == 0) {
      return typed("boolean");
    }
    ObjectNode schema = MAPPER.createObjectNode();
    schema.put("$ref", to(random.nextInt(definitions)));
    if (one(3)) {
      schema.put("description", "beside a reference");
      if (dialect.refReplacesSiblings()) {
        schema.putArray("enum").add("without effect");
      } else {
        schema.put("maxLength", 60).put("maxProperties", 12).put("maxItems", 12);
      }
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

  private ObjectNode types() {
    ObjectNode schema = string();
    schema.putArray("type").add("string").add("null").add("integer");
    if (random.nextBoolean()) {
      schema.put("minimum", 3);
    }
    return schema;
  }

  private ObjectNode array(int depth) {
    ObjectNode schema = typed("array");
    int prefix = one(3) ? 0 : 1 + random.nextInt(3);
    ArrayNode first = MAPPER.createArrayNode();
    for (int i = 0; i < prefix; i++) {
      first.add(schemaOrTrue(depth - 1));
    }
    boolean isClosed = prefix > 0 && one(3);
    JsonNode rest = isClosed ? MAPPER.valueToTree(false) : schemaOrTrue(depth - 1);
    String restUnder = "items";
    if (prefix > 0) {
      schema.set(dialect.hasItemsArray() ? "items" : "prefixItems", first);
      restUnder = dialect.hasItemsArray() ? "additionalItems" : "items";
    } else if (dialect.hasItemsArray() && one(4)) {
      // Nothing, where all items are of one schema.
      schema.put("additionalItems", false);
    }
    if (isClosed || !one(8)) {
      schema.set(restUnder, rest);
    }
    int min = random.nextInt(isClosed ? prefix + 1 : 3);
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
        properties.set(name, schemaOrTrue(depth - 1));
        if (random.nextBoolean()) {
          required.add(name);
        }
      }
    }
    int listed = properties.size();
    if (one(12)) {
      properties.put("never", false);
    }
    boolean isClosed = false;
    switch (random.nextInt(6)) {
      case 0 -> schema.put("additionalProperties", true);
      case 1 -> schema.set("additionalProperties", schema(0));
      case 2 -> {}
      default -> {
        isClosed = true;
        schema.put("additionalProperties", false);
      }
    }
    if (!isClosed && one(4)) {
      required.add("unlisted");
    }
    int least = required.size() + (isClosed ? random.nextInt(listed - required.size() + 1) : 1);
    if (one(3)) {
      schema.put("minProperties", least);
    }
    if (one(3)) {
      schema.put("maxProperties", Math.max(least, required.size() + 1) + random.nextInt(3));
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

  /** What one string must match. */
  private ObjectNode allOfStrings() {
    ObjectNode schema = MAPPER.createObjectNode();
    schema.putArray("allOf").add(formatted()).add(type("string").put("maxLength", 80));
    return schema;
  }

  /** An object with one property or the other. */
  private ObjectNode cases(int depth) {
    ObjectNode schema = typed("object");
    ObjectNode properties = schema.putObject("properties");
    ArrayNode cases = schema.putArray("anyOf");
    for (String name : List.of("this", "that")) {
      properties.set(name, schema(depth - 1));
      cases.addObject().putArray("required").add(name);
    }
    schema.put("additionalProperties", false);
    return schema;
  }
}
