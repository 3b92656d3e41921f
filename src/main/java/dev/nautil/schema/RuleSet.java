package dev.nautil.schema;

import dev.nautil.grammar.Grammar;
import dev.nautil.grammar.Rule;
import java.util.HashMap;
import java.util.Map;

/** The rules of a grammar in the making. */
final class RuleSet {
  private final Map<String, Rule> rules = new HashMap<>();

  /** Keeps a rule under a name of its own, which begins so. */
  Rule define(String prefix, Rule rule) {
    return defineAs(prefix + "-" + rules.size(), rule);
  }

  /** Keeps a rule under a name that no other has. */
  Rule defineAs(String name, Rule rule) {
    if (rules.putIfAbsent(name, rule) != null) {
      throw new IllegalStateException("two rules are named " + name);
    }
    return Rule.reference(name);
  }

  boolean has(String name) {
    return rules.containsKey(name);
  }

  Grammar grammar(Rule root) {
    defineAs("root", root);
    return new Grammar(rules, "root");
  }
}
