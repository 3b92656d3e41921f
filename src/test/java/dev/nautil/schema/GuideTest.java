package dev.nautil.schema;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.nautil.SchemaException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The guide's tables of keywords, against the code and the draft's own vocabularies. */
class GuideTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** What places and names schemas and says nothing of values by itself. */
  private static final Set<String> STRUCTURE =
      Set.of("$schema", "$id", "$anchor", "$defs", "definitions");

  private static Stream<String[]> rows() throws IOException {
    return Files.readAllLines(Path.of("src/guide/structured-output.md")).stream()
        .filter(line -> line.startsWith("| "))
        .map(line -> line.substring(2).split(" *\\| *", -1));
  }

  private static Set<String> keywords(String cell) {
    return Pattern.compile("`([^`]+)`")
        .matcher(cell)
        .results()
        .map(r -> r.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> enforced() throws IOException {
    return rows()
        .filter(row -> row[0].startsWith("`"))
        .flatMap(row -> keywords(row[0]).stream())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> row(String name) throws IOException {
    return keywords(rows().filter(row -> row[0].equals(name)).findFirst().orElseThrow()[1]);
  }

  @Test
  void everyKeywordOfTheDraftIsInOneTable() throws IOException {
    Set<String> known = new TreeSet<>();
    for (String part :
        List.of(
            "core",
            "applicator",
            "unevaluated",
            "validation",
            "meta-data",
            "format-annotation",
            "content")) {
      try (InputStream in = GuideTest.class.getResourceAsStream("/draft/2020-12/meta/" + part)) {
        MAPPER.readTree(in).get("properties").fieldNames().forEachRemaining(known::add);
      }
    }
    assertTrue(known.size() > 50, known.toString());
    Set<String> listed = new TreeSet<>(enforced());
    int count = listed.size() + row("no effect").size() + row("refused").size();
    listed.addAll(row("no effect"));
    listed.addAll(row("refused"));
    assertEquals(count, listed.size());
    known.removeAll(listed);
    assertEquals(Set.of(), known);
  }

  /** The validator agrees with what {@link JsonSchemaGrammarTest} says of each. */
  @Test
  void eachEnforcedKeywordIsTested() throws IOException {
    Set<String> tested = new HashSet<>();
    for (JsonNode schema :
        JsonSchemaGrammarTest.keywords().map(a -> read((String) a.get()[0])).toList()) {
      addKeys(schema, tested);
    }
    Set<String> untested = new TreeSet<>(enforced());
    untested.removeAll(tested);
    assertEquals(Set.of(), untested);
  }

  private static JsonNode read(String schema) {
    try {
      return MAPPER.readTree(schema);
    } catch (IOException e) {
      throw new IllegalArgumentException(schema, e);
    }
  }

  private static void addKeys(JsonNode node, Set<String> keys) {
    node.fieldNames().forEachRemaining(keys::add);
    node.forEach(part -> addKeys(part, keys));
  }

  @Test
  void theOthersAreThoseOfTheReader() throws IOException {
    assertEquals(new TreeSet<>(KeywordReader.UNSUPPORTED.keySet()), row("refused"));
    Set<String> annotations = new TreeSet<>(KeywordReader.ANNOTATIONS);
    assertTrue(annotations.removeAll(STRUCTURE));
    assertEquals(annotations, row("no effect"));
  }

  @Test
  void formatsAreThoseOfTheError() throws IOException {
    SchemaException e =
        assertThrows(
            SchemaException.class, () -> JsonSchemaGrammar.compile("{\"format\":\"regex\"}"));
    MatchResult list =
        Pattern.compile("one of (.*)").matcher(e.getMessage()).results().findFirst().orElseThrow();
    String cell = rows().filter(row -> row[0].equals("`format`")).findFirst().orElseThrow()[1];
    assertEquals(
        new TreeSet<>(List.of(list.group(1).split(", "))),
        new TreeSet<>(List.of(cell.split(";")[0].split(", "))));
  }
}
