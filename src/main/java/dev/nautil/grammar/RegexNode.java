package dev.nautil.grammar;

import java.util.List;

/** A part of a regular expression. */
sealed interface RegexNode {
  record Chars(CharSet set) implements RegexNode {}

  record Sequence(List<RegexNode> parts) implements RegexNode {}

  record Choice(List<RegexNode> alternatives) implements RegexNode {}

  /** {@link Rule.Repeat}. */
  record Repeat(RegexNode node, int min, int max) implements RegexNode {}

  /** Matches nothing, at the beginning or the end of the text. */
  record Anchor(boolean atEnd, int position) implements RegexNode {}

  /** The place of an anchor in it, or −1. */
  default int anchor() {
    if (this instanceof Anchor anchor) {
      return anchor.position();
    }
    for (RegexNode part : parts()) {
      int position = part.anchor();
      if (position >= 0) {
        return position;
      }
    }
    return -1;
  }

  /** Whether it matches the empty text; it has no anchors. */
  default boolean isNullable() {
    if (this instanceof Sequence sequence) {
      return sequence.parts.stream().allMatch(RegexNode::isNullable);
    } else if (this instanceof Choice choice) {
      return choice.alternatives.stream().anyMatch(RegexNode::isNullable);
    }
    return this instanceof Repeat repeat && (repeat.min == 0 || repeat.node.isNullable());
  }

  private List<RegexNode> parts() {
    if (this instanceof Sequence sequence) {
      return sequence.parts;
    } else if (this instanceof Choice choice) {
      return choice.alternatives;
    }
    return this instanceof Repeat repeat ? List.of(repeat.node) : List.of();
  }
}
