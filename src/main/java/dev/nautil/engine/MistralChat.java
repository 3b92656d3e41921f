package dev.nautil.engine;

import dev.nautil.Message;
import dev.nautil.NautilException;
import dev.nautil.Tool;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The format of Mistral's models with the Tekken tokenizer, version 3, to the very tokens of
 * mistral-common, which they were trained on: {@code <s>[INST]…[/INST]…</s>}. The template in their
 * files differs from it in places, such as spaces in JSON.
 *
 * <p>The system prompt is written before what the user said last, and so are the tools. Calls and
 * results of all turns are kept.
 */
final class MistralChat extends ChatFormat {
  private static final String BEGIN = "[INST]";
  private static final String END = "[/INST]";
  private static final String TOOLS = "[AVAILABLE_TOOLS]";
  private static final String END_TOOLS = "[/AVAILABLE_TOOLS]";
  private static final String RESULTS = "[TOOL_RESULTS]";
  private static final String END_RESULTS = "[/TOOL_RESULTS]";
  private static final String CALLS = "[TOOL_CALLS]";

  private static final ToolDialect DIALECT = new ToolDialect(ToolSyntax.MISTRAL, true);

  MistralChat(Tokenizer tokenizer) {
    super(tokenizer);
  }

  /** Whether a vocabulary has this version's markers, and not those of later ones. */
  static boolean hasTokens(Tokenizer tokenizer) {
    return List.of(BEGIN, END, TOOLS, END_TOOLS, RESULTS, END_RESULTS, CALLS).stream()
            .allMatch(marker -> tokenizer.specialToken(marker).isPresent())
        && tokenizer.specialToken("[SYSTEM_PROMPT]").isEmpty();
  }

  @Override
  public PromptText render(List<? extends Map<String, ?>> messages, @Nullable List<?> tools) {
    MistralTurns turns = MistralTurns.of(messages);
    Prompt prompt = new Prompt();
    prompt.own(special(tokenizer.bos()).text());
    for (int i = 0; i < turns.turns().size(); i++) {
      MistralTurns.Turn turn = turns.turns().get(i);
      if (turn instanceof MistralTurns.User user) {
        boolean last = i == turns.lastUser();
        if (last && tools != null && !tools.isEmpty()) {
          prompt.own(TOOLS).json(shaped(tools)).own(END_TOOLS);
        }
        String system = last && !turns.system().isEmpty() ? turns.system() + "\n\n" : "";
        prompt.own(BEGIN).given(system + user.content()).own(END);
      } else if (turn instanceof MistralTurns.Assistant assistant) {
        if (assistant.calls().isEmpty()) {
          prompt.given(withoutTrailingSpaces(assistant.content()));
        } else {
          prompt.own(CALLS).json(assistant.calls());
        }
        prompt.own(special(tokenizer.eos()).text());
      } else if (turn instanceof MistralTurns.Result result) {
        Map<String, @Nullable Object> value = new LinkedHashMap<>();
        value.put("content", result.content());
        value.put("call_id", result.callId());
        prompt.own(RESULTS).json(value).own(END_RESULTS);
      }
    }
    return prompt.toPromptText();
  }

  @Override
  public ToolSyntax toolSyntax() {
    return ToolSyntax.MISTRAL;
  }

  @Override
  public PromptText prompt(List<Message> messages, List<Tool> tools) {
    return render(
        messages.stream().map(MistralChat::shaped).toList(), ToolMessages.declarations(tools));
  }

  /**
   * A reply without text is written as one space, which the format drops: mistral-common knows no
   * empty one, but a model can end its turn at once. Text beside calls, which the format has no
   * place for, is left out.
   */
  private static Map<String, Object> shaped(Message message) {
    if (message instanceof Message.ToolResult result) {
      return ToolMessages.shaped(result, true);
    }
    if (!(message instanceof Message.Assistant reply)) {
      return ToolMessages.plain(message);
    }
    return reply.toolCalls().isEmpty()
        ? ToolMessages.plain(reply.content().isEmpty() ? new Message.Assistant(" ") : reply)
        : ToolMessages.shaped(new Message.Assistant(""), reply.toolCalls(), DIALECT);
  }

  /** What mistral-common keeps of a tool, in its order. */
  private static List<Object> shaped(List<?> tools) {
    List<Object> shaped = new ArrayList<>();
    for (Object tool : tools) {
      if (!(tool instanceof Map<?, ?> wrapper)
          || !(wrapper.get("function") instanceof Map<?, ?> function)
          || !(function.get("name") instanceof String name)) {
        throw new NautilException("a tool without a function that has a name: " + tool);
      }
      Map<String, @Nullable Object> kept = new LinkedHashMap<>();
      kept.put("name", name);
      kept.put("description", orElse(function.get("description"), ""));
      kept.put("parameters", orElse(function.get("parameters"), Map.of()));
      Map<String, Object> again = new LinkedHashMap<>();
      again.put("type", "function");
      again.put("function", kept);
      shaped.add(again);
    }
    return shaped;
  }

  private static Object orElse(@Nullable Object value, Object other) {
    return value != null ? value : other;
  }

  private static String withoutTrailingSpaces(String text) {
    int end = text.length();
    while (end > 0 && text.charAt(end - 1) == ' ') {
      end--;
    }
    return text.substring(0, end);
  }

  /** A prompt being written: markers are the format's own, the rest is given. */
  private static final class Prompt {
    private final StringBuilder text = new StringBuilder();
    private final List<Integer> spans = new ArrayList<>();

    Prompt own(String marker) {
      spans.add(text.length());
      text.append(marker);
      spans.add(text.length());
      return this;
    }

    Prompt given(String given) {
      text.append(given);
      return this;
    }

    Prompt json(Object value) {
      PythonJson.dumps(value, text);
      return this;
    }

    PromptText toPromptText() {
      return PromptText.of(text.toString(), spans.stream().mapToInt(Integer::intValue).toArray());
    }
  }
}
