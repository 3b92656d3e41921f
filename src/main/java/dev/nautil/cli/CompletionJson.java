package dev.nautil.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.nautil.cli.Completer.Completion;
import dev.nautil.cli.Completer.Request;
import dev.nautil.cli.Completer.Step;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Completions and requests for them as JSON. */
final class CompletionJson {
  private CompletionJson() {}

  static void print(Io io, Completion completion) throws IOException {
    Json.print(io, json -> write(json, completion));
  }

  /**
   * Answers the requests on standard input.
   *
   * @param predict for requests that do not say it
   * @param top likewise
   */
  static void answerLines(Io io, Completer completer, int predict, int top) throws IOException {
    Json.answerLines(
        io,
        question -> {
          int[] force = ids(question, "force", new int[0]);
          int n = number(question, "n_predict", force.length > 0 ? force.length : predict);
          Request request =
              new Request(prompt(question, completer), n, number(question, "top", top), force);
          Completion completion = completer.complete(request);
          return json -> write(json, completion);
        });
  }

  private static int[] prompt(Map<String, Object> question, Completer completer) {
    int[] tokens = ids(question, "tokens", null);
    if (tokens != null) {
      return tokens;
    }
    if (question.get("prompt") instanceof String text) {
      return completer.encode(text);
    }
    throw new Failure("\"prompt\" (a string) or \"tokens\" (a list of ids) is missing");
  }

  private static int number(Map<String, Object> question, String key, int otherwise) {
    Object value = question.get(key);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof Integer n && n >= 0) {
      return n;
    }
    throw new Failure("\"" + key + "\" is no number of tokens: " + value);
  }

  private static int @Nullable [] ids(
      Map<String, Object> question, String key, int @Nullable [] otherwise) {
    Object value = question.get(key);
    if (value == null) {
      return otherwise;
    }
    if (value instanceof List<?> list && list.stream().allMatch(Integer.class::isInstance)) {
      return list.stream().mapToInt(Integer.class::cast).toArray();
    }
    throw new Failure("\"" + key + "\" is no list of token ids: " + value);
  }

  private static void write(JsonGenerator json, Completion completion) throws IOException {
    json.writeStartObject();
    json.writeStringField("text", completion.text());
    json.writeFieldName("tokens");
    Json.write(json, completion.tokens());
    json.writeArrayFieldStart("steps");
    for (Step step : completion.steps()) {
      json.writeStartObject();
      json.writeNumberField("id", step.id());
      json.writeNumberField("logprob", step.logprob());
      json.writeArrayFieldStart("top");
      for (int i = 0; i < step.topIds().length; i++) {
        json.writeStartArray();
        json.writeNumber(step.topIds()[i]);
        json.writeNumber(step.topLogprobs()[i]);
        json.writeEndArray();
      }
      json.writeEndArray();
      json.writeEndObject();
    }
    json.writeEndArray();
    json.writeEndObject();
  }
}
