package dev.nautil.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;

/** Renders what jinja2 rendered: our own cases, and the conformance cases where they are. */
class TemplateCasesTest {
  private static final ObjectMapper JSON = new ObjectMapper();

  @TestFactory
  Stream<DynamicTest> ownCases() throws IOException {
    try (InputStream in = TemplateCasesTest.class.getResourceAsStream("cases.jsonl")) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      List<DynamicTest> tests = new ArrayList<>();
      for (String line : text.split("\n")) {
        JsonNode test = JSON.readTree(line);
        String source = test.get("template").textValue();
        tests.add(DynamicTest.dynamicTest(source, () -> check(source, test)));
      }
      assertTrue(tests.size() > 400, "cases.jsonl is cut short");
      return tests.stream();
    }
  }

  @Test
  void conformanceCases() throws IOException {
    Path folder = Conformance.jinja();
    int cases = 0;
    for (String line : Files.readAllLines(folder.resolve("cases.jsonl"))) {
      JsonNode test = JSON.readTree(line);
      String name = test.get("template").textValue();
      String source = Files.readString(folder.resolve("templates").resolve(name + ".jinja"));
      check(source, test);
      cases++;
    }
    assertTrue(cases >= 245, "only " + cases + " cases");
  }

  private static void check(String source, JsonNode test) {
    Map<String, Object> context = Conformance.context(test.get("context"));
    if (test.has("raises")) {
      assertThrows(TemplateException.class, () -> render(source, context), source);
    } else {
      assertEquals(test.get("output").textValue(), render(source, context), source);
    }
  }

  private static String render(String source, Map<String, Object> context) {
    return ChatTemplate.compile(source).render(context, Conformance.OPTIONS).text();
  }
}
