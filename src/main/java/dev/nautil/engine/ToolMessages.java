package dev.nautil.engine;

import dev.nautil.Message;
import dev.nautil.Tool;
import dev.nautil.ToolCall;
import dev.nautil.engine.ToolSyntax.Style;
import dev.nautil.json.JsonValues;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Conversations with tools in the shapes that templates know, and that their models can read. */
final class ToolMessages {
  private ToolMessages() {}

  /** Tools as OpenAI declares them; null for none. */
  static @Nullable List<Map<String, Object>> declarations(List<Tool> tools) {
    return tools.isEmpty() ? null : tools.stream().map(ToolMessages::declaration).toList();
  }

  private static Map<String, Object> declaration(Tool tool) {
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", tool.name());
    function.put("description", tool.description());
    function.put("parameters", PythonJson.loadsOrText(tool.schema()));
    Map<String, Object> declaration = new LinkedHashMap<>();
    declaration.put("type", "function");
    declaration.put("function", function);
    return declaration;
  }

  /** Messages for a template of this dialect. */
  static List<Map<String, Object>> shaped(List<Message> messages, ToolDialect dialect) {
    boolean nineDigits = dialect.syntax().style() == Style.MISTRAL;
    List<Map<String, Object>> shaped = new ArrayList<>();
    for (int i = 0; i < messages.size(); i++) {
      Message message = messages.get(i);
      if (message instanceof Message.Assistant assistant && !assistant.toolCalls().isEmpty()) {
        if (dialect.syntax().parallel()) {
          shaped.add(shaped(assistant, assistant.toolCalls(), dialect));
        } else {
          i += addOneByOne(assistant, messages.subList(i + 1, messages.size()), dialect, shaped);
        }
      } else if (message instanceof Message.ToolResult result) {
        shaped.add(shaped(result, nineDigits));
      } else {
        shaped.add(plain(message));
      }
    }
    return shaped;
  }

  /**
   * For models that call one tool at a time: each call with its result. How many results it took.
   */
  private static int addOneByOne(
      Message.Assistant assistant,
      List<Message> following,
      ToolDialect dialect,
      List<Map<String, Object>> shaped) {
    int taken = 0;
    String content = assistant.content();
    for (ToolCall call : assistant.toolCalls()) {
      shaped.add(shaped(new Message.Assistant(content), List.of(call), dialect));
      content = "";
      if (taken < following.size() && following.get(taken) instanceof Message.ToolResult result) {
        shaped.add(shaped(result, false));
        taken++;
      }
    }
    return taken;
  }

  /** A message without calls. */
  static Map<String, Object> plain(Message message) {
    String role =
        message instanceof Message.System
            ? "system"
            : message instanceof Message.User ? "user" : "assistant";
    return new LinkedHashMap<>(Map.of("role", role, "content", message.content()));
  }

  static Map<String, Object> shaped(Message.ToolResult result, boolean nineDigits) {
    Map<String, Object> map = new LinkedHashMap<>();
    map.put("role", "tool");
    map.put("content", result.content());
    map.put("tool_call_id", nineDigits ? MistralTurns.id(result.callId()) : result.callId());
    map.put("name", result.name());
    return map;
  }

  static Map<String, Object> shaped(
      Message.Assistant assistant, List<ToolCall> calls, ToolDialect dialect) {
    boolean nineDigits = dialect.syntax().style() == Style.MISTRAL;
    Map<String, Object> map = plain(assistant);
    List<Object> shaped = new ArrayList<>();
    for (ToolCall call : calls) {
      Map<String, @Nullable Object> function = new LinkedHashMap<>();
      function.put("name", call.name());
      function.put(
          "arguments",
          dialect.argumentsAsText() ? call.arguments() : PythonJson.loadsOrText(call.arguments()));
      Map<String, Object> whole = new LinkedHashMap<>();
      whole.put("id", nineDigits ? MistralTurns.id(call.id()) : call.id());
      whole.put("type", "function");
      whole.put("function", function);
      shaped.add(whole);
    }
    map.put("tool_calls", shaped);
    return map;
  }

  /**
   * Messages for a template that knows no tools: they are described before the conversation, calls
   * are written as text, and results are the user's.
   *
   * @param system whether the template knows system prompts
   */
  static List<Map<String, Object>> described(
      List<Message> messages, List<Tool> tools, boolean system) {
    List<Map<String, Object>> shaped = new ArrayList<>();
    for (Message message : messages) {
      if (message instanceof Message.ToolResult result) {
        String response = "<tool_response>\n" + result.content() + "\n</tool_response>";
        if (!shaped.isEmpty() && shaped.get(shaped.size() - 1).containsKey("responses")) {
          shaped.get(shaped.size() - 1).merge("content", response, (a, b) -> a + "\n" + b);
        } else {
          Map<String, Object> user = plain(new Message.User(response));
          user.put("responses", true);
          shaped.add(user);
        }
      } else if (message instanceof Message.Assistant assistant) {
        shaped.add(plain(new Message.Assistant(withCalls(assistant))));
      } else {
        shaped.add(plain(message));
      }
    }
    shaped.forEach(message -> message.remove("responses"));
    if (!tools.isEmpty()) {
      describe(shaped, tools, system);
    }
    return shaped;
  }

  private static String withCalls(Message.Assistant assistant) {
    StringBuilder text = new StringBuilder(assistant.content());
    for (ToolCall call : assistant.toolCalls()) {
      text.append(text.length() == 0 ? "" : "\n").append("<tool_call>\n{\"name\": ");
      text.append(JsonValues.write(call.name())).append(", \"arguments\": ");
      PythonJson.dumps(PythonJson.loadsOrText(call.arguments()), text);
      text.append("}\n</tool_call>");
    }
    return text.toString();
  }

  private static void describe(
      List<Map<String, Object>> messages, List<Tool> tools, boolean system) {
    String description = description(tools);
    Map<String, Object> first = messages.isEmpty() ? null : messages.get(0);
    boolean fits =
        first != null && (first.get("role").equals("system") || (!system && isUser(first)));
    if (fits) {
      String content = (String) first.get("content");
      first.put(
          "content",
          isUser(first) ? description + "\n\n" + content : content + "\n\n" + description);
    } else {
      messages.add(
          0, plain(system ? new Message.System(description) : new Message.User(description)));
    }
  }

  private static boolean isUser(Map<String, Object> message) {
    return message.get("role").equals("user");
  }

  private static String description(List<Tool> tools) {
    StringBuilder text = new StringBuilder("You can call these tools:\n");
    for (Tool tool : tools) {
      PythonJson.dumps(declaration(tool), text);
      text.append('\n');
    }
    return text.append(
            """

            To call a tool, reply with its name and its arguments as JSON, like this:
            <tool_call>
            {"name": "the tool's name", "arguments": {"an argument": "its value"}}
            </tool_call>
            You are then given what it returned, between <tool_response> and </tool_response>.\
            """)
        .toString();
  }
}
