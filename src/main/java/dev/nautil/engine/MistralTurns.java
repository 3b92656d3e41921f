package dev.nautil.engine;

import dev.nautil.NautilException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A conversation as Mistral's format has it: messages of one side that follow each other are one,
 * and the system's are taken out.
 *
 * @param system joined, or empty
 */
record MistralTurns(String system, List<MistralTurns.Turn> turns) {
  private static final Pattern ID = Pattern.compile("[a-zA-Z0-9]{9}");
  private static final String ID_DIGITS =
      "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

  sealed interface Turn {}

  record User(String content) implements Turn {}

  /** Either a content or calls, each {@code {"name", "arguments", "id"}}. */
  record Assistant(String content, List<Map<String, @Nullable Object>> calls) implements Turn {}

  record Result(@Nullable Object content, String callId) implements Turn {}

  /** Index of what the user said last. */
  int lastUser() {
    int i = turns.size() - 1;
    while (!(turns.get(i) instanceof User)) {
      i--;
    }
    return i;
  }

  /**
   * Reads messages in the shape that templates know.
   *
   * @throws NautilException if they are no conversation that the format can express: it names the
   *     message
   */
  static MistralTurns of(List<? extends Map<String, ?>> messages) {
    return new Reader().read(messages);
  }

  private static final class Reader {
    private final StringBuilder system = new StringBuilder();
    private final List<Turn> turns = new ArrayList<>();
    private final Set<String> unanswered = new TreeSet<>();

    MistralTurns read(List<? extends Map<String, ?>> messages) {
      if (messages.isEmpty()) {
        throw new NautilException("a conversation without messages");
      }
      String previous = "";
      for (int i = 0; i < messages.size(); i++) {
        Map<String, ?> message = messages.get(i);
        String role = String.valueOf(message.get("role"));
        try {
          read(role, message, role.equals(previous));
        } catch (NautilException e) {
          throw new NautilException("message " + (i + 1) + " (" + role + "): " + e.getMessage());
        }
        previous = role;
      }
      if (previous.equals("assistant")) {
        throw new NautilException(
            "the last message is the assistant's: there is nothing to reply to");
      }
      answered();
      if (turns.isEmpty() || !(turns.get(0) instanceof User)) {
        turns.add(0, new User(""));
      }
      return new MistralTurns(system.toString(), List.copyOf(turns));
    }

    private void read(String role, Map<String, ?> message, boolean again) {
      switch (role) {
        case "system" -> join(system, content(message));
        case "user" -> user(content(message), again);
        case "assistant" -> assistant(content(message), message.get("tool_calls"), again);
        case "tool" -> result(content(message), message.get("tool_call_id"));
        default ->
            throw new NautilException(
                "the model knows the roles system, user, assistant and tool only");
      }
    }

    private void user(String content, boolean again) {
      answered();
      if (again && turns.get(turns.size() - 1) instanceof User before) {
        turns.set(turns.size() - 1, new User(joined(before.content(), content)));
      } else {
        turns.add(new User(content));
      }
    }

    private void assistant(String content, @Nullable Object toolCalls, boolean again) {
      answered();
      List<Map<String, @Nullable Object>> calls = new ArrayList<>();
      if (toolCalls instanceof List<?> list) {
        list.forEach(call -> calls.add(call(call)));
      }
      if (calls.isEmpty() == content.isEmpty()) {
        throw new NautilException(
            calls.isEmpty()
                ? "neither text nor tool calls"
                : "text beside tool calls, which the model's format cannot hold");
      }
      if (again && turns.get(turns.size() - 1) instanceof Assistant before) {
        if (!before.calls().isEmpty() || !calls.isEmpty()) {
          throw new NautilException("tool calls beside another reply, with nothing between them");
        }
        turns.set(turns.size() - 1, new Assistant(joined(before.content(), content), List.of()));
      } else {
        turns.add(new Assistant(content, List.copyOf(calls)));
      }
    }

    private Map<String, @Nullable Object> call(@Nullable Object value) {
      if (!(value instanceof Map<?, ?> call)
          || !(call.get("function") instanceof Map<?, ?> function)) {
        throw new NautilException("a tool call without a function: " + value);
      }
      if (!(function.get("name") instanceof String name) || !ToolSyntax.isName(name)) {
        throw new NautilException(
            "the name of a called tool is to be 1 to 64 letters, digits, _ and -: "
                + function.get("name"));
      }
      if (!(call.get("id") instanceof String id)) {
        throw new NautilException("the call of " + name + " has no id");
      }
      String own = id(id);
      if (!unanswered.add(own)) {
        throw new NautilException("two calls have the id " + id);
      }
      Map<String, @Nullable Object> shaped = new LinkedHashMap<>();
      shaped.put("name", name);
      Object arguments = function.get("arguments");
      shaped.put(
          "arguments",
          arguments == null ? Map.of() : arguments instanceof String text ? json(text) : arguments);
      shaped.put("id", own);
      return shaped;
    }

    private void result(String content, @Nullable Object callId) {
      if (!(callId instanceof String id)) {
        throw new NautilException("a tool's result without \"tool_call_id\"");
      }
      String own = id(id);
      if (!unanswered.remove(own)) {
        throw new NautilException("no call of the message before has the id " + id);
      }
      turns.add(new Result(json(content), own));
    }

    /** The format has no way to leave a call without a result. */
    private void answered() {
      if (!unanswered.isEmpty()) {
        throw new NautilException("calls have no result: " + String.join(", ", unanswered));
      }
    }
  }

  /** As mistral-common reads what tools give and get: nothing is an empty object. */
  private static @Nullable Object json(String text) {
    return text.isEmpty() ? Map.of() : PythonJson.loadsOrText(text);
  }

  /**
   * Nine letters and digits, as the model was trained on: others' ids become such, always the same.
   */
  static String id(String id) {
    if (ID.matcher(id).matches()) {
      return id;
    }
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-256").digest(id.getBytes(StandardCharsets.UTF_8));
      StringBuilder own = new StringBuilder();
      for (int i = 0; i < 9; i++) {
        own.append(ID_DIGITS.charAt((hash[i] & 255) % ID_DIGITS.length()));
      }
      return own.toString();
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every Java has SHA-256", e);
    }
  }

  private static String content(Map<String, ?> message) {
    Object content = message.get("content");
    if (content != null && !(content instanceof String)) {
      throw new NautilException("its content is no text: " + content);
    }
    return Objects.requireNonNullElse((String) content, "");
  }

  private static String joined(String a, String b) {
    StringBuilder text = new StringBuilder(a);
    join(text, b);
    return text.toString();
  }

  private static void join(StringBuilder text, String more) {
    if (text.length() > 0 && !more.isEmpty()) {
      text.append("\n\n");
    }
    text.append(more);
  }
}
