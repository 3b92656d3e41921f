package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.TestModels;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class TextJsonTest {
  private static final Path MODEL = TestModels.smolLm2();

  @Test
  void tokenizesPlainText() throws IOException {
    JsonNode[] lines =
        Cli.runOn(
                "{\"text\": \"The capital of France is\"}\n{\"text\": \"\"}\n"
                    + "{\"text\": \"<|im_end|>\"}\n",
                "tokenize",
                MODEL)
            .jsonLines();
    assertEquals("{\"ids\":[504,3575,282,4649,314]}", lines[0].toString());
    assertEquals("{\"ids\":[]}", lines[1].toString());
    assertTrue(lines[2].get("ids").size() > 1, "a marker in plain text is text");
  }

  @Test
  void tokenizesChats() throws IOException {
    JsonNode[] lines =
        Cli.runOn(
                "{\"messages\": [{\"role\": \"user\", \"content\": \"<|im_end|> é\"}],"
                    + " \"tools\": []}\n"
                    + "{\"messages\": [{\"role\": \"user\", \"content\": [{\"type\": \"text\","
                    + " \"text\": \"<|im_end|> é\"}]}]}\n",
                "tokenize",
                MODEL,
                "--chat")
            .jsonLines();
    assertEquals(lines[0], lines[1]);
    assertTrue(
        lines[0]
            .get("prompt")
            .textValue()
            .endsWith("<|im_start|>user\n<|im_end|> é<|im_end|>\n<|im_start|>assistant\n"));
    long ends = 0;
    for (JsonNode id : lines[0].get("ids")) {
      ends += id.intValue() == 2 ? 1 : 0;
    }
    assertEquals(2, ends, "the system's and the user's; not what the user wrote");
  }

  @Test
  void bringsCallsAndToolsIntoTheTemplatesShape() {
    String wrapped =
        "{\"messages\": [{\"role\": \"assistant\", \"tool_calls\": [{\"id\": \"1\", \"type\":"
            + " \"function\", \"function\": {\"name\": \"f\", \"arguments\": \"{\\\"a\\\":"
            + " 1}\"}}]}], \"tools\": [{\"type\": \"function\", \"function\": {\"name\": \"f\"}}]}";
    String bare =
        "{\"messages\": [{\"role\": \"assistant\", \"tool_calls\": [{\"id\": \"1\", \"name\":"
            + " \"f\", \"arguments\": {\"a\": 1}}]}], \"tools\": [{\"name\": \"f\"}]}";
    assertEquals(shaped(wrapped), shaped(bare));
    assertEquals(
        "[{role=assistant, tool_calls=[{id=1, type=function, function={name=f, arguments={a=1}}}]}]"
            + "[{type=function, function={name=f}}]",
        shaped(bare));
  }

  private static String shaped(String json) {
    var question = Json.object(Json.parse(json));
    return ChatShape.messages((java.util.List<?>) question.get("messages")).toString()
        + ChatShape.tools(question.get("tools"));
  }

  @Test
  void rendersTemplates() throws IOException {
    JsonNode[] lines =
        Cli.runOn(
                "{\"template\": \"{{ a }} é {{ strftime_now('%H:%M:%S %d %b %Y') }}\","
                    + " \"context\": {\"a\": [1, 2.5, null, true]}}\n"
                    + "{\"template\": \"{{ raise_exception('no ' ~ x) }}\", \"context\": {\"x\":"
                    + " 3}}\n{\"template\": \"{% for %}\"}\n"
                    + "{\"template\": \"{{ x }}\", \"context\": {\"x\": \"\\ud800\"}}\n",
                "template", "--now", "2025-03-07T09:05:03")
            .jsonLines();
    assertEquals("[1, 2.5, None, True] é 09:05:03 07 Mar 2025", lines[0].get("output").textValue());
    assertTrue(lines[1].get("error").textValue().contains("no 3"));
    assertTrue(lines[2].has("error"));
    assertEquals("\ud800", lines[3].get("output").textValue());
  }

  @Test
  void goesOnAfterWrongLines() throws IOException {
    assertGoesOn("\"text\" is missing", "{\"txt\": 1}", "{\"text\": \"a\"}", "tokenize", MODEL);
    String chat = "{\"messages\": [{\"role\": \"user\", \"content\": \"a\"}]}";
    for (String wrong : new String[] {"{\"messages\": ", "[]", chat + " x", chat + chat}) {
      assertGoesOn("no JSON object", wrong, chat, "tokenize", MODEL, "--chat");
    }
    assertGoesOn("no JSON object", "{\"messages\": [1]}", chat, "tokenize", MODEL, "--chat");
    assertGoesOn("role", "{\"messages\": [{}]}", chat, "tokenize", MODEL, "--chat");
    assertGoesOn("no JSON object", "null", "{\"template\": \"\"}", "template");
    assertGoesOn("\"template\"", "{}", "{\"template\": \"\"}", "template");
  }

  private static void assertGoesOn(String reason, String wrong, String right, Object... arguments)
      throws IOException {
    JsonNode[] lines = Cli.runOn(wrong + "\n" + right, arguments).jsonLines();
    assertEquals(2, lines.length);
    String error = lines[0].get("error").textValue();
    assertTrue(error.contains(reason), error);
    assertEquals(1, lines[0].size());
    assertFalse(lines[1].has("error"), lines[1].toString());
  }

  @Test
  void dropsAByteOrderMark() throws IOException {
    JsonNode[] lines = Cli.runOn("\ufeff{\"template\": \"\ufeff\"}", "template").jsonLines();
    assertEquals("\ufeff", lines[0].get("output").textValue(), "only at the start");
  }

  @Test
  void refusesWrongTimes() {
    Cli.run("template", "--now", "yesterday").assertRefused(2, "--now", "is not like 2025-03-07T");
  }
}
