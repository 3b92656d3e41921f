package dev.nautil.grammar;

import dev.nautil.GrammarException;
import java.util.List;

/**
 * Regular expressions of ECMA-262 as rules, as far as they are regular: the subset that JSON Schema
 * recommends for {@code pattern}, and more.
 *
 * <p>Understood are characters and escapes ({@code \n \t \r \f \v \0 \cX \xHH \u005CuHHHH
 * \u005Cu{H}}), the classes {@code . \d \D \w \W \s \S \p{…} \P{…} [a-z] [^a-z]}, groups with or
 * without a name or capture, alternatives, greedy and lazy quantifiers (which match the same
 * texts), and the anchors {@code ^} and {@code $} outside of repetitions. Case matters, and {@code
 * .} is no line terminator. Not understood, since what they match is not regular or depends on what
 * is around it, are back-references, look-around and word boundaries.
 */
public final class Regex {
  private Regex() {}

  /**
   * The texts in which a pattern is found somewhere, as JSON Schema's {@code pattern} wants it.
   *
   * @return a regular rule of characters
   * @throws GrammarException if the pattern is malformed or not regular; the message has the place
   */
  public static Rule search(String pattern) {
    RegexNode any = new RegexNode.Repeat(new RegexNode.Chars(CharSet.ALL), 0, Rule.UNBOUNDED);
    RegexNode found = new RegexParser(pattern).parse();
    RegexNode all = new RegexNode.Sequence(List.of(any, found, any));
    return RegexRules.rule(all, pattern);
  }

  /**
   * The texts that a pattern matches from beginning to end.
   *
   * @return a regular rule of characters
   * @throws GrammarException if the pattern is malformed or not regular; the message has the place
   */
  public static Rule full(String pattern) {
    return RegexRules.rule(new RegexParser(pattern).parse(), pattern);
  }
}
