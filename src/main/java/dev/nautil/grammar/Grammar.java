package dev.nautil.grammar;

import java.util.Map;

/**
 * What a whole text may be: named rules, of which one is where it begins. Immutable.
 *
 * @param rules by name
 * @param root the name of the rule that the whole text matches
 */
public record Grammar(Map<String, Rule> rules, String root) {
  /**
   * @throws IllegalArgumentException if there is no rule of the root's name
   */
  public Grammar {
    rules = Map.copyOf(rules);
    if (!rules.containsKey(root)) {
      throw new IllegalArgumentException("there is no rule '" + root + "' to begin with");
    }
  }

  /** A grammar of one rule, which refers to no other. */
  public static Grammar of(Rule rule) {
    return new Grammar(Map.of("root", rule), "root");
  }

  /**
   * Reads GBNF, the notation of llama.cpp's grammars.
   *
   * @throws dev.nautil.GrammarException if it is malformed; the message has line and column
   */
  public static Grammar gbnf(String text) {
    return GbnfParser.parse(text);
  }

  /**
   * The texts that a regular expression matches from beginning to end: see {@link Regex}.
   *
   * @throws dev.nautil.GrammarException if it is malformed or not regular
   */
  public static Grammar regex(String pattern) {
    return of(Regex.full(pattern));
  }
}
