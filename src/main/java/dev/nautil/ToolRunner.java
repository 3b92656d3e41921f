package dev.nautil;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.json.ArgumentCheck;
import dev.nautil.json.InvalidJsonException;
import dev.nautil.json.JsonValues;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/** Runs calls. Whatever goes wrong becomes a result that the model can read. */
final class ToolRunner {
  private ToolRunner() {}

  /**
   * Runs a call.
   *
   * @throws CancelledException if the thread is interrupted; it then still is
   */
  static Event.ToolResult run(Tools tools, ToolCall call) {
    Tool tool = tools.get(call.name()).orElse(null);
    if (call.name().equals(ToolCall.UNREADABLE)) {
      return error(
          call,
          "the call could not be read; it is to be a JSON object with a tool's name"
              + " and its arguments");
    }
    Tool.Reader reader = tool == null ? null : tool.reader().orElse(null);
    if (tool == null || reader == null) {
      List<String> names = tools.list().stream().map(Tool::name).toList();
      return error(call, "there is no tool " + call.name() + "; the tools are " + names);
    }
    JsonNode arguments;
    try {
      arguments = JsonValues.parse(call.arguments());
    } catch (InvalidJsonException e) {
      return error(call, "the arguments are " + e.getMessage());
    }
    List<String> problems = ArgumentCheck.problems(arguments, tool.schemaMap());
    if (!problems.isEmpty()) {
      return error(call, "wrong arguments: " + String.join("; ", problems));
    }
    try {
      return run(call, reader.read(arguments));
    } catch (InvalidJsonException e) {
      return error(call, "wrong arguments: " + e.getMessage());
    }
  }

  private static Event.ToolResult run(ToolCall call, Callable<@Nullable Object> action) {
    try {
      return new Event.ToolResult(call.result(text(action.call())), null);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("the thread was interrupted in the tool " + call.name());
    } catch (Exception e) {
      if (Thread.currentThread().isInterrupted()) {
        throw new CancelledException("the thread was interrupted in the tool " + call.name());
      }
      String message = e.getMessage();
      String said = message == null || message.isBlank() ? "" : ": " + message;
      return new Event.ToolResult(call.result(failed(e.getClass().getSimpleName() + said)), e);
    }
  }

  private static String text(@Nullable Object value) {
    return value instanceof CharSequence text ? text.toString() : JsonValues.write(value);
  }

  private static Event.ToolResult error(ToolCall call, String problem) {
    return new Event.ToolResult(call.result(failed(problem)), null);
  }

  /** JSON, so that no model takes it for what the tool found. Halves of characters become "?". */
  private static String failed(String problem) {
    byte[] wellFormed = problem.getBytes(StandardCharsets.UTF_8);
    return JsonValues.write(Map.of("error", new String(wellFormed, StandardCharsets.UTF_8)));
  }
}
