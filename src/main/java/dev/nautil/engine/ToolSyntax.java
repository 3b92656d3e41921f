package dev.nautil.engine;

import dev.nautil.Tool;
import dev.nautil.grammar.CharSet;
import dev.nautil.grammar.Rule;
import dev.nautil.tokenizer.Tokenizer;
import java.util.List;
import java.util.function.Function;
import java.util.regex.Pattern;

/**
 * How a model writes calls of tools: each a JSON object with the tool's name and its arguments.
 *
 * @param style what is around the objects
 * @param marker that calls begin with, or empty where they begin a reply
 * @param before what is between the marker and a call
 * @param argumentsKey of the arguments in a call
 * @param after what is behind a call; with {@link Style#HERMES} it ends with the closing marker
 * @param between what separates two calls
 * @param parallel whether a reply may have several calls
 */
public record ToolSyntax(
    Style style,
    String marker,
    String before,
    String argumentsKey,
    String after,
    String between,
    boolean parallel) {

  /** What is around the calls. */
  public enum Style {
    /** {@code [TOOL_CALLS][{"name": …, "arguments": …, "id": …}, …]}. */
    MISTRAL,
    /** {@code <tool_call>{"name": …, "arguments": …}</tool_call>}, several after one another. */
    HERMES,
    /**
     * {@code {"name": …, "parameters": …}} as the whole reply, {@code <|python_tag|>} before it.
     */
    LLAMA
  }

  private static final Pattern NAME = Pattern.compile("[a-zA-Z0-9_-]{1,64}");

  static final String CLOSING = "</tool_call>";

  static final ToolSyntax MISTRAL =
      new ToolSyntax(Style.MISTRAL, "[TOOL_CALLS]", "[", "arguments", "]", ", ", true);

  /** Before and after a call as most templates write it. */
  static final ToolSyntax HERMES =
      new ToolSyntax(Style.HERMES, "<tool_call>", "\n", "arguments", "\n" + CLOSING, "\n", true);

  private static final CharSet ALPHANUMERIC =
      CharSet.range('0', '9').union(CharSet.range('A', 'Z')).union(CharSet.range('a', 'z'));

  /** Whether a tool can be called so, in every format: mistral-common's rule, which is OpenAI's. */
  public static boolean isName(String name) {
    return NAME.matcher(name).matches();
  }

  /** Reads a reply. */
  public ToolCallReader newReader(Tokenizer tokenizer) {
    return new ToolCallReader(this, tokenizer);
  }

  /** What every call begins with. */
  String head() {
    return "{\"name\": \"";
  }

  /**
   * What a model may write from behind the first marker to the end of its turn. Where a call is
   * demanded, the marker goes before it, if there is one.
   *
   * @param tools that it may call, one at least
   * @param arguments the rule of a tool's arguments
   * @param markers the rule of a marker, which may be a token of its own
   * @param several whether it may call more than once, if the model can
   */
  public Rule calls(
      List<Tool> tools,
      Function<Tool, Rule> arguments,
      Function<String, Rule> markers,
      boolean several) {
    Rule call = new Rule.Choice(tools.stream().map(tool -> call(tool, arguments)).toList());
    boolean more = several && parallel;
    return switch (style) {
      case MISTRAL -> {
        Rule next = Rule.sequence(Rule.text(between), call);
        yield Rule.sequence(
            Rule.text(before),
            call,
            more ? Rule.zeroOrMore(next) : Rule.text(""),
            Rule.text(after));
      }
      case HERMES -> {
        String space = after.substring(0, after.length() - CLOSING.length());
        Rule one = Rule.sequence(Rule.text(before), call, Rule.text(space), markers.apply(CLOSING));
        Rule next = Rule.sequence(Rule.text(between), markers.apply(marker), one);
        yield more ? Rule.sequence(one, Rule.zeroOrMore(next)) : one;
      }
      case LLAMA -> {
        Rule next = Rule.sequence(Rule.text(between), call);
        yield more ? Rule.sequence(call, Rule.zeroOrMore(next)) : call;
      }
    };
  }

  private Rule call(Tool tool, Function<Tool, Rule> arguments) {
    String head = head() + tool.name() + "\", \"" + argumentsKey + "\": ";
    Rule id =
        style != Style.MISTRAL
            ? Rule.text("}")
            : Rule.sequence(
                Rule.text(", \"id\": \""),
                new Rule.Repeat(Rule.chars(ALPHANUMERIC), 9, 9),
                Rule.text("\"}"));
    return Rule.sequence(Rule.text(head), arguments.apply(tool), id);
  }
}
