package dev.nautil.grammar;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * All that a text so far may be the beginning of: the nodes that a byte or a token may lead on
 * from. Equal ones are the same object, as nodes are.
 */
final class Config {
  /** By ascending id. */
  final Node[] nodes;

  /** Whether the text so far is a whole one. */
  final boolean isComplete;

  /** By class of bytes: what follows, where that is known. */
  @Nullable Config @Nullable [] next;

  /** The configuration of the relaxed nodes, where it is known: {@link Node#relaxed}. */
  @Nullable Config relaxed;

  /** As {@link Node#room}, where the relaxed configuration is known. */
  int room = Integer.MAX_VALUE;

  /** Whether a node is a place of an intersection. */
  final boolean isInIntersection;

  /** Where it was looked for. */
  @Nullable Loop loop;

  /** Where it is known: {@link Machine#open}. */
  @Nullable Config open;

  /** Bytes of a text that leads to the end of an intersection, at most: {@link Product.Place}. */
  final int toEnd;

  /** The fewest bytes to an end of the text, as {@link Node#leastToEnd}. */
  final int leastToEnd;

  private final int hash;

  Config(Node[] nodes, boolean isComplete) {
    this.nodes = nodes;
    this.isComplete = isComplete;
    int h = isComplete ? 1 : 0;
    int far = 0;
    int near = isComplete ? 0 : Distances.FAR;
    boolean isPlace = false;
    for (Node node : nodes) {
      near = Math.min(near, node.leastToEnd);
      h = 31 * h + System.identityHashCode(node);
      if (node.data instanceof Product.Place place) {
        far = Math.max(far, place.toEnd());
        isPlace = true;
      }
    }
    isInIntersection = isPlace;
    hash = h;
    toEnd = far;
    leastToEnd = near;
  }

  /**
   * The first byte of a text of {@link #leastToEnd}, where the text is not a whole one; −1 if none.
   */
  int wayByte() {
    for (Node node : nodes) {
      if (node.leastToEnd == leastToEnd && node.wayByte() >= 0) {
        return node.wayByte();
      }
    }
    return -1;
  }

  /** Whether no text begins so. */
  boolean isDead() {
    return nodes.length == 0 && !isComplete;
  }

  /** Whether any plain text of so many characters leads on. */
  int plainCapacity() {
    int capacity = 0;
    for (Node node : nodes) {
      capacity = Math.max(capacity, PlainCapacity.of(node));
    }
    return capacity;
  }

  /** As {@link #toEnd}, of where any plain text leads: the most of {@link Product.Place}. */
  int plainToEnd() {
    int far = 0;
    for (Node node : nodes) {
      if (node.data instanceof Product.Place place) {
        far = Math.max(far, place.plainToEnd());
      }
    }
    return far;
  }

  /** Whether it is a place of an intersection where more rounds of a count are needed. */
  boolean isBelow() {
    return nodes.length == 1 && nodes[0].data instanceof Product.Place place && place.need() > 0;
  }

  /** Whether all that is left is rounds of one count. */
  boolean isCounting() {
    if (nodes.length != 1) {
      return false;
    }
    Frame frame = nodes[0].state.frame;
    return frame.kind == Frame.Kind.COUNT
        && nodes[0].state == frame.start
        && nodes[0].count != Machine.UNCOUNTED
        && nodes[0].returns.nodes.length == 0;
  }

  @Override
  public boolean equals(@Nullable Object o) {
    return o instanceof Config other
        && isComplete == other.isComplete
        && Arrays.equals(nodes, other.nodes, Machine.IDENTITY);
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
