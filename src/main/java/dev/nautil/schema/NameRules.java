package dev.nautil.schema;

import dev.nautil.grammar.CharSet;
import dev.nautil.grammar.Rule;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Rules of the names of properties. */
final class NameRules {
  /** Characters of a name that others must differ from. */
  static final int MAX_LENGTH = 500;

  private final JsonText json;
  private final Rule anyRest;

  NameRules(RuleSet rules, JsonText json) {
    this.json = json;
    Rule character = json.commonCharacter(CharSet.ALL);
    anyRest =
        rules.defineAs("rest-of-name", Rule.sequence(Rule.zeroOrMore(character), Rule.text("\"")));
  }

  /** A name, as common writers spell it. */
  Rule name(String name) {
    List<Rule> parts = new ArrayList<>();
    parts.add(Rule.text("\""));
    parts.addAll(json.commonCharacters(name));
    parts.add(Rule.text("\""));
    return new Rule.Sequence(parts);
  }

  /** Names that have begun alike, by the character that is next. */
  private static final class Branch {
    final Map<Integer, Branch> next = new TreeMap<>();
    boolean isName;
  }

  /** Every name but these, however those are spelled. */
  Rule otherThan(Collection<String> names) {
    Branch root = new Branch();
    for (String name : names) {
      Branch at = root;
      for (int c : name.codePoints().toArray()) {
        at = at.next.computeIfAbsent(c, k -> new Branch());
      }
      at.isName = true;
    }
    return Rule.sequence(Rule.text("\""), otherThan(root));
  }

  /** What comes after a beginning that some of the names have too, with the last quote. */
  private Rule otherThan(Branch branch) {
    if (branch.next.isEmpty() && !branch.isName) {
      return anyRest;
    }
    List<Rule> alternatives = new ArrayList<>();
    if (!branch.isName) {
      alternatives.add(Rule.text("\""));
    }
    CharSet other = CharSet.ALL;
    for (Map.Entry<Integer, Branch> next : branch.next.entrySet()) {
      CharSet character = CharSet.range(next.getKey(), next.getKey());
      other = other.minus(character);
      alternatives.add(Rule.sequence(json.commonCharacter(character), otherThan(next.getValue())));
    }
    alternatives.add(Rule.sequence(json.commonCharacter(other), anyRest));
    return new Rule.Choice(alternatives);
  }
}
