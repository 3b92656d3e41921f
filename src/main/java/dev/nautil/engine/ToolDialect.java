package dev.nautil.engine;

import dev.nautil.NautilException;
import dev.nautil.engine.ToolSyntax.Style;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * What a chat template does with tools. It is found by having the template write a conversation
 * with calls in it, and looking at how they come out: what a template says about calls in its
 * source tells less, since some of it is text for the model.
 *
 * @param argumentsAsText whether it wants the arguments of a call as JSON text, not as an object
 */
record ToolDialect(ToolSyntax syntax, boolean argumentsAsText) {
  private static final String TOOL = "probe_tool";
  private static final String DESCRIPTION = "probe description";
  private static final String RESULT = "probe result";
  private static final String ID = "probe0001";

  private static final String OBJECT =
      "\\{\\s*\"name\":\\s*\"" + TOOL + "\",\\s*\"%s\":\\s*\\{\"probe_key\":\\s*\"probe_value\"\\}";

  private static final Pattern HERMES =
      Pattern.compile(
          "<tool_call>(\\s*)" + String.format(OBJECT, "arguments") + "\\s*\\}(\\s*)</tool_call>");

  private static final Pattern BETWEEN_HERMES =
      Pattern.compile("</tool_call>(\\s*)<tool_call>\\s*\\{\"name\": *\"" + TOOL);

  private static final Pattern MISTRAL =
      Pattern.compile(
          "\\[TOOL_CALLS\\]\\s*\\["
              + String.format(OBJECT, "arguments")
              + ",\\s*\"id\":\\s*\""
              + ID
              + "\"\\s*\\}\\s*\\]");

  private static final Pattern LLAMA =
      Pattern.compile("(<\\|python_tag\\|>)?" + String.format(OBJECT, "parameters") + "\\s*\\}");

  private static final Map<String, Object> DECLARATION =
      Map.of(
          "type",
          "function",
          "function",
          Map.of(
              "name",
              TOOL,
              "description",
              DESCRIPTION,
              "parameters",
              Map.of(
                  "type",
                  "object",
                  "properties",
                  Map.of("probe_key", Map.of("type", "string", "description", "key")))));

  /** Writes a conversation with tools as the template does. */
  interface Renderer extends BiFunction<List<Map<String, ?>>, List<?>, String> {}

  /** The dialect of a template; empty if it knows no tools, or writes calls in another way. */
  static Optional<ToolDialect> of(Renderer renderer) {
    for (boolean asText : new boolean[] {false, true}) {
      String one = written(renderer, asText, 1);
      if (one.contains(DESCRIPTION) && one.contains(RESULT)) {
        Optional<ToolSyntax> syntax = syntax(one, written(renderer, asText, 2));
        if (syntax.isPresent()) {
          return Optional.of(new ToolDialect(syntax.get(), asText));
        }
      }
    }
    return Optional.empty();
  }

  /** Nothing, if the template refuses it. */
  private static String written(Renderer renderer, boolean argumentsAsText, int calls) {
    Object arguments =
        argumentsAsText ? "{\"probe_key\": \"probe_value\"}" : Map.of("probe_key", "probe_value");
    Map<String, Object> function = new LinkedHashMap<>();
    function.put("name", TOOL);
    function.put("arguments", arguments);
    Map<String, Object> call = Map.of("id", ID, "type", "function", "function", function);
    Map<String, String> result =
        Map.of("role", "tool", "content", RESULT, "tool_call_id", ID, "name", TOOL);
    List<Map<String, ?>> messages =
        List.of(
            Map.of("role", "user", "content", "probe question"),
            Map.of(
                "role",
                "assistant",
                "content",
                "",
                "tool_calls",
                List.of(call, call).subList(0, calls)),
            result,
            result);
    try {
      return renderer.apply(messages.subList(0, 2 + calls), List.of(DECLARATION));
    } catch (NautilException e) {
      return "";
    }
  }

  /**
   * @param two the same with two calls; nothing, if the template refuses that
   */
  private static Optional<ToolSyntax> syntax(String written, String two) {
    boolean parallel = two.contains(RESULT);
    Matcher hermes = HERMES.matcher(written);
    if (hermes.find()) {
      Matcher between = BETWEEN_HERMES.matcher(two);
      return Optional.of(
          new ToolSyntax(
              Style.HERMES,
              ToolSyntax.HERMES.marker(),
              hermes.group(1),
              "arguments",
              hermes.group(2) + ToolSyntax.CLOSING,
              between.find() ? between.group(1) : "\n",
              parallel));
    }
    if (MISTRAL.matcher(written).find()) {
      return Optional.of(ToolSyntax.MISTRAL);
    }
    Matcher llama = LLAMA.matcher(written);
    if (llama.find()) {
      String tag = llama.group(1) == null ? "" : llama.group(1);
      return Optional.of(new ToolSyntax(Style.LLAMA, tag, "", "parameters", "", "; ", parallel));
    }
    return Optional.empty();
  }
}
