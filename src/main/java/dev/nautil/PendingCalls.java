package dev.nautil;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/** The calls of a conversation that have no result yet. */
final class PendingCalls {
  private PendingCalls() {}

  /** In order. */
  static List<ToolCall> of(List<Message> history) {
    int last = history.size() - 1;
    Set<String> answered = new HashSet<>();
    while (last >= 0 && history.get(last) instanceof Message.ToolResult result) {
      answered.add(result.callId());
      last--;
    }
    return last >= 0 && history.get(last) instanceof Message.Assistant reply
        ? reply.toolCalls().stream().filter(call -> !answered.contains(call.id())).toList()
        : List.of();
  }

  /**
   * Results in the order of their calls.
   *
   * @throws IllegalArgumentException if one is missing, or is of no call
   * @throws IllegalStateException if there are no calls
   */
  static List<Message> answered(List<ToolCall> waiting, List<Message.ToolResult> results) {
    if (waiting.isEmpty()) {
      throw new IllegalStateException("no calls wait for results");
    }
    Map<String, Message.ToolResult> byId = new LinkedHashMap<>();
    for (Message.ToolResult result : results) {
      if (byId.put(result.callId(), result) != null) {
        throw new IllegalArgumentException("two results of the call " + result.callId());
      }
    }
    List<Message> answered = new ArrayList<>();
    List<ToolCall> missing = new ArrayList<>();
    for (ToolCall call : waiting) {
      Message.ToolResult result = byId.remove(call.id());
      if (result == null) {
        missing.add(call);
      } else {
        answered.add(result);
      }
    }
    if (!missing.isEmpty() || !byId.isEmpty()) {
      throw new IllegalArgumentException(
          missing.isEmpty()
              ? "results of calls that there are not: " + byId.keySet()
              : "calls without a result: " + names(missing));
    }
    return answered;
  }

  static String names(List<ToolCall> calls) {
    return calls.stream()
        .map(call -> call.name() + " (" + call.id() + ")")
        .collect(Collectors.joining(", "));
  }

  /** Ids for calls to come: nine letters and digits, which every model's format takes. */
  static Supplier<String> newIds(List<Message> said) {
    Set<String> taken = new HashSet<>();
    for (Message message : said) {
      if (message instanceof Message.Assistant reply) {
        reply.toolCalls().forEach(call -> taken.add(call.id()));
      }
    }
    return () -> {
      int n = taken.size();
      String id;
      do {
        id = String.format(Locale.ROOT, "call%05d", n++);
      } while (!taken.add(id));
      return id;
    };
  }
}
