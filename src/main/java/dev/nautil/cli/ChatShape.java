package dev.nautil.cli;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Conversations as JSON has them, in the shape that chat templates know: OpenAI's, but with a
 * call's arguments as an object.
 *
 * <p>Taken are OpenAI's own shape, and the same with the wrappers {@code {"type": "function",
 * "function": …}} left out around tools and calls. A content that is a list of text parts becomes
 * their text.
 */
final class ChatShape {
  private ChatShape() {}

  /** Messages for a template. */
  static List<Map<String, Object>> messages(List<?> messages) {
    List<Map<String, Object>> shaped = new ArrayList<>();
    for (Object message : messages) {
      Map<String, Object> copy = new LinkedHashMap<>(Json.object(message));
      if (!(copy.get("role") instanceof String)) {
        throw new Failure("a message without \"role\": " + message);
      }
      if (copy.get("content") instanceof List<?> parts) {
        copy.put("content", text(parts));
      }
      if (copy.get("tool_calls") instanceof List<?> calls) {
        copy.put("tool_calls", calls.stream().map(ChatShape::call).toList());
      }
      shaped.add(copy);
    }
    return shaped;
  }

  /** Tools for a template; null if there are none. */
  static @Nullable List<Object> tools(@Nullable Object tools) {
    if (!(tools instanceof List<?> list)) {
      if (tools == null) {
        return null;
      }
      throw new Failure("\"tools\" is no list: " + tools);
    }
    return list.isEmpty() ? null : List.copyOf(list.stream().map(ChatShape::wrapped).toList());
  }

  private static Object wrapped(@Nullable Object value) {
    Map<String, Object> tool = Json.object(value);
    if (tool.containsKey("function")) {
      return tool;
    }
    Map<String, Object> wrapped = new LinkedHashMap<>();
    wrapped.put("type", "function");
    wrapped.put("function", tool);
    return wrapped;
  }

  private static Object call(@Nullable Object value) {
    Map<String, Object> call = new LinkedHashMap<>(Json.object(value));
    if (!call.containsKey("function")) {
      Map<String, Object> function = new LinkedHashMap<>();
      function.put("name", call.remove("name"));
      function.put("arguments", call.remove("arguments"));
      call.put("type", "function");
      call.put("function", function);
    }
    Map<String, Object> function = new LinkedHashMap<>(Json.object(call.get("function")));
    if (function.get("arguments") instanceof String text) {
      function.put("arguments", Json.parse(text));
    }
    call.put("function", function);
    return call;
  }

  private static String text(List<?> parts) {
    StringBuilder text = new StringBuilder();
    for (Object part : parts) {
      Map<String, Object> fields = Json.object(part);
      if (!(fields.get("text") instanceof String more)) {
        throw new Failure("a part of a message that is no text: " + part);
      }
      text.append(more);
    }
    return text.toString();
  }
}
