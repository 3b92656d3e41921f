package dev.nautil.schema;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BigIntegerNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.SpecificationVersion;
import java.util.ArrayList;
import java.util.List;

/** What networknt's validator says of texts: once read with doubles, once with exact decimals. */
final class Oracle {
  private static final ObjectMapper DOUBLES =
      new ObjectMapper().enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS);
  private static final ObjectMapper DECIMALS =
      new ObjectMapper()
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS);
  private static final SchemaRegistry REGISTRY =
      SchemaRegistry.withDefaultDialect(SpecificationVersion.DRAFT_2020_12);

  private final Schema schema;

  Oracle(String schema) {
    this.schema = REGISTRY.getSchema(schema);
  }

  /** What is wrong with a text; empty if it is valid either way. */
  List<String> errors(String text) {
    List<String> errors = new ArrayList<>();
    for (ObjectMapper mapper : List.of(DOUBLES, DECIMALS)) {
      try {
        validate(read(mapper, text)).forEach(e -> errors.add(e.toString()));
      } catch (JsonProcessingException e) {
        errors.add(e.getOriginalMessage());
      }
    }
    return errors;
  }

  /** Whether a text is JSON that is invalid however it is read. */
  boolean isInvalid(String text) {
    try {
      return !validate(read(DOUBLES, text)).isEmpty() && !validate(read(DECIMALS, text)).isEmpty();
    } catch (JsonProcessingException e) {
      throw new IllegalStateException(text, e);
    }
  }

  private static JsonNode read(ObjectMapper mapper, String text) throws JsonProcessingException {
    return wholeDecimalsAsIntegers(mapper.readTree(text));
  }

  /** The validator takes the last 64 bits of a decimal that is whole. */
  private static JsonNode wholeDecimalsAsIntegers(JsonNode node) {
    if (node.isBigDecimal() && node.canConvertToExactIntegral()) {
      return BigIntegerNode.valueOf(node.bigIntegerValue());
    }
    if (node instanceof ObjectNode object) {
      object.properties().forEach(p -> p.setValue(wholeDecimalsAsIntegers(p.getValue())));
    } else if (node instanceof ArrayNode array) {
      for (int i = 0; i < array.size(); i++) {
        array.set(i, wholeDecimalsAsIntegers(array.get(i)));
      }
    }
    return node;
  }

  private List<Error> validate(JsonNode node) {
    return schema.validate(
        node, c -> c.executionConfig(config -> config.formatAssertionsEnabled(true)));
  }
}
