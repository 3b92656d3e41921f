package dev.nautil.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.nautil.SchemaException;
import dev.nautil.engine.HotModel;
import dev.nautil.grammar.CompiledGrammar;
import dev.nautil.grammar.Grammar;
import dev.nautil.grammar.RandomWalk;
import dev.nautil.grammar.Recognizer;
import dev.nautil.grammar.TokenWalk;
import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.Test;

/** Soundness and completeness over random schemas, with networknt's validator as the judge. */
class RandomSchemasTest {
  private static final int SCHEMAS = 500;
  private static final int LEAST_SCHEMAS_OF_A_KEYWORD = 30;
  private static final int LEAST_SCHEMAS_OF_A_FORMAT = 10;
  private static final int VALUES = 20;
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Forms of keywords, and keywords beside each other, that are as likely to fail as any. */
  private static final List<String> FORMS =
      List.of(
          "additionalProperties: true",
          "additionalProperties: false",
          "additionalProperties: schema",
          "additionalItems: false",
          "additionalItems: schema",
          "format, minLength",
          "format, maxLength",
          "format, pattern",
          "pattern, minLength",
          "pattern, maxLength");

  static Stream<ObjectNode> schemas() {
    return IntStream.range(0, SCHEMAS).mapToObj(i -> new RandomSchemas(i).next());
  }

  @Test
  void eachKeywordIsInManySchemas() {
    Map<String, Integer> counts = new TreeMap<>();
    schemas()
        .forEach(
            schema ->
                subschemas(schema)
                    .flatMap(RandomSchemasTest::traits)
                    .distinct()
                    .forEach(trait -> counts.merge(trait, 1, Integer::sum)));
    Stream.of(KeywordReader.ENFORCED.keySet(), KeywordReader.ANNOTATIONS, FORMS)
        .flatMap(Collection::stream)
        .forEach(trait -> requireMany(counts, trait, LEAST_SCHEMAS_OF_A_KEYWORD));
    formats().forEach(f -> requireMany(counts, "format: " + f, LEAST_SCHEMAS_OF_A_FORMAT));
  }

  private static void requireMany(Map<String, Integer> counts, String trait, int least) {
    int count = counts.getOrDefault(trait, 0);
    assertTrue(count >= least, trait + " in " + count + " schemas");
  }

  /** As the refusal of another one names them, and those of numbers. */
  private static Stream<String> formats() {
    String schema = "{\"format\":\"another\"}";
    String refusal =
        assertThrows(SchemaException.class, () -> JsonSchemaGrammar.compile(schema)).getMessage();
    String ofStrings = refusal.substring(refusal.indexOf("take one of ") + "take one of ".length());
    return Stream.concat(Stream.of(ofStrings.split(", ")), Stream.of("int32", "int64", "double"));
  }

  /** A schema and those within it; what it lists as values is none. */
  private static Stream<JsonNode> subschemas(JsonNode schema) {
    Stream<JsonNode> within =
        schema.properties().stream()
            .flatMap(
                keyword ->
                    switch (keyword.getKey()) {
                      case "enum", "const", "default", "examples", "$vocabulary" -> Stream.of();
                      case "discriminator", "example", "externalDocs", "xml" -> Stream.of();
                      case "properties", "$defs", "definitions" ->
                          keyword.getValue().properties().stream().map(Map.Entry::getValue);
                      default ->
                          keyword.getValue().isArray()
                              ? StreamSupport.stream(keyword.getValue().spliterator(), false)
                              : Stream.of(keyword.getValue());
                    })
            .flatMap(RandomSchemasTest::subschemas);
    return Stream.concat(Stream.of(schema), within);
  }

  /** Its keywords, which form each has, and which others it is beside. */
  private static Stream<String> traits(JsonNode schema) {
    List<String> traits = new ArrayList<>();
    for (Map.Entry<String, JsonNode> keyword : schema.properties()) {
      JsonNode value = keyword.getValue();
      traits.add(keyword.getKey());
      traits.add(keyword.getKey() + ": " + (value.isObject() ? "schema" : value.asText()));
      schema.fieldNames().forEachRemaining(other -> traits.add(keyword.getKey() + ", " + other));
    }
    return traits.stream();
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
                assertEquals(List.of(), oracle.errors(text), () -> schema + "\n" + brief(text));
              }
            });
  }

  @Test
  void whatIsChosenFromAllTokensIsValid() {
    Random random = new Random(3);
    TokenWalk walk = new TokenWalk(4);
    requireValid(
        1,
        grammars -> {
          CompiledGrammar grammar = walk.compile(grammars.get(0));
          return List.of(
              Stream.generate(() -> walk.next(grammar, 1 + random.nextInt(40))).limit(4).toList());
        });
  }

  @Test
  void whatAHotModelWritesIsValid() {
    try (HotModel model = new HotModel(7)) {
      requireValid(5, grammars -> model.write(grammars, 3, 24));
    }
  }

  /**
   * What is finished as it is, what is cut off once it is closed; there is enough of both.
   *
   * @param schemasAtOnce a divisor of their number
   * @param writer gives some texts of each of these grammars
   */
  private static void requireValid(
      int schemasAtOnce, Function<List<Grammar>, List<List<TokenWalk.Text>>> writer) {
    List<ObjectNode> schemas = schemas().toList();
    Random random = new Random(6);
    List<Boolean> finished = new ArrayList<>();
    for (int i = 0; i < SCHEMAS; i += schemasAtOnce) {
      List<ObjectNode> some = schemas.subList(i, i + schemasAtOnce);
      List<Grammar> grammars = some.stream().map(JsonSchemaGrammar::compile).toList();
      List<List<TokenWalk.Text>> texts = writer.apply(grammars);
      for (int k = 0; k < schemasAtOnce; k++) {
        RandomWalk closing = new RandomWalk(grammars.get(k), hints(some.get(k)), random.nextLong());
        requireValid(some.get(k), texts.get(k), closing);
        texts.get(k).forEach(text -> finished.add(text.isFinished()));
      }
    }
    int count = Collections.frequency(finished, true);
    assertTrue(
        count > finished.size() / 10 && count < finished.size() * 9 / 10,
        count + " of " + finished.size() + " are finished");
  }

  private static void requireValid(
      ObjectNode schema, List<TokenWalk.Text> texts, RandomWalk closing) {
    Oracle oracle = new Oracle(schema.toString());
    for (TokenWalk.Text text : texts) {
      String whole =
          text.isFinished()
              ? new String(text.bytes(), StandardCharsets.UTF_8)
              : closing.close(text.bytes());
      assertEquals(List.of(), oracle.errors(whole), () -> schema + "\n" + brief(whole));
    }
  }

  private static String brief(String text) {
    return text.replaceAll("[\n\r\t ]+", " ");
  }

  /** Names of properties, with colons, parts and ends of strings: what schemas require in texts. */
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
    schema.path("required").forEach(name -> names.add(name + ":"));
    if (schema.has("format") && schema.has("pattern")) {
      String part = schema.get("pattern").asText().replaceAll("[\\\\^$]", "");
      names.addAll(List.of(part, part + "\""));
    }
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
                  assertTrue(recognizer.matches(text), () -> schema + "\n" + brief(text));
                }
                String mutated = writer.write(mutate(value, random));
                if (oracle.isInvalid(mutated)) {
                  invalid[0]++;
                  assertTrue(
                      !recognizer.matches(mutated),
                      () ->
                          schema + "\naccepted: " + brief(mutated) + "\n" + oracle.errors(mutated));
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
