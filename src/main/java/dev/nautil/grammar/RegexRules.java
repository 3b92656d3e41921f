package dev.nautil.grammar;

import dev.nautil.GrammarException;
import java.util.ArrayList;
import java.util.List;

/**
 * Turns regular expressions into rules.
 *
 * <p>Whether an anchor holds depends on whether there is text before it or after it, and that is
 * known from which parts of a sequence are empty. So a part with anchors is split into the empty
 * text and the others, for each of the four contexts that it can be in: with text before it or not,
 * and with text after it or not.
 */
final class RegexRules {
  /** Rules that are made of one pattern; a pattern full of anchors could come to more. */
  private static final int MAX_RULES = 100_000;

  private final String pattern;
  private int made;

  private RegexRules(String pattern) {
    this.pattern = pattern;
  }

  static Rule rule(RegexNode node, String pattern) {
    RegexRules rules = new RegexRules(pattern);
    if (node.anchor() < 0) {
      return rules.plain(node);
    }
    List<Rule> alternatives = rules.nonEmpty(node, true, true);
    if (rules.matchesEmpty(node, true, true)) {
      alternatives.add(Rule.text(""));
    }
    return choice(alternatives);
  }

  private static Rule choice(List<Rule> alternatives) {
    return alternatives.size() == 1 ? alternatives.get(0) : new Rule.Choice(alternatives);
  }

  private void count() {
    if (++made > MAX_RULES) {
      throw new GrammarException("the pattern '" + pattern + "' is too large");
    }
  }

  /** Of what has no anchors. */
  private Rule plain(RegexNode node) {
    count();
    if (node instanceof RegexNode.Chars chars) {
      return Rule.chars(chars.set());
    } else if (node instanceof RegexNode.Choice choice) {
      return choice(choice.alternatives().stream().map(this::plain).toList());
    } else if (node instanceof RegexNode.Repeat repeat) {
      return new Rule.Repeat(plain(repeat.node()), repeat.min(), repeat.max());
    }
    return plainSequence(((RegexNode.Sequence) node).parts());
  }

  /** Single characters in a row become one text. */
  private Rule plainSequence(List<RegexNode> nodes) {
    List<Rule> parts = new ArrayList<>();
    StringBuilder text = new StringBuilder();
    for (RegexNode node : nodes) {
      int single = node instanceof RegexNode.Chars chars ? single(chars.set()) : -1;
      if (single >= 0) {
        text.appendCodePoint(single);
        continue;
      }
      addText(text, parts);
      parts.add(plain(node));
    }
    addText(text, parts);
    return parts.size() == 1 ? parts.get(0) : new Rule.Sequence(parts);
  }

  private static void addText(StringBuilder text, List<Rule> parts) {
    if (!text.isEmpty()) {
      parts.add(Rule.text(text.toString()));
      text.setLength(0);
    }
  }

  private static int single(CharSet set) {
    int[] ranges = set.ranges();
    return ranges.length == 2 && ranges[0] == ranges[1] ? ranges[0] : -1;
  }

  /**
   * Whether a part matches the empty text.
   *
   * @param first whether there is no text before it
   * @param last whether there is no text after it
   */
  private boolean matchesEmpty(RegexNode node, boolean first, boolean last) {
    if (node instanceof RegexNode.Anchor anchor) {
      return anchor.atEnd() ? last : first;
    } else if (node instanceof RegexNode.Sequence sequence) {
      return sequence.parts().stream().allMatch(p -> matchesEmpty(p, first, last));
    } else if (node instanceof RegexNode.Choice choice) {
      return choice.alternatives().stream().anyMatch(a -> matchesEmpty(a, first, last));
    }
    return node instanceof RegexNode.Repeat repeat
        && (repeat.min() == 0 || matchesEmpty(repeat.node(), first, last));
  }

  /** The texts of a part that are not empty, as alternatives. */
  private List<Rule> nonEmpty(RegexNode node, boolean first, boolean last) {
    count();
    List<Rule> alternatives = new ArrayList<>();
    if (node instanceof RegexNode.Chars) {
      alternatives.add(plain(node));
    } else if (node instanceof RegexNode.Choice choice) {
      choice.alternatives().forEach(a -> alternatives.addAll(nonEmpty(a, first, last)));
    } else if (node instanceof RegexNode.Sequence sequence) {
      if (node.anchor() >= 0) {
        return nonEmptySequence(grouped(sequence.parts()), first, last);
      }
      addNonEmpty(sequence.parts(), alternatives);
    } else if (node instanceof RegexNode.Repeat repeat) {
      addNonEmpty(repeat, first, last, alternatives);
    }
    return alternatives;
  }

  private void addNonEmpty(
      RegexNode.Repeat repeat, boolean first, boolean last, List<Rule> alternatives) {
    List<Rule> once = nonEmpty(repeat.node(), first, last);
    if (repeat.max() == 0 || once.isEmpty()) {
      return;
    }
    int anchor = repeat.node().anchor();
    if (anchor >= 0 && repeat.max() != 1) {
      throw new GrammarException(
          "the pattern '"
              + pattern
              + "' has an anchor in a repetition, at character "
              + (anchor + 1)
              + ", which is not supported");
    }
    int min = anchor >= 0 || repeat.node().isNullable() ? 1 : Math.max(1, repeat.min());
    alternatives.add(new Rule.Repeat(choice(once), min, repeat.max()));
  }

  /** Of a sequence without anchors: the first part that is not empty, and what follows it. */
  private void addNonEmpty(List<RegexNode> parts, List<Rule> alternatives) {
    for (int i = 0; i < parts.size(); i++) {
      List<Rule> part = nonEmpty(parts.get(i), false, false);
      if (!part.isEmpty()) {
        Rule rest = plainSequence(parts.subList(i + 1, parts.size()));
        alternatives.add(Rule.sequence(choice(part), rest));
      }
      if (!parts.get(i).isNullable()) {
        return;
      }
    }
  }

  /** Parts without anchors that follow each other, put together. */
  private static List<RegexNode> grouped(List<RegexNode> parts) {
    List<RegexNode> grouped = new ArrayList<>();
    List<RegexNode> plain = new ArrayList<>();
    for (RegexNode part : parts) {
      if (part.anchor() < 0) {
        plain.add(part);
        continue;
      }
      if (!plain.isEmpty()) {
        grouped.add(new RegexNode.Sequence(List.copyOf(plain)));
        plain.clear();
      }
      grouped.add(part);
    }
    if (!plain.isEmpty()) {
      grouped.add(new RegexNode.Sequence(plain));
    }
    return grouped;
  }

  private List<Rule> nonEmptySequence(List<RegexNode> parts, boolean first, boolean last) {
    if (parts.size() == 1) {
      return nonEmpty(parts.get(0), first, last);
    }
    count();
    RegexNode head = parts.get(0);
    List<RegexNode> tail = parts.subList(1, parts.size());
    List<Rule> alternatives = new ArrayList<>();
    if (matchesEmpty(head, first, false)) {
      alternatives.addAll(nonEmptySequence(tail, first, last));
    }
    if (matchesEmpty(new RegexNode.Sequence(tail), false, last)) {
      alternatives.addAll(nonEmpty(head, first, last));
    }
    List<Rule> heads = nonEmpty(head, first, false);
    if (!heads.isEmpty()) {
      List<Rule> tails = nonEmptySequence(tail, false, last);
      if (!tails.isEmpty()) {
        alternatives.add(Rule.sequence(choice(heads), choice(tails)));
      }
    }
    return alternatives;
  }
}
