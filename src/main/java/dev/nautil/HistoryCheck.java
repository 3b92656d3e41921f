package dev.nautil;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Whether messages can be what was said in a session so far. */
final class HistoryCheck {
  private HistoryCheck() {}

  /**
   * The messages, with the system prompt first if there is one.
   *
   * @throws IllegalArgumentException if a system prompt is not the first message or differs from
   *     that of the options, if a result is of no call, if two calls of a reply have one id, or if
   *     something is said before a call has its result
   */
  static List<Message> checked(SessionOptions options, List<Message> messages) {
    List<Message> history = new ArrayList<>();
    options.system().map(Message.System::new).ifPresent(history::add);
    boolean first = true;
    Map<String, ToolCall> waiting = new LinkedHashMap<>();
    for (Message message : messages) {
      if (message instanceof Message.System system) {
        requireSystem(system, options, first);
        history.clear();
      }
      require(message, waiting);
      history.add(message);
      first = false;
    }
    return history;
  }

  private static void requireSystem(Message.System system, SessionOptions options, boolean first) {
    if (!first) {
      throw new IllegalArgumentException("a system prompt that is not the first message");
    }
    if (options.isRaw()) {
      throw new IllegalArgumentException("raw text has no system prompt");
    }
    options
        .system()
        .filter(other -> !other.equals(system.content()))
        .ifPresent(
            other -> {
              throw new IllegalArgumentException(
                  "the options have another system prompt than the messages: leave it out there");
            });
  }

  private static void require(Message message, Map<String, ToolCall> waiting) {
    if (message instanceof Message.ToolResult result) {
      if (waiting.remove(result.callId()) == null) {
        throw new IllegalArgumentException(
            "a result of a call that there is not: " + result.callId());
      }
      return;
    }
    if (!waiting.isEmpty()) {
      throw new IllegalArgumentException(
          "calls without a result: " + PendingCalls.names(List.copyOf(waiting.values())));
    }
    if (message instanceof Message.Assistant reply) {
      for (ToolCall call : reply.toolCalls()) {
        if (waiting.put(call.id(), call) != null) {
          throw new IllegalArgumentException("two calls of a reply have the id " + call.id());
        }
      }
    }
  }
}
