package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.SchemaException;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
      if (!readApplicator(entry.getKey(), entry.getValue())
          && !ANNOTATIONS.contains(entry.getKey())
          && !entry.getKey().startsWith("x-")) {
        readAssertion(entry.getKey(), entry.getValue());
      }
    }
    refuseContradictions();
    return keywords;
  }

  private boolean readApplicator(String keyword, JsonNode value) {
    switch (keyword) {
      case "$ref" -> readReference(value);
      case "allOf" -> keywords.all.addAll(schemas(keyword, value));
      case "anyOf", "oneOf" -> keywords.any.add(schemas(keyword, value));
      default -> {
        return false;
      }
    }
    return true;
  }

  private void readReference(JsonNode value) {
    if (!value.isTextual()) {
      throw at.error("$ref", "must be a string");
    }
    keywords.all.add(document.target(at, "$ref", value.asText()));
  }

  private void readAssertion(String keyword, JsonNode value) {
    keywords.hasAssertions = true;
    switch (keyword) {
      case "type" -> {}
      case "enum" -> readEnum(value);
      case "const" -> keywords.values.add(new ListedValues(List.of(value)));
      case "minimum" -> bound(keyword, value, false, true);
      case "maximum" -> bound(keyword, value, true, true);
      case "exclusiveMinimum" -> bound(keyword, value, false, false);
      case "exclusiveMaximum" -> bound(keyword, value, true, false);
      case "multipleOf" -> readMultipleOf(value);
      case "minLength" -> keywords.minLength = least(keyword, value);
      case "maxLength" -> keywords.maxLength = most(keyword, value);
      case "pattern" -> keywords.pattern = text(keyword, value);
      case "format" -> readFormat(text(keyword, value));
      case "minItems" -> keywords.minItems = least(keyword, value);
      case "maxItems" -> keywords.maxItems = most(keyword, value);
      case "items" -> readItems(value);
      case "prefixItems" -> readPrefixItems(value);
      case "additionalItems" -> readAdditionalItems(value);
      case "properties" -> readProperties(value);
      case "additionalProperties" ->
          keywords.additionalProperties = document.schema(at, keyword, value);
      case "required" -> readRequired(value);
      case "minProperties" -> keywords.minProperties = least(keyword, value);
      case "maxProperties" -> keywords.maxProperties = most(keyword, value);
      default -> refuse(keyword, value);
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
      case "propertyNames", "unevaluatedProperties", "unevaluatedItems" ->
          value.isBoolean() ? value.asBoolean() : value.isObject() && value.isEmpty();
      default -> false;
    };
  }

  private void readType(JsonNode value) {
    keywords.types = 0;
    boolean number = false;
    boolean integer = false;
    for (JsonNode name : value.isArray() ? value : List.of(value)) {
      switch (name.asText()) {
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
