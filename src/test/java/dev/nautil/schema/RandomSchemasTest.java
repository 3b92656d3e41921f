package dev.nautil.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.nautil.grammar.CompiledGrammar;
import dev.nautil.grammar.Grammar;
import dev.nautil.grammar.RandomWalk;
import dev.nautil.grammar.Recognizer;
import dev.nautil.grammar.TokenWalk;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** Soundness and completeness over random schemas, with networknt's validator as the judge. */
class RandomSchemasTest {
  private static final int SCHEMAS = 500;
  private static final int LEAST_SCHEMAS_OF_A_KEYWORD = 30;
  private static final int VALUES = 20;
  private static final int HOT_TEXTS = 4;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private static final List<String> KEYWORDS =
      List.of(
          "type",
          "enum",
          "const",
          "properties",
          "required",
          "additionalProperties",
          "minProperties",
          "maxProperties",
          "items",
          "prefixItems",
          "minItems",
          "maxItems",
          "minimum",
          "maximum",
          "exclusiveMinimum",
          "exclusiveMaximum",
          "multipleOf",
          "minLength",
          "maxLength",
          "pattern",
          "format",
          "anyOf",
          "oneOf",
          "allOf",
          "$ref",
          "$defs",
          "$anchor",
          "$id",
          "$schema",
          "title",
          "description",
          "default",
          "examples",
          "deprecated",
          "readOnly",
          "writeOnly",
          "$comment");

  static Stream<ObjectNode> schemas() {
    return IntStream.range(0, SCHEMAS).mapToObj(i -> new RandomSchemas(i).next());
  }

  @Test
  void eachKeywordIsInManySchemas() {
    Map<String, Integer> counts = new TreeMap<>();
    schemas().forEach(s -> keywords(s).forEach(k -> counts.merge(k, 1, Integer::sum)));
    KEYWORDS.forEach(
        k -> {
          int count = counts.getOrDefault(k, 0);
          assertTrue(count >= LEAST_SCHEMAS_OF_A_KEYWORD, k + " in " + count + " schemas");
        });
  }

  private static Set<String> keywords(JsonNode node) {
    Set<String> keywords = new HashSet<>();
    node.properties().forEach(p -> keywords.add(p.getKey()));
    node.forEach(child -> keywords.addAll(keywords(child)));
    return keywords;
  }

  @Test
  void whatRandomWalksWriteIsValid() {
    Random random = new Random(1);
    schemas()
        .forEach(
            schema -> {
              Oracle oracle = new Oracle(schema.toString());
              Grammar grammar = JsonSchemaGrammar.compile(schema);
              RandomWalk walk = new RandomWalk(grammar, hints(schema), random.nextLong());
              for (int i = 0; i < VALUES; i++) {
                String text = walk.next(random.nextInt(150));
                assertEquals(
                    List.of(),
                    oracle.errors(text),
                    () -> schema + "\n" + text.replaceAll("[\n\r\t ]+", " "));
              }
            });
  }

  /** What is finished as it is, what is cut off once it is closed. */
  @Test
  void whatHotModelsWriteIsValid() {
    Random random = new Random(3);
    TokenWalk walk = new TokenWalk(4);
    int[] finished = new int[1];
    schemas()
        .forEach(
            schema -> {
              Oracle oracle = new Oracle(schema.toString());
              Grammar grammar = JsonSchemaGrammar.compile(schema);
              CompiledGrammar compiled = walk.compile(grammar);
              RandomWalk closing = new RandomWalk(grammar, hints(schema), random.nextLong());
              for (int i = 0; i < HOT_TEXTS; i++) {
                TokenWalk.Text text = walk.next(compiled, 1 + random.nextInt(40));
                finished[0] += text.isFinished() ? 1 : 0;
                String whole =
                    text.isFinished()
                        ? new String(text.bytes(), StandardCharsets.UTF_8)
                        : closing.close(text.bytes());
                assertEquals(
                    List.of(),
                    oracle.errors(whole),
                    () -> schema + "\n" + whole.replaceAll("[\n\r\t ]+", " "));
              }
            });
    int texts = SCHEMAS * HOT_TEXTS;
    assertTrue(
        finished[0] > texts / 10 && finished[0] < texts * 9 / 10, finished[0] + " are finished");
  }

  /** Names of properties, with colons, and ends of strings: what schemas require in texts. */
  private static Set<String> hints(JsonNode schema) {
    Set<String> names = new TreeSet<>(List.of("foo\"", "ä\"", ".com\""));
    addNames(schema, names);
    return names;
  }

  private static void addNames(JsonNode schema, Set<String> names) {
    schema
        .path("properties")
        .fieldNames()
        .forEachRemaining(name -> names.add(MAPPER.valueToTree(name) + ":"));
    schema.forEach(part -> addNames(part, names));
  }

  @Test
  void validValuesAreAcceptedHoweverTheyAreWritten() {
    Random random = new Random(2);
    int[] invalid = new int[1];
    schemas()
        .forEach(
            schema -> {
              Oracle oracle = new Oracle(schema.toString());
              Grammar grammar = JsonSchemaGrammar.compile(schema);
              Recognizer recognizer = Recognizer.of(grammar).orElseThrow();
              RandomValues values = new RandomValues(schema, random);
              VariedJson writer = new VariedJson(random);
              int valid = 0;
              for (int i = 0; valid < VALUES && i < 100 * VALUES; i++) {
                JsonNode value = values.next();
                String text = writer.write(value);
                if (oracle.errors(text).isEmpty()) {
                  valid++;
                  assertTrue(
                      recognizer.matches(text),
                      () -> schema + "\n" + text.replaceAll("[\n\r\t ]+", " "));
                }
                String mutated = writer.write(mutate(value, random));
                if (oracle.isInvalid(mutated)) {
                  invalid[0]++;
                  assertTrue(
                      !recognizer.matches(mutated),
                      () -> schema + "\naccepted: " + mutated.replaceAll("[\n\r\t ]+", " "));
                }
              }
              assertEquals(VALUES, valid, schema::toString);
            });
    assertTrue(invalid[0] > SCHEMAS * VALUES / 4, "only " + invalid[0] + " invalid values");
  }

  /** A value with one of its parts changed. */
  private static JsonNode mutate(JsonNode value, Random random) {
    if (value instanceof ObjectNode object && !object.isEmpty() && random.nextInt(3) > 0) {
      ObjectNode copy = object.deepCopy();
      List<String> names = new ArrayList<>();
      copy.fieldNames().forEachRemaining(names::add);
      String name = names.get(random.nextInt(names.size()));
      switch (random.nextInt(4)) {
        case 0 -> copy.remove(name);
        case 1 -> copy.set(name + "x", copy.get(name));
        default -> copy.set(name, mutate(copy.get(name), random));
      }
      return copy;
    }
    if (value instanceof ArrayNode array && !array.isEmpty() && random.nextInt(3) > 0) {
      ArrayNode copy = array.deepCopy();
      int index = random.nextInt(copy.size());
      switch (random.nextInt(4)) {
        case 0 -> copy.remove(index);
        case 1 -> copy.add(copy.get(index));
        default -> copy.set(index, mutate(copy.get(index), random));
      }
      return copy;
    }
    return switch (random.nextInt(6)) {
      case 0 -> MAPPER.nullNode();
      case 1 ->
          value.isTextual() ? MAPPER.valueToTree(value.asText() + "!") : MAPPER.valueToTree("");
      case 2 ->
          value.isNumber()
              ? MAPPER.valueToTree(value.decimalValue().add(new BigDecimal("0.5")))
              : MAPPER.valueToTree(17);
      case 3 ->
          value.isNumber()
              ? MAPPER.valueToTree(value.decimalValue().multiply(new BigDecimal(100)))
              : MAPPER.valueToTree(true);
      case 4 -> MAPPER.createArrayNode().add(value);
      default -> MAPPER.createObjectNode().set("a", value);
    };
  }
}
