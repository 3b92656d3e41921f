package dev.nautil.engine;

import dev.nautil.Tool;
import dev.nautil.grammar.CharSet;
import dev.nautil.grammar.Grammar;
import dev.nautil.grammar.GrammarBuilder;
import dev.nautil.grammar.Rule;
import dev.nautil.tokenizer.Tokenizer;
import java.util.List;
import java.util.OptionalInt;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * What a reply may be where there are tools: nothing but calls that can be read, whose arguments
 * match their schemas; or text, and from where a call begins only such calls.
 */
public final class ToolGrammar {
  private final ToolSyntax syntax;
  private final Tokenizer tokenizer;
  private final Function<Tool, Grammar> arguments;

  /**
   * @param arguments the grammar of a tool's arguments
   */
  public ToolGrammar(ToolSyntax syntax, Tokenizer tokenizer, Function<Tool, Grammar> arguments) {
    this.syntax = syntax;
    this.tokenizer = tokenizer;
    this.arguments = arguments;
  }

  /**
   * Calls alone.
   *
   * @param several whether there may be more than one
   */
  public Grammar demanded(List<Tool> tools, boolean several) {
    GrammarBuilder builder = new GrammarBuilder();
    return builder.build(calls(builder, tools, several));
  }

  /**
   * Text or calls, or calls after text where the format allows that.
   *
   * @param text what replies without calls are held to; null for any text
   */
  public Grammar offered(List<Tool> tools, @Nullable Grammar text) {
    GrammarBuilder builder = new GrammarBuilder();
    Rule calls = calls(builder, tools, true);
    if (text != null) {
      return builder.build(Rule.choice(builder.add(text), calls));
    }
    return builder.build(
        switch (syntax.style()) {
          // The format cannot hold text beside calls.
          case MISTRAL -> Rule.choice(calls, anyTextBut(syntax.marker()));
          case HERMES -> Rule.sequence(anyTextBut(syntax.marker()), Rule.optional(calls));
          case LLAMA -> Rule.choice(calls, notBeginning(syntax.head(), anyText()));
        });
  }

  private Rule calls(GrammarBuilder builder, List<Tool> tools, boolean several) {
    Rule calls =
        syntax.calls(tools, tool -> builder.add(arguments.apply(tool)), this::marker, several);
    if (syntax.marker().isEmpty()) {
      return calls;
    }
    Rule marker = marker(syntax.marker());
    // Llama's models write calls with the marker and without.
    boolean optional = syntax.style() == ToolSyntax.Style.LLAMA;
    return Rule.sequence(optional ? Rule.optional(marker) : marker, calls);
  }

  /** A marker as the token that it is, or as its letters. */
  private Rule marker(String text) {
    OptionalInt token = tokenizer.specialToken(text);
    return token.isPresent() && tokenizer.isControl(token.getAsInt())
        ? new Rule.Token(token.getAsInt())
        : Rule.text(text);
  }

  private static Rule anyText() {
    return Rule.zeroOrMore(Rule.chars(CharSet.ALL));
  }

  /** Any text in which a marker does not occur, or any at all if no text is the marker. */
  private Rule anyTextBut(String marker) {
    return marker(marker) instanceof Rule.Token ? anyText() : anyTextWithout(marker);
  }

  /** Any text that does not have a string, whose first character is in it only once. */
  static Rule anyTextWithout(String string) {
    CharSet others = CharSet.of(string.substring(0, 1)).complement();
    Rule run = Rule.zeroOrMore(Rule.chars(others));
    // Split where the first character comes: each piece must not go on like the string.
    Rule piece =
        Rule.sequence(Rule.text(string.substring(0, 1)), notBeginning(string.substring(1), run));
    return Rule.sequence(run, Rule.zeroOrMore(piece));
  }

  /**
   * Text that does not begin with a string.
   *
   * @param any the text; as often as one likes a character of a set
   */
  private static Rule notBeginning(String string, Rule any) {
    Rule rule = new Rule.Choice(List.of());
    CharSet set = ((Rule.Chars) ((Rule.Repeat) any).rule()).set();
    for (int i = string.length() - 1; i >= 0; i--) {
      CharSet next = CharSet.of(string.substring(i, i + 1));
      Rule other = Rule.sequence(Rule.chars(set.minus(next)), any);
      rule = Rule.choice(Rule.text(""), other, Rule.sequence(Rule.chars(next), rule));
    }
    return rule;
  }
}
