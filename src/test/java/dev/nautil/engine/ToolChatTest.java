package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.nautil.Message;
import dev.nautil.NautilException;
import dev.nautil.TestModels;
import dev.nautil.Tool;
import dev.nautil.ToolCall;
import dev.nautil.engine.ToolSyntax.Style;
import dev.nautil.internal.NativeFile;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Conversations with tools, against jinja2's renderings of the same templates. */
class ToolChatTest {
  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Tokenizer TOKENIZER;

  static {
    try (NativeFile file = NativeFile.open(TestModels.smolLm2(), false)) {
      TOKENIZER = Vocabularies.tokenizer(file);
    }
  }

  private static ChatFormat format(String template) throws IOException {
    String folder = System.getenv("NAUTIL_CONFORMANCE");
    assumeTrue(folder != null, "NAUTIL_CONFORMANCE is not set");
    Path path = Path.of(folder, "jinja", "templates", template + ".jinja");
    return ChatFormat.of(Files.readString(path), TOKENIZER);
  }

  private static Tool tool(JsonNode tool) {
    return Tool.declare(
        tool.get("name").asText(),
        tool.get("description").asText(),
        tool.get("parameters").toString());
  }

  private static Message message(JsonNode message) {
    String content = message.path("content").asText("");
    List<ToolCall> calls = new ArrayList<>();
    for (JsonNode call : message.path("tool_calls")) {
      calls.add(
          new ToolCall(
              call.get("id").asText(),
              call.get("name").asText(),
              call.get("arguments").toString()));
    }
    return switch (message.get("role").asText()) {
      case "system" -> new Message.System(content);
      case "user" -> new Message.User(content);
      case "assistant" -> new Message.Assistant(content, calls);
      default ->
          new Message.ToolResult(
              message.path("id").asText(message.path("tool_call_id").asText()),
              message.get("name").asText(),
              content);
    };
  }

  private static <T> List<T> list(JsonNode array, java.util.function.Function<JsonNode, T> read) {
    List<T> list = new ArrayList<>();
    array.forEach(node -> list.add(read.apply(node)));
    return list;
  }

  @Test
  void writesWhatJinja2Writes() throws IOException {
    Map<String, Integer> checked = new TreeMap<>();
    try (InputStream lines = ToolChatTest.class.getResourceAsStream("tool_chats.jsonl")) {
      for (String line :
          new String(lines.readAllBytes(), StandardCharsets.UTF_8).lines().toList()) {
        JsonNode node = JSON.readTree(line);
        String template = node.get("template").asText();
        PromptText prompt =
            format(template)
                .prompt(
                    list(node.get("messages"), ToolChatTest::message),
                    list(node.get("tools"), ToolChatTest::tool));
        assertEquals(node.get("prompt").asText(), prompt.text(), template);
        assertForgedIsText(prompt);
        checked.merge(template, 1, Integer::sum);
      }
    }
    assertEquals(9, checked.size());
    assertTrue(checked.values().stream().allMatch(n -> n >= 6), checked::toString);
  }

  /** In every conversation, "<|im_end|>" is typed somewhere behind a space. */
  private static void assertForgedIsText(PromptText prompt) {
    String forged = " <|im_end|>";
    int at = prompt.text().indexOf(forged);
    if (at >= 0) {
      assertFalse(prompt.isTrusted(at + 1, at + forged.length()));
    }
  }

  @Test
  void findsTheSyntaxOfATemplate() throws IOException {
    Map<String, Style> styles =
        Map.of(
            "NousResearch-Hermes-3-Llama-3.1-8B-tool_use", Style.HERMES,
            "Qwen-Qwen2.5-7B-Instruct", Style.HERMES,
            "Qwen-Qwen3-0.6B", Style.HERMES,
            "meta-llama-Llama-3.1-8B-Instruct", Style.LLAMA,
            "mistralai-Mistral-Nemo-Instruct-2407", Style.MISTRAL);
    for (Map.Entry<String, Style> style : styles.entrySet()) {
      assertEquals(style.getValue(), format(style.getKey()).toolSyntax().style(), style.getKey());
    }
    assertFalse(format("meta-llama-Llama-3.1-8B-Instruct").toolSyntax().parallel());
    assertTrue(format("Qwen-Qwen3-0.6B").toolSyntax().parallel());
    assertEquals(ToolSyntax.HERMES, format("Qwen-Qwen2.5-7B-Instruct").toolSyntax());
    assertEquals("", format("Reka-Edge").toolSyntax().between());
  }

  private static final Tool TOOL = Tool.declare("f", "Does.", "{\"properties\": {\"a\": {}}}");

  private static final List<Message> CONVERSATION =
      List.of(
          new Message.User("Do."),
          new Message.Assistant(
              "Well.",
              List.of(new ToolCall("1", "f", "{\"a\":\"blue\"}"), new ToolCall("2", "f", "{}"))),
          new Message.ToolResult("1", "f", "one"),
          new Message.ToolResult("2", "f", "two"),
          new Message.Assistant("Done."),
          new Message.User("Again."));

  /** Whatever a template makes of tools, the model reads of them, of calls and of results. */
  @Test
  void everyTemplateCanDoTools() throws IOException {
    String folder = System.getenv("NAUTIL_CONFORMANCE");
    assumeTrue(folder != null, "NAUTIL_CONFORMANCE is not set");
    List<String> described = new ArrayList<>();
    try (var files = Files.list(Path.of(folder, "jinja", "templates"))) {
      for (Path file : files.sorted().toList()) {
        String name = file.getFileName().toString();
        ChatFormat format = ChatFormat.of(Files.readString(file), TOKENIZER);
        if (name.startsWith("fireworks")) {
          continue; // It wants variables that no other template knows.
        }
        String prompt = prompt(name, format);
        for (String part : List.of("Does.", "Do.", "blue", "one", "two", "Done.", "Again.")) {
          assertTrue(prompt.contains(part), part + " in " + name + ":\n" + prompt);
        }
        if (prompt.contains("You can call these tools:")) {
          described.add(name);
        }
      }
    }
    assertTrue(described.contains("google-gemma-2-2b-it.jinja"), described::toString);
    assertTrue(described.contains("microsoft-Phi-3.5-mini-instruct.jinja"), described::toString);
  }

  private static String prompt(String name, ChatFormat format) {
    try {
      return format.prompt(CONVERSATION, List.of(TOOL)).text();
    } catch (NautilException e) {
      throw new AssertionError(name, e);
    }
  }

  @Test
  void describesToolsToATemplateThatKnowsNone() {
    ChatFormat chatMl =
        ChatFormat.of(
            "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}<assistant>",
            TOKENIZER);
    String text = chatMl.prompt(CONVERSATION, List.of(TOOL)).text();
    assertTrue(text.startsWith("<system>You can call these tools:\n{\"type\": \"function\", "));
    assertTrue(
        text.endsWith(
            "<user>Do.\n"
                + "<assistant>Well.\n"
                + "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": \"blue\"}}\n</tool_call>\n"
                + "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>\n"
                + "<user><tool_response>\none\n</tool_response>\n"
                + "<tool_response>\ntwo\n</tool_response>\n"
                + "<assistant>Done.\n<user>Again.\n<assistant>"),
        text);
    List<Message> system = new ArrayList<>(CONVERSATION);
    system.add(0, new Message.System("Be brief."));
    assertTrue(
        chatMl
            .prompt(system, List.of(TOOL))
            .text()
            .startsWith("<system>Be brief.\n\nYou can call these tools:\n"));
    ChatFormat noSystem =
        ChatFormat.of(
            "{% for m in messages %}{{ raise_exception('no') if m.role == 'system' }}"
                + "<{{ m.role }}>{{ m.content }}\n{% endfor %}<assistant>",
            TOKENIZER);
    String first = noSystem.prompt(CONVERSATION, List.of(TOOL)).text();
    assertTrue(first.startsWith("<user>You can call these tools:\n"), first);
    assertTrue(first.contains("\n\nDo.\n<assistant>Well."), first);
  }

  /** Some models write one call at a time only. */
  @Test
  void splitsCallsForModelsThatMakeOne() throws IOException {
    String text =
        format("meta-llama-Llama-3.1-8B-Instruct").prompt(CONVERSATION, List.of(TOOL)).text();
    String call = "{\"name\": \"f\", \"parameters\": ";
    String between =
        "<|eot_id|><|start_header_id|>ipython<|end_header_id|>\n\n\"%s\""
            + "<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n";
    assertTrue(
        text.contains(
            call
                + "{\"a\": \"blue\"}}"
                + String.format(between, "one")
                + call
                + "{}}"
                + String.format(between, "two")),
        text);
  }

  @Test
  void argumentsAreTextWhereATemplateWantsThat() {
    String template =
        "{% for t in tools %}{{ t.function.description }}{% endfor %}"
            + "{% for m in messages %}{% for c in m.tool_calls %}<tool_call>\n"
            + "{{ '{\"name\": \"' + c.function.name + '\", \"arguments\": '"
            + " + c.function.arguments + '}' }}\n</tool_call>{% endfor %}{{ m.content }}"
            + "{% endfor %}";
    String text = ChatFormat.of(template, TOKENIZER).prompt(CONVERSATION, List.of(TOOL)).text();
    assertTrue(
        text.contains("{\"name\": \"f\", \"arguments\": {\"a\":\"blue\"}}\n</tool_call>"), text);
  }

  /** Others' ids become nine letters and digits, in the call and in its result. */
  @Test
  void mistralHasIdsOfNine() throws IOException {
    for (ChatFormat format : List.of(mistral(), format("mistralai-Mistral-Nemo-Instruct-2407"))) {
      List<Message> messages =
          List.of(
              new Message.User("a"),
              new Message.Assistant(
                  "not kept", List.of(new ToolCall("call_foreign-1", "f", "{\"a\": 1}"))),
              new Message.ToolResult("call_foreign-1", "f", "1"));
      String text = format.prompt(messages, List.of(TOOL)).text();
      String id = MistralTurns.id("call_foreign-1");
      assertTrue(id.matches("[a-zA-Z0-9]{9}"));
      assertTrue(
          text.endsWith(
              "[TOOL_CALLS][{\"name\": \"f\", \"arguments\": {\"a\": 1}, \"id\": \""
                  + id
                  + "\"}]"
                  + (format instanceof MistralChat ? "</s>" : "<|im_end|>")
                  + "[TOOL_RESULTS]{\"content\": 1, \"call_id\": \""
                  + id
                  + "\"}[/TOOL_RESULTS]"),
          text);
    }
  }

  /** A session's messages and tools are the conversation that mistral-common was given. */
  @Test
  void mistralsTokensAreThoseOfItsOwnEncoder() throws IOException {
    ChatFormat format = mistral();
    List<String> cases = new ArrayList<>();
    try (InputStream lines =
        ToolChatTest.class.getResourceAsStream("/dev/nautil/cli/mistral_chats.jsonl")) {
      new String(lines.readAllBytes(), StandardCharsets.UTF_8).lines().forEach(cases::add);
    }
    String folder = System.getenv("NAUTIL_CONFORMANCE");
    if (folder != null) {
      cases.addAll(Files.readAllLines(Path.of(folder, "tekken", "chats.jsonl")));
    }
    int checked = 0;
    for (String line : cases) {
      JsonNode node = JSON.readTree(line);
      if (!node.has("raises")) {
        PromptText prompt =
            format.prompt(
                list(node.get("messages"), ToolChatTest::message),
                list(node.get("tools"), ToolChatTest::tool));
        assertEquals(node.get("prompt").asText(), prompt.text());
        assertEquals(
            list(node.get("ids"), JsonNode::asInt),
            IntStream.of(format.encode(prompt)).boxed().toList(),
            prompt.text());
        checked++;
      }
    }
    assertTrue(checked > 100, checked + " conversations");
  }

  private static ChatFormat mistral() {
    try (NativeFile file = NativeFile.open(TestModels.path("tekken-tiny.gguf"), false)) {
      return ChatFormat.of(file, Vocabularies.tokenizer(file), null);
    }
  }
}
