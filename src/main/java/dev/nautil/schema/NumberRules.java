package dev.nautil.schema;

import dev.nautil.grammar.CharSet;
import dev.nautil.grammar.Rule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Rules of the numbers within bounds: the automaton of {@link NumberText}, with states that do the
 * same made one, as one rule a state that several lead to.
 */
final class NumberRules {
  /** States of one automaton, with which its making takes a fraction of a second. */
  private static final int MAX_STATES = 60_000;

  /**
   * Digits of what goes on after the bounds are settled: with those before, no more than the
   * greatest double has.
   */
  private static final int MAX_DIGITS = 240;

  private static final int EXPONENT_DIGITS = 3;
  private static final int RADIX = 10;

  private final RuleSet rules;
  private final Map<NumberRange, Optional<Rule>> known = new HashMap<>();
  private final Map<NumberText.Exponents, Rule> exponents = new HashMap<>();

  NumberRules(RuleSet rules) {
    this.rules = rules;
  }

  /** The texts of the numbers in a range; empty if there is none. */
  Optional<Rule> of(NumberRange range) {
    return known.computeIfAbsent(range, r -> new Automaton(new NumberText(r)).rule());
  }

  /** The state after each of {@link NumberText#CHARACTERS}, by number; −1 for none. */
  private record Node(int[] next, boolean accepts, NumberText.Exponents exponents) {}

  /** One in the making. */
  private final class Automaton {
    private final List<Node> nodes = new ArrayList<>();
    private final Map<Integer, Rule> named = new HashMap<>();
    private int[] entries = {};

    Automaton(NumberText text) {
      explore(text);
      trim();
      merge();
    }

    private void explore(NumberText text) {
      Map<NumberText.State, Integer> numbers = new LinkedHashMap<>();
      List<NumberText.State> states = new ArrayList<>();
      numbers.put(text.start(), 0);
      states.add(text.start());
      for (int i = 0; i < states.size(); i++) {
        int[] next = new int[NumberText.CHARACTERS.length()];
        for (int c = 0; c < next.length; c++) {
          NumberText.State after = text.after(states.get(i), NumberText.CHARACTERS.charAt(c));
          if (after == null) {
            next[c] = -1;
            continue;
          }
          Integer number = numbers.putIfAbsent(after, states.size());
          next[c] = number == null ? states.size() : number;
          if (number == null) {
            states.add(after);
          }
        }
        if (states.size() > MAX_STATES) {
          throw new IllegalArgumentException("takes too many states");
        }
        nodes.add(new Node(next, text.accepts(states.get(i)), text.exponents(states.get(i))));
      }
    }

    /** Leaves out what leads to no number. */
    private void trim() {
      List<List<Integer>> before = new ArrayList<>();
      for (int i = 0; i < nodes.size(); i++) {
        before.add(new ArrayList<>());
      }
      for (int i = 0; i < nodes.size(); i++) {
        for (int target : nodes.get(i).next) {
          if (target >= 0) {
            before.get(target).add(i);
          }
        }
      }
      boolean[] live = new boolean[nodes.size()];
      List<Integer> pending = new ArrayList<>();
      for (int i = 0; i < live.length; i++) {
        live[i] = nodes.get(i).accepts || !nodes.get(i).exponents.isEmpty();
        if (live[i]) {
          pending.add(i);
        }
      }
      while (!pending.isEmpty()) {
        for (int source : before.get(pending.remove(pending.size() - 1))) {
          if (!live[source]) {
            live[source] = true;
            pending.add(source);
          }
        }
      }
      for (Node node : nodes) {
        for (int c = 0; c < node.next.length; c++) {
          if (node.next[c] >= 0 && !live[node.next[c]]) {
            node.next[c] = -1;
          }
        }
      }
    }

    /** Moore's algorithm: classes of states are refined until their members go on alike. */
    private void merge() {
      int[] classes = new int[nodes.size()];
      int count = 0;
      while (true) {
        Map<List<Object>, Integer> signatures = new HashMap<>();
        int[] refined = new int[classes.length];
        for (int i = 0; i < classes.length; i++) {
          Node node = nodes.get(i);
          List<Object> signature = new ArrayList<>(node.next.length + 3);
          signature.add(classes[i]);
          signature.add(node.accepts);
          signature.add(node.exponents);
          for (int target : node.next) {
            signature.add(target < 0 ? -1 : classes[target]);
          }
          refined[i] = signatures.computeIfAbsent(signature, k -> signatures.size());
        }
        classes = refined;
        if (signatures.size() == count) {
          break;
        }
        count = signatures.size();
      }
      keepOneEach(classes, count);
    }

    private void keepOneEach(int[] classes, int count) {
      Node[] merged = new Node[count];
      for (int i = 0; i < classes.length; i++) {
        if (merged[classes[i]] == null) {
          int[] next = nodes.get(i).next.clone();
          for (int c = 0; c < next.length; c++) {
            next[c] = next[c] < 0 ? -1 : classes[next[c]];
          }
          merged[classes[i]] = new Node(next, nodes.get(i).accepts, nodes.get(i).exponents);
        }
      }
      // The first state is of the first class, since classes are numbered as they are met.
      nodes.clear();
      nodes.addAll(List.of(merged));
      entries = new int[count];
      entries[0]++;
      for (int i = 0; i < count; i++) {
        for (int target : charactersByTarget(i).keySet()) {
          entries[target] += target == i ? 0 : 1;
        }
      }
    }

    private Map<Integer, String> charactersByTarget(int i) {
      Map<Integer, String> characters = new LinkedHashMap<>();
      int[] next = nodes.get(i).next;
      for (int c = 0; c < next.length; c++) {
        if (next[c] >= 0) {
          characters.merge(next[c], NumberText.CHARACTERS.substring(c, c + 1), String::concat);
        }
      }
      return characters;
    }

    Optional<Rule> rule() {
      boolean isEmpty =
          charactersByTarget(0).isEmpty()
              && !nodes.get(0).accepts
              && nodes.get(0).exponents.isEmpty();
      return isEmpty ? Optional.empty() : Optional.of(rules.define("number", rule(0)));
    }

    /**
     * What may come from a state on. Chains are short, since no state comes twice on one but those
     * that lead to themselves.
     */
    private Rule rule(int i) {
      List<Rule> alternatives = new ArrayList<>();
      Rule loop = null;
      for (Map.Entry<Integer, String> edge : charactersByTarget(i).entrySet()) {
        Rule characters = Rule.chars(CharSet.of(edge.getValue()));
        if (edge.getKey() == i) {
          loop = new Rule.Repeat(characters, 0, MAX_DIGITS);
        } else {
          alternatives.add(then(characters, edge.getKey()));
        }
      }
      if (!nodes.get(i).exponents.isEmpty()) {
        alternatives.add(exponent(nodes.get(i).exponents));
      }
      Rule rest = oneOf(alternatives);
      if (nodes.get(i).accepts) {
        rest = alternatives.isEmpty() ? Rule.text("") : Rule.optional(rest);
      }
      return loop == null ? rest : isNothing(rest) ? loop : Rule.sequence(loop, rest);
    }

    private Rule then(Rule characters, int target) {
      Rule rest = entries[target] == 1 ? rule(target) : shared(target);
      return isNothing(rest) ? characters : Rule.sequence(characters, rest);
    }

    private Rule shared(int target) {
      Rule rest = named.get(target);
      if (rest == null) {
        Rule rule = rule(target);
        rest = isNothing(rule) ? rule : rules.define("digits", rule);
        named.put(target, rest);
      }
      return rest;
    }
  }

  private static boolean isNothing(Rule rule) {
    return rule instanceof Rule.Text text && text.text().isEmpty();
  }

  private static Rule oneOf(List<Rule> alternatives) {
    return alternatives.size() == 1 ? alternatives.get(0) : new Rule.Choice(alternatives);
  }

  private Rule exponent(NumberText.Exponents range) {
    return exponents.computeIfAbsent(range, r -> rules.define("exponent", exponentOf(r)));
  }

  private static Rule exponentOf(NumberText.Exponents range) {
    List<Rule> alternatives = new ArrayList<>();
    if (range.last() >= 0) {
      Rule sign = Rule.optional(Rule.text("+"));
      alternatives.add(Rule.sequence(sign, magnitude(Math.max(range.first(), 0), range.last())));
    }
    if (range.first() <= 0) {
      Rule digits = magnitude(Math.max(-range.last(), 0), -range.first());
      alternatives.add(Rule.sequence(Rule.text("-"), digits));
    }
    return Rule.sequence(Rule.chars(CharSet.of("eE")), oneOf(alternatives));
  }

  /** One to three digits, with zeros before or without. */
  private static Rule magnitude(int first, int last) {
    List<Rule> alternatives = new ArrayList<>();
    int end = 1;
    for (int digits = 1; digits <= EXPONENT_DIGITS; digits++) {
      end *= RADIX;
      if (first < end) {
        alternatives.add(decimal(first, Math.min(last, end - 1), end / RADIX));
      }
    }
    return oneOf(alternatives);
  }

  /** Numbers from first to last of as many digits as the place of the first one says. */
  private static Rule decimal(int first, int last, int place) {
    if (place == 1) {
      return Rule.chars(CharSet.range('0' + first, '0' + last));
    }
    List<Rule> alternatives = new ArrayList<>();
    for (int digit = first / place; digit <= last / place; digit++) {
      int least = Math.max(first - digit * place, 0);
      int most = Math.min(last - digit * place, place - 1);
      Rule rest = decimal(least, most, place / RADIX);
      alternatives.add(Rule.sequence(Rule.chars(CharSet.range('0' + digit, '0' + digit)), rest));
    }
    return oneOf(alternatives);
  }
}
