package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.SchemaException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** Reads the keywords of one schema object, and refuses those that could not be enforced. */
final class KeywordReader {
  /** What says something about a schema and nothing about its values. */
  static final Set<String> ANNOTATIONS =
      Set.of(
          "$schema",
          "$id",
          "$anchor",
          "$dynamicAnchor",
          "$vocabulary",
          "$comment",
          "$defs",
          "definitions",
          "title",
          "description",
          "default",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly",
          "contentEncoding",
          "contentMediaType",
          "contentSchema",
          // OpenAPI 3.1's vocabulary. A discriminator does not change what is valid (4.8.25).
          "discriminator",
          "example",
          "externalDocs",
          "xml",
          // Without "if" and "contains", which are refused, these have no effect.
          "then",
          "else",
          "minContains",
          "maxContains");

  /** What cannot be enforced, with the types whose values it would concern. */
  static final Map<String, Integer> UNSUPPORTED =
      Map.ofEntries(
          Map.entry("not", ValueType.ALL),
          Map.entry("if", ValueType.ALL),
          Map.entry("$dynamicRef", ValueType.ALL),
          Map.entry("$recursiveRef", ValueType.ALL),
          Map.entry("nullable", ValueType.ALL),
          Map.entry("patternProperties", ValueType.OBJECT),
          Map.entry("propertyNames", ValueType.OBJECT),
          Map.entry("dependentRequired", ValueType.OBJECT),
          Map.entry("dependentSchemas", ValueType.OBJECT),
          Map.entry("dependencies", ValueType.OBJECT),
          Map.entry("unevaluatedProperties", ValueType.OBJECT),
          Map.entry("contains", ValueType.ARRAY),
          Map.entry("uniqueItems", ValueType.ARRAY),
          Map.entry("unevaluatedItems", ValueType.ARRAY));

  /** What is enforced, and how it is read. */
  static final Map<String, BiConsumer<KeywordReader, JsonNode>> ENFORCED =
      Map.ofEntries(
          Map.entry("$ref", KeywordReader::readReference),
          Map.entry("allOf", (r, v) -> r.keywords.all.addAll(r.schemas("allOf", v))),
          Map.entry("anyOf", (r, v) -> r.keywords.any.add(r.schemas("anyOf", v))),
          Map.entry("oneOf", (r, v) -> r.keywords.any.add(r.schemas("oneOf", v))),
          // Read before the others, some of which depend on it.
          Map.entry("type", (r, v) -> {}),
          Map.entry("enum", KeywordReader::readEnum),
          Map.entry("const", (r, v) -> r.keywords.values.add(new ListedValues(List.of(v)))),
          Map.entry("minimum", (r, v) -> r.bound("minimum", v, false, true)),
          Map.entry("maximum", (r, v) -> r.bound("maximum", v, true, true)),
          Map.entry("exclusiveMinimum", (r, v) -> r.bound("exclusiveMinimum", v, false, false)),
          Map.entry("exclusiveMaximum", (r, v) -> r.bound("exclusiveMaximum", v, true, false)),
          Map.entry("multipleOf", KeywordReader::readMultipleOf),
          Map.entry("minLength", (r, v) -> r.keywords.minLength = r.least("minLength", v)),
          Map.entry("maxLength", (r, v) -> r.keywords.maxLength = r.most("maxLength", v)),
          Map.entry("pattern", (r, v) -> r.keywords.pattern = r.text("pattern", v)),
          Map.entry("format", (r, v) -> r.readFormat(r.text("format", v))),
          Map.entry("minItems", (r, v) -> r.keywords.minItems = r.least("minItems", v)),
          Map.entry("maxItems", (r, v) -> r.keywords.maxItems = r.most("maxItems", v)),
          Map.entry("items", KeywordReader::readItems),
          Map.entry("prefixItems", KeywordReader::readPrefixItems),
          Map.entry("additionalItems", KeywordReader::readAdditionalItems),
          Map.entry("properties", KeywordReader::readProperties),
          Map.entry("additionalProperties", KeywordReader::readAdditionalProperties),
          Map.entry("required", KeywordReader::readRequired),
          Map.entry(
              "minProperties", (r, v) -> r.keywords.minProperties = r.least("minProperties", v)),
          Map.entry(
              "maxProperties", (r, v) -> r.keywords.maxProperties = r.most("maxProperties", v)));

  /** Of those, what leads to other schemas that concern the same value. */
  private static final Set<String> APPLICATORS = Set.of("$ref", "allOf", "anyOf", "oneOf");

  private final SchemaDocument document;
  private final Location at;
  private final Keywords keywords;

  private KeywordReader(SchemaDocument document, Location at) {
    this.document = document;
    this.at = at;
    keywords = new Keywords(at);
  }

  /**
   * @throws SchemaException if a keyword is malformed, unknown or not supported
   */
  static Keywords read(SchemaDocument document, Location at) {
    return new KeywordReader(document, at).read();
  }

  private Keywords read() {
    @Nullable JsonNode reference = at.node.get("$ref");
    if (reference != null && document.dialect.refReplacesSiblings()) {
      readReference(reference);
      return keywords;
    }
    @Nullable JsonNode type = at.node.get("type");
    if (type != null) {
      readType(type);
    }
    for (Map.Entry<String, JsonNode> entry : at.node.properties()) {
      String keyword = entry.getKey();
      if (!ANNOTATIONS.contains(keyword) && !keyword.startsWith("x-")) {
        keywords.hasAssertions |= !APPLICATORS.contains(keyword);
        read(keyword, entry.getValue());
      }
    }
    refuseContradictions();
    return keywords;
  }

  private void readReference(JsonNode value) {
    if (!value.isTextual()) {
      throw at.error("$ref", "must be a string");
    }
    keywords.all.add(document.target(at, "$ref", value.asText()));
  }

  private void read(String keyword, JsonNode value) {
    @Nullable BiConsumer<KeywordReader, JsonNode> reading = ENFORCED.get(keyword);
    if (reading == null) {
      refuse(keyword, value);
    } else {
      reading.accept(this, value);
    }
  }

  private void refuse(String keyword, JsonNode value) {
    @Nullable Integer concerned = UNSUPPORTED.get(keyword);
    if (concerned == null) {
      throw at.error(
          keyword, "the keyword is not known; one that is meant for people begins with 'x-'");
    }
    boolean concernsNothing = (concerned & keywords.types) == 0;
    if (!concernsNothing && !isWithoutEffect(keyword, value)) {
      throw at.error(keyword, "the keyword cannot be enforced; leave it out" + instead(keyword));
    }
  }

  private static String instead(String keyword) {
    return switch (keyword) {
      case "nullable" ->
          ", and name the type null beside the other: \"type\": [\"string\", \"null\"]";
      case "dependencies", "dependentRequired", "dependentSchemas", "if" ->
          ", or write the cases as anyOf";
      default -> "";
    };
  }

  private boolean isWithoutEffect(String keyword, JsonNode value) {
    return switch (keyword) {
      case "uniqueItems", "nullable" -> value.isBoolean() && !value.asBoolean();
      case "not" -> value.isBoolean() && !value.asBoolean();
      case "if" -> !at.node.has("then") && !at.node.has("else");
      case "patternProperties", "dependentRequired", "dependentSchemas", "dependencies" ->
          value.isObject() && value.isEmpty();
      case "propertyNames" -> value.isBoolean() ? value.asBoolean() : takesAnyString(value);
      case "unevaluatedProperties", "unevaluatedItems" ->
          value.isBoolean() ? value.asBoolean() : value.isObject() && value.isEmpty();
      default -> false;
    };
  }

  /** Whether a schema says at most that its values are strings, as zod does of names. */
  private static boolean takesAnyString(JsonNode schema) {
    return schema.isObject()
        && schema.properties().stream()
            .allMatch(
                keyword ->
                    ANNOTATIONS.contains(keyword.getKey())
                        || (keyword.getKey().equals("type")
                            && "string".equals(keyword.getValue().textValue())));
  }

  private void readType(JsonNode value) {
    keywords.types = 0;
    boolean number = false;
    boolean integer = false;
    for (JsonNode name : value.isArray() ? value : List.of(value)) {
      switch (name.isTextual() ? name.textValue() : "") {
        case "null" -> keywords.types |= ValueType.NULL;
        case "boolean" -> keywords.types |= ValueType.BOOLEAN;
        case "number" -> number = true;
        case "integer" -> integer = true;
        case "string" -> keywords.types |= ValueType.STRING;
        case "array" -> keywords.types |= ValueType.ARRAY;
        case "object" -> keywords.types |= ValueType.OBJECT;
        default ->
            throw at.error(
                "type",
                name
                    + " is no type; the types are null, boolean, integer, number, string, array and"
                    + " object");
      }
    }
    if (number || integer) {
      keywords.types |= ValueType.NUMBER;
    }
    if (integer && !number) {
      keywords.multiplesOf.add(BigDecimal.ONE);
    }
    if (keywords.types == 0) {
      throw at.error("type", "no type is named, so that no value matches");
    }
  }

  private void readEnum(JsonNode value) {
    if (!value.isArray()) {
      throw at.error("enum", "must be an array");
    }
    if (value.isEmpty()) {
      throw at.error("enum", "is empty, so that no value matches");
    }
    keywords.values.add(new ListedValues(value));
  }

  private void bound(String keyword, JsonNode value, boolean upper, boolean inclusive) {
    keywords.bounds.add(new NumberBound(number(keyword, value), upper, inclusive));
  }

  private void readMultipleOf(JsonNode value) {
    BigDecimal divisor = number("multipleOf", value);
    if (divisor.signum() <= 0) {
      throw at.error("multipleOf", "must be above 0");
    }
    keywords.multiplesOf.add(divisor);
  }

  private void readFormat(String format) {
    boolean concernsStrings = (keywords.types & ValueType.STRING) != 0;
    boolean concernsNumbers = (keywords.types & ValueType.NUMBER) != 0;
    if (concernsStrings && !concernsNumbers) {
      readFormatOfStrings(format);
      return;
    }
    switch (format) {
      // OpenAPI's registry of formats: what numbers of JSON Schema may be given.
      case "int32" -> bounds(Integer.MIN_VALUE, Integer.MAX_VALUE);
      case "int64" -> bounds(Long.MIN_VALUE, Long.MAX_VALUE);
      case "double" -> {}
      default -> {
        if (concernsStrings) {
          readFormatOfStrings(format);
        } else if (!Formats.isOfStrings(format)) {
          throw at.error("format", "'" + format + "' is not supported; leave it out");
        }
      }
    }
  }

  private void readFormatOfStrings(String format) {
    Formats.require(format, at);
    keywords.format = format;
  }

  private void bounds(long least, long greatest) {
    keywords.multiplesOf.add(BigDecimal.ONE);
    keywords.bounds.add(new NumberBound(BigDecimal.valueOf(least), false, true));
    keywords.bounds.add(new NumberBound(BigDecimal.valueOf(greatest), true, true));
  }

  private void readItems(JsonNode value) {
    if (!value.isArray()) {
      keywords.items = document.schema(at, "items", value);
    } else if (document.dialect.hasItemsArray()) {
      keywords.prefixItems = schemas("items", value);
    } else {
      throw at.error(
          "items",
          "is an array, which draft 2020-12 calls prefixItems; or name the draft in $schema");
    }
  }

  private void readPrefixItems(JsonNode value) {
    if (document.dialect.hasItemsArray()) {
      throw at.error("prefixItems", "the draft that $schema names calls it items");
    }
    keywords.prefixItems = schemas("prefixItems", value);
  }

  private void readAdditionalItems(JsonNode value) {
    if (!document.dialect.hasItemsArray()) {
      throw at.error("additionalItems", "draft 2020-12 calls it items, beside prefixItems");
    }
    // Beside anything but an array of items it has no effect.
    @Nullable JsonNode items = at.node.get("items");
    if (items != null && items.isArray()) {
      keywords.items = document.schema(at, "additionalItems", value);
    }
  }

  private void readProperties(JsonNode value) {
    if (!value.isObject()) {
      throw at.error("properties", "must be an object");
    }
    for (Map.Entry<String, JsonNode> entry : value.properties()) {
      String key = "properties/" + Location.escape(entry.getKey());
      keywords.properties.put(entry.getKey(), document.schema(at, key, entry.getValue()));
    }
  }

  private void readAdditionalProperties(JsonNode value) {
    keywords.additionalProperties = document.schema(at, "additionalProperties", value);
  }

  private void readRequired(JsonNode value) {
    if (!value.isArray()) {
      throw at.error("required", "must be an array of strings");
    }
    for (JsonNode name : value) {
      if (!name.isTextual()) {
        throw at.error("required", "must be an array of strings");
      }
      keywords.required.add(name.asText());
    }
  }

  private List<Location> schemas(String keyword, JsonNode value) {
    if (!value.isArray() || value.isEmpty()) {
      throw at.error(keyword, "must be an array of schemas, and not empty");
    }
    List<Location> schemas = new ArrayList<>(value.size());
    for (int i = 0; i < value.size(); i++) {
      schemas.add(document.schema(at, keyword + "/" + i, value.get(i)));
    }
    return schemas;
  }

  private String text(String keyword, JsonNode value) {
    if (!value.isTextual()) {
      throw at.error(keyword, "must be a string");
    }
    return value.asText();
  }

  private BigDecimal number(String keyword, JsonNode value) {
    @Nullable BigDecimal number = JsonNumbers.decimal(value);
    if (number == null) {
      throw at.error(keyword, "must be a number of at most " + JsonNumbers.MAX_DIGITS + " digits");
    }
    return number;
  }

  private int least(String keyword, JsonNode value) {
    BigDecimal count = count(keyword, value);
    if (count.compareTo(BigDecimal.valueOf(Integer.MAX_VALUE)) >= 0) {
      throw at.error(keyword, "is more than can be generated");
    }
    return count.intValueExact();
  }

  private int most(String keyword, JsonNode value) {
    BigDecimal count = count(keyword, value);
    return count.compareTo(BigDecimal.valueOf(Integer.MAX_VALUE)) >= 0
        ? Keywords.UNBOUNDED
        : count.intValueExact();
  }

  private BigDecimal count(String keyword, JsonNode value) {
    BigDecimal count = number(keyword, value);
    if (count.signum() < 0 || count.remainder(BigDecimal.ONE).signum() != 0) {
      throw at.error(keyword, "must be a whole number of at least 0");
    }
    return count;
  }

  private void refuseContradictions() {
    Keywords k = keywords;
    refuseContradiction(ValueType.STRING, "Length", k.minLength, k.maxLength);
    refuseContradiction(ValueType.ARRAY, "Items", k.minItems, k.maxItems);
    refuseContradiction(ValueType.OBJECT, "Properties", k.minProperties, k.maxProperties);
    if (k.maxProperties != Keywords.UNBOUNDED
        && k.types == ValueType.OBJECT
        && k.required.size() > k.maxProperties) {
      throw at.error("maxProperties", "is below the number of required properties");
    }
  }

  private void refuseContradiction(int type, String what, int min, int max) {
    if (keywords.types == type && max != Keywords.UNBOUNDED && min > max) {
      throw at.error("min" + what, "is above max" + what + ", so that no value matches");
    }
  }
}
