package dev.nautil.grammar;

import java.util.BitSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Whether a text matches a grammar, by definition: for each rule and place the ends that it may
 * have there, computed from what is known of the others until nothing new is found. Characters, no
 * bytes; no automata, no stacks.
 */
final class NaiveRecognizer {
  private final Grammar grammar;
  private final int[] text;
  private final Map<String, BitSet[]> ends = new HashMap<>();

  private NaiveRecognizer(Grammar grammar, String text) {
    this.grammar = grammar;
    this.text = text.codePoints().toArray();
    for (String name : grammar.rules().keySet()) {
      BitSet[] sets = new BitSet[this.text.length + 1];
      for (int i = 0; i < sets.length; i++) {
        sets[i] = new BitSet();
      }
      ends.put(name, sets);
    }
  }

  static boolean matches(Grammar grammar, String text) {
    NaiveRecognizer recognizer = new NaiveRecognizer(grammar, text);
    recognizer.solve();
    return recognizer.ends.get(grammar.root())[0].get(recognizer.text.length);
  }

  private void solve() {
    boolean changed = true;
    while (changed) {
      changed = false;
      for (Map.Entry<String, BitSet[]> entry : ends.entrySet()) {
        for (int at = 0; at <= text.length; at++) {
          BitSet now = ends(grammar.rules().get(entry.getKey()), at);
          changed |= !now.equals(entry.getValue()[at]);
          entry.getValue()[at] = now;
        }
      }
    }
  }

  private BitSet ends(Rule rule, int at) {
    if (rule instanceof Rule.Text literal) {
      int[] wanted = literal.text().codePoints().toArray();
      boolean same = at + wanted.length <= text.length;
      for (int i = 0; same && i < wanted.length; i++) {
        same = text[at + i] == wanted[i];
      }
      return same ? single(at + wanted.length) : new BitSet();
    } else if (rule instanceof Rule.Chars chars) {
      boolean same = at < text.length && chars.set().contains(text[at]);
      return same ? single(at + 1) : new BitSet();
    } else if (rule instanceof Rule.Reference reference) {
      return (BitSet) ends.get(reference.name())[at].clone();
    } else if (rule instanceof Rule.Sequence sequence) {
      BitSet now = single(at);
      for (Rule part : sequence.parts()) {
        now = after(now, part);
      }
      return now;
    } else if (rule instanceof Rule.Choice choice) {
      BitSet all = new BitSet();
      choice.alternatives().forEach(a -> all.or(ends(a, at)));
      return all;
    } else if (rule instanceof Rule.Repeat repeat) {
      return repeat(repeat, at);
    } else if (rule instanceof Rule.Intersection intersection) {
      BitSet all = new BitSet();
      all.set(at, text.length + 1);
      intersection.rules().forEach(r -> all.and(ends(r, at)));
      return all;
    }
    BitSet all = new BitSet();
    Rule.Members members = (Rule.Members) rule;
    members(members, new boolean[members.members().size()], 0, single(at), all);
    return all;
  }

  private BitSet repeat(Rule.Repeat repeat, int at) {
    BitSet all = new BitSet();
    BitSet now = single(at);
    // More rounds than characters, past the least, only repeat the empty text.
    int most = repeat.min() + text.length + 1;
    int max = repeat.max() == Rule.UNBOUNDED ? most : Math.min(most, repeat.max());
    for (int round = 0; round <= max && !now.isEmpty(); round++) {
      if (round >= repeat.min()) {
        all.or(now);
      }
      now = after(now, repeat.rule());
    }
    return all;
  }

  private void members(Rule.Members rule, boolean[] used, int count, BitSet at, BitSet all) {
    List<Rule.Member> members = rule.members();
    boolean complete = count >= rule.min();
    for (int i = 0; i < used.length; i++) {
      complete &= used[i] || !members.get(i).required();
    }
    if (complete) {
      all.or(at);
    }
    BitSet next = count == 0 ? at : after(at, rule.separator());
    if (at.isEmpty() || count == rule.max() || next.isEmpty()) {
      return;
    }
    for (int i = 0; i < used.length; i++) {
      if (!used[i]) {
        used[i] = true;
        members(rule, used, count + 1, after(next, members.get(i).rule()), all);
        used[i] = false;
      }
    }
    if (rule.additional().isPresent() && count <= text.length) {
      members(rule, used, count + 1, after(next, rule.additional().get()), all);
    }
  }

  private BitSet after(BitSet starts, Rule rule) {
    BitSet all = new BitSet();
    starts.stream().forEach(s -> all.or(ends(rule, s)));
    return all;
  }

  private static BitSet single(int at) {
    BitSet set = new BitSet();
    set.set(at);
    return set;
  }
}
