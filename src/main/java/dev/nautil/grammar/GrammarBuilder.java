package dev.nautil.grammar;

import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;

/** Makes one grammar of several, whose rules may have the same names. Not thread-safe. */
public final class GrammarBuilder {
  private static final String ROOT = "root";

  private final Map<String, Rule> rules = new HashMap<>();
  private int added;

  /** Takes in a grammar and gives the rule of a text that it matches. */
  public Rule add(Grammar grammar) {
    String prefix = ++added + ".";
    UnaryOperator<String> name = old -> prefix + old;
    grammar.rules().forEach((old, rule) -> rules.put(name.apply(old), renamed(rule, name)));
    return Rule.reference(name.apply(grammar.root()));
  }

  /** A grammar of the texts that a rule matches, which may refer to what was taken in. */
  public Grammar build(Rule root) {
    Map<String, Rule> all = new HashMap<>(rules);
    all.put(ROOT, root);
    return new Grammar(all, ROOT);
  }

  private static Rule renamed(Rule rule, UnaryOperator<String> name) {
    if (rule instanceof Rule.Reference reference) {
      return Rule.reference(name.apply(reference.name()));
    } else if (rule instanceof Rule.Sequence sequence) {
      return new Rule.Sequence(renamed(sequence.parts(), name));
    } else if (rule instanceof Rule.Choice choice) {
      return new Rule.Choice(renamed(choice.alternatives(), name));
    } else if (rule instanceof Rule.Intersection intersection) {
      return new Rule.Intersection(renamed(intersection.rules(), name));
    } else if (rule instanceof Rule.Repeat repeat) {
      return new Rule.Repeat(renamed(repeat.rule(), name), repeat.min(), repeat.max());
    } else if (rule instanceof Rule.Members members) {
      return new Rule.Members(
          members.members().stream()
              .map(m -> new Rule.Member(renamed(m.rule(), name), m.required()))
              .toList(),
          members.additional().map(additional -> renamed(additional, name)),
          renamed(members.separator(), name),
          members.min(),
          members.max());
    }
    return rule;
  }

  private static List<Rule> renamed(List<Rule> rules, UnaryOperator<String> name) {
    return rules.stream().map(rule -> renamed(rule, name)).toList();
  }
}
