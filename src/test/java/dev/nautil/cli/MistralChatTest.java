package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.nautil.TestModels;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Mistral's chat format against mistral-common: see scripts/fixtures/chat_cases.py. */
class MistralChatTest {
  private static final Path MODEL = TestModels.path("tekken-tiny.gguf");
  private static final ObjectMapper JSON = new ObjectMapper();

  @Test
  void encodesAsTheOracleDoes() throws IOException {
    try (InputStream cases = MistralChatTest.class.getResourceAsStream("mistral_chats.jsonl")) {
      check(new String(cases.readAllBytes(), StandardCharsets.UTF_8).lines().toList());
    }
  }

  @Test
  void encodesTheConformanceCases() throws IOException {
    String folder = System.getenv("NAUTIL_CONFORMANCE");
    assumeTrue(folder != null, "NAUTIL_CONFORMANCE is not set");
    check(Files.readAllLines(Path.of(folder, "tekken", "chats.jsonl")));
  }

  private static void check(List<String> cases) throws IOException {
    JsonNode[] answers =
        Cli.runOn(String.join("\n", cases), "tokenize", MODEL, "--chat").jsonLines();
    assertEquals(cases.size(), answers.length);
    int refused = 0;
    for (int i = 0; i < answers.length; i++) {
      JsonNode expected = JSON.readTree(cases.get(i));
      if (expected.has("raises")) {
        refused++;
        assertTrue(answers[i].has("error"), answers[i] + " for " + cases.get(i));
      } else {
        assertEquals(expected.get("prompt"), answers[i].get("prompt"), cases.get(i));
        assertEquals(expected.get("ids"), answers[i].get("ids"), cases.get(i));
      }
    }
    assertTrue(refused < answers.length / 2);
  }

  @Test
  void namesTheWrongMessage() throws IOException {
    assertEquals(
        "message 2 (assistant): text beside tool calls, which the model's format cannot hold",
        error(
            "{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"content\":"
                + " \"b\", \"tool_calls\": [{\"id\": \"abcdefghi\", \"name\": \"f\","
                + " \"arguments\": {}}]}"));
    assertEquals(
        "message 1 (robot): the model knows the roles system, user, assistant and tool only",
        error("{\"role\": \"robot\", \"content\": \"a\"}"));
    String called =
        "{\"role\": \"user\", \"content\": \"a\"}, {\"role\": \"assistant\", \"tool_calls\":"
            + " [{\"id\": \"abcdefghi\", \"name\": \"f\", \"arguments\": {}}]}";
    assertTrue(error(called).contains("nothing to reply to"));
    assertEquals(
        "message 3 (user): calls have no result: abcdefghi",
        error(called + ", {\"role\": \"user\", \"content\": \"b\"}"));
  }

  private static String error(String messages) throws IOException {
    return answer(messages).get("error").textValue();
  }

  private static JsonNode answer(String messages) throws IOException {
    return Cli.runOn("{\"messages\": [" + messages + "]}", "tokenize", MODEL, "--chat").json();
  }

  /** OpenAI's ids are longer than the format's nine characters. */
  @Test
  void mapsForeignIds() throws IOException {
    String first = prompt("call_abc123");
    assertEquals(first, prompt("call_abc123"));
    assertNotEquals(first, prompt("call_abc124"));
    String id = first.replaceAll(".*\"id\": \"(\\w{9})\"}].*", "$1");
    assertTrue(first.contains("\"call_id\": \"" + id + "\"}"), first);
  }

  private static String prompt(String id) throws IOException {
    return answer(
            ("{'role': 'user', 'content': 'a'}, {'role': 'assistant', 'tool_calls': [{'id': '%1$s',"
                    + " 'name': 'f', 'arguments': '{}'}]}, {'role': 'tool', 'content': '1',"
                    + " 'tool_call_id': '%1$s'}")
                .formatted(id)
                .replace('\'', '"'))
        .get("prompt")
        .textValue();
  }
}
