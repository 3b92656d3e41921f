package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.time.LocalDate;
import java.time.LocalTime;
import java.time.format.DateTimeFormatter;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * Values that may match a schema: made from the schema alone, with no regard to each other, so that
 * a validator must say which do.
 */
final class RandomValues {
  private static final ObjectMapper MAPPER = new ObjectMapper();
  private static final int MAX_DEPTH = 6;

  record Pattern(String regex, List<String> samples) {}

  private static final List<Pattern> PATTERNS =
      List.of(
          new Pattern("^[a-z]+$", List.of("a", "abc", "xyzzy")),
          new Pattern("^[A-Z]{2}-[0-9]{2,4}$", List.of("AB-12", "XY-1234", "QQ-000")),
          new Pattern("foo|bar", List.of("foo", "a bar", "foobar\n", "ébar")),
          new Pattern("^(?:yes|no|perhaps)$", List.of("yes", "no", "perhaps")),
          new Pattern("^\\d+(\\.\\d+)?$", List.of("1", "12.5", "007")),
          new Pattern("^[^\\s]*$", List.of("", "abc", "ä\"b", "😀")),
          new Pattern("[äöü]$", List.of("ä", "xxü", "tö")),
          new Pattern("^\\w{1,8}$", List.of("a_b", "A9", "wörd")));

  private final JsonNode root;
  private final Random random;

  RandomValues(JsonNode root, Random random) {
    this.root = root;
    this.random = random;
  }

  static Pattern pattern(Random random) {
    return PATTERNS.get(random.nextInt(PATTERNS.size()));
  }

  JsonNode next() {
    return value(root, 0);
  }

  private <T> T any(List<T> list) {
    return list.get(random.nextInt(list.size()));
  }

  private JsonNode value(@Nullable JsonNode schema, int depth) {
    if (schema == null || !schema.isObject() || schema.isEmpty()) {
      return anything(depth);
    }
    if (schema.has("$ref")) {
      return value(target(schema.get("$ref").asText()), depth);
    }
    if (schema.has("enum")) {
      return schema.get("enum").get(random.nextInt(schema.get("enum").size()));
    }
    if (schema.has("const")) {
      return schema.get("const");
    }
    for (String keyword : List.of("anyOf", "oneOf")) {
      if (schema.has(keyword)) {
        JsonNode alternative = schema.get(keyword).get(random.nextInt(schema.get(keyword).size()));
        ObjectNode merged = schema.deepCopy();
        merged.remove(keyword);
        return value(merged.setAll((ObjectNode) alternative), depth);
      }
    }
    if (schema.has("allOf")) {
      return all(schema.get("allOf"), depth);
    }
    @Nullable JsonNode type = schema.get("type");
    if (type == null) {
      return anything(depth);
    }
    String name = type.isArray() ? type.get(random.nextInt(type.size())).asText() : type.asText();
    return switch (name) {
      case "null" -> MAPPER.nullNode();
      case "boolean" -> MAPPER.valueToTree(random.nextBoolean());
      case "integer" -> MAPPER.valueToTree(integer(schema));
      case "number" -> number(schema);
      case "string" -> MAPPER.valueToTree(string(schema));
      case "array" -> array(schema, depth);
      default -> object(schema, depth);
    };
  }

  private JsonNode target(String reference) {
    String fragment = reference.substring(reference.indexOf('#') + 1);
    if (fragment.isEmpty() || fragment.startsWith("/")) {
      return root.at(fragment);
    }
    return root.findParents("$anchor").stream()
        .filter(s -> s.get("$anchor").asText().equals(fragment))
        .findFirst()
        .orElseThrow();
  }

  /** Objects together, or what is of one type and has all keywords. */
  private JsonNode all(JsonNode schemas, int depth) {
    ObjectNode merged = MAPPER.createObjectNode();
    boolean areObjects = schemas.get(0).get("type").asText().equals("object");
    schemas.forEach(s -> merged.setAll((ObjectNode) (areObjects ? value(s, depth) : s)));
    return areObjects ? merged : value(merged, depth);
  }

  private JsonNode anything(int depth) {
    return switch (random.nextInt(depth < MAX_DEPTH ? 9 : 7)) {
      case 0 -> MAPPER.nullNode();
      case 1 -> MAPPER.valueToTree(random.nextBoolean());
      case 2 -> MAPPER.valueToTree(random.nextInt(20) - 5);
      case 3 -> MAPPER.valueToTree(Double.longBitsToDouble(random.nextLong() & ~(1L << 62)));
      case 4 -> MAPPER.valueToTree(new BigInteger(80, random));
      case 5 -> MAPPER.valueToTree(text(random.nextInt(12)));
      case 6 -> MAPPER.valueToTree(any(RandomSchemas.NAMES));
      case 7 -> MAPPER.createArrayNode().add(anything(depth + 1)).add(anything(depth + 1));
      default -> MAPPER.createObjectNode().set(any(RandomSchemas.NAMES), anything(depth + 1));
    };
  }

  private BigDecimal bound(JsonNode schema, String keyword, BigDecimal other) {
    return schema.has(keyword) ? schema.get(keyword).decimalValue() : other;
  }

  private BigDecimal low(JsonNode schema) {
    BigDecimal low = bound(schema, "minimum", bound(schema, "exclusiveMinimum", null));
    BigDecimal high = bound(schema, "maximum", bound(schema, "exclusiveMaximum", null));
    return low != null
        ? low
        : (high == null ? BigDecimal.ZERO : high).subtract(BigDecimal.valueOf(50));
  }

  private BigDecimal high(JsonNode schema) {
    BigDecimal high = bound(schema, "maximum", bound(schema, "exclusiveMaximum", null));
    return high != null ? high : low(schema).add(BigDecimal.valueOf(random.nextInt(1000)));
  }

  private BigInteger integer(JsonNode schema) {
    long low = low(schema).setScale(0, RoundingMode.CEILING).longValueExact();
    long high = high(schema).setScale(0, RoundingMode.FLOOR).longValueExact();
    long value =
        switch (random.nextInt(4)) {
          case 0 -> low;
          case 1 -> high;
          default -> low + Math.floorMod(random.nextLong(), high - low + 1);
        };
    if (schema.has("multipleOf")) {
      long divisor = schema.get("multipleOf").asLong();
      value = Math.floorDiv(value, divisor) * divisor;
    }
    return BigInteger.valueOf(value);
  }

  private JsonNode number(JsonNode schema) {
    BigDecimal low = low(schema);
    BigDecimal high = high(schema);
    if (schema.has("multipleOf")) {
      BigDecimal divisor = schema.get("multipleOf").decimalValue();
      return MAPPER.valueToTree(divisor.multiply(BigDecimal.valueOf(random.nextInt(100_000))));
    }
    return switch (random.nextInt(5)) {
      case 0 -> MAPPER.valueToTree(low);
      case 1 -> MAPPER.valueToTree(high);
      case 2 -> MAPPER.valueToTree(Math.nextDown(high.doubleValue()));
      case 3 -> MAPPER.valueToTree(Math.nextUp(low.doubleValue()));
      default ->
          MAPPER.valueToTree(
              low.doubleValue() + random.nextDouble() * (high.doubleValue() - low.doubleValue()));
    };
  }

  private String string(JsonNode schema) {
    if (schema.has("format")) {
      return formatted(schema);
    }
    if (schema.has("pattern")) {
      String regex = schema.get("pattern").asText();
      return any(
          PATTERNS.stream().filter(p -> p.regex.equals(regex)).findFirst().orElseThrow().samples);
    }
    int min = schema.path("minLength").asInt();
    int max = schema.path("maxLength").asInt(min + 8);
    return text(min + random.nextInt(max - min + 1));
  }

  /** One of a format that is as long as it has to be, and has the pattern, if chance gives it. */
  private String formatted(JsonNode schema) {
    var pattern = java.util.regex.Pattern.compile(schema.path("pattern").asText());
    String text = formatted(schema.get("format").asText());
    for (int i = 0; i < 50 && !(pattern.matcher(text).find() && isLength(schema, text)); i++) {
      text = formatted(schema.get("format").asText());
    }
    return text;
  }

  private static boolean isLength(JsonNode schema, String ascii) {
    return ascii.length() >= schema.path("minLength").asInt()
        && ascii.length() <= schema.path("maxLength").asInt(Integer.MAX_VALUE);
  }

  /** So many code points, of all kinds. */
  private String text(int length) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < length; i++) {
      text.append(
          switch (random.nextInt(10)) {
            case 0 -> any(List.of("\"", "\\", "/", "\n", "\t", "\b", "\f", "\r"));
            case 1 -> any(List.of("ä", "é", "ß", "漢", "\u007f", "\u2028"));
            case 2 -> any(List.of("😀", "\uDBFF\uDFFF", "𝄞"));
            case 3 -> String.valueOf((char) random.nextInt(32));
            default -> String.valueOf((char) (' ' + random.nextInt(95)));
          });
    }
    return text.toString();
  }

  String formatted(String format) {
    return switch (format) {
      case "date" -> date();
      case "time" -> time();
      case "date-time" -> date() + "T" + time();
      case "duration" -> any(List.of("P1D", "PT1H30M", "P3Y6M4DT12H30M5S", "P2W", "PT0S", "P1M"));
      case "email" -> any(List.of("a@example.com", "first.last+tag@mail.example.org", "x_y@a.de"));
      case "hostname" ->
          any(List.of("localhost", "example.com", "a-b.c3.example", "x" + number(63)));
      case "ipv4" -> number(256) + "." + number(256) + "." + number(256) + "." + number(256);
      case "ipv6" ->
          any(List.of("::", "::1", "2001:db8::8a2e:370:7334", "1:2:3:4:5:6:7:8", "::ffff:1.2.3.4"));
      case "uri" ->
          any(
              List.of(
                  "https://example.com/a/b?c=d&e=%20#f",
                  "mailto:a@b.com",
                  "urn:isbn:123",
                  "file:///etc/hosts",
                  "http://user@host:8080",
                  "ftp://[::1]/x"));
      default -> new UUID(random.nextLong(), random.nextLong()).toString();
    };
  }

  private String number(int bound) {
    return Integer.toString(random.nextInt(bound));
  }

  private String date() {
    return LocalDate.ofEpochDay(random.nextInt(40_000) - 10_000).toString();
  }

  private String time() {
    String time =
        LocalTime.ofSecondOfDay(random.nextInt(86_400))
            .plusNanos(random.nextBoolean() ? 0 : random.nextInt(1_000_000_000))
            .format(DateTimeFormatter.ISO_LOCAL_TIME);
    return time + any(List.of("Z", "+00:00", "-05:30", "+14:00"));
  }

  private ArrayNode array(JsonNode schema, int depth) {
    boolean isOld = schema.path("items").isArray();
    JsonNode prefix = schema.path(isOld ? "items" : "prefixItems");
    JsonNode rest = schema.path(isOld ? "additionalItems" : "items");
    int min = schema.path("minItems").asInt();
    int max = schema.path("maxItems").asInt(min + 3);
    if (rest.isBoolean() && !rest.asBoolean()) {
      max = Math.min(max, prefix.size());
    }
    int count = depth < MAX_DEPTH ? min + random.nextInt(max - min + 1) : min;
    ArrayNode array = MAPPER.createArrayNode();
    for (int i = 0; i < count; i++) {
      array.add(value(i < prefix.size() ? prefix.get(i) : rest, depth + 1));
    }
    return array;
  }

  private ObjectNode object(JsonNode schema, int depth) {
    ObjectNode object = MAPPER.createObjectNode();
    JsonNode properties = schema.path("properties");
    JsonNode additional = schema.path("additionalProperties");
    for (JsonNode name : schema.path("required")) {
      JsonNode property = properties.path(name.asText());
      object.set(name.asText(), value(property.isMissingNode() ? additional : property, depth + 1));
    }
    boolean isSparse = depth >= MAX_DEPTH || random.nextInt(4) == 0;
    if (isSparse) {
      return object;
    }
    for (Map.Entry<String, JsonNode> property : properties.properties()) {
      boolean isNever = property.getValue().isBoolean() && !property.getValue().asBoolean();
      if (!isNever && !object.has(property.getKey()) && random.nextBoolean()) {
        object.set(property.getKey(), value(property.getValue(), depth + 1));
      }
    }
    boolean isOpen = !additional.isBoolean() || additional.asBoolean();
    if (isOpen && random.nextBoolean()) {
      String name = random.nextBoolean() ? text(1 + random.nextInt(4)) : any(RandomSchemas.NAMES);
      // The validator skips names that begin with #.
      if (!properties.has(name) && !name.startsWith("#")) {
        object.set(name, value(additional, depth + 1));
      }
    }
    return object;
  }
}
