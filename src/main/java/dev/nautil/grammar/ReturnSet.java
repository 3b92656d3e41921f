package dev.nautil.grammar;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Where frames that began at one place return to. Equal ones are the same object, as nodes are. */
final class ReturnSet {
  /** By ascending id. */
  final Node[] nodes;

  /** Whether the text ends where the frame does. */
  final boolean endsText;

  private final int hash;

  /** The set of the relaxed nodes; as {@link Node#relaxed}. */
  ReturnSet relaxed = this;

  /** As {@link Node#room}. */
  int room = Integer.MAX_VALUE;

  /** As {@link Node#leastToEnd}. */
  int leastToEnd;

  /** Whether plain text may follow, where it is known: {@link Machine#plainFollows}. */
  @Nullable Boolean plainFollows;

  ReturnSet(Node[] nodes, boolean endsText) {
    this.nodes = nodes;
    this.endsText = endsText;
    int h = endsText ? 1 : 0;
    for (Node node : nodes) {
      h = 31 * h + System.identityHashCode(node);
    }
    hash = h;
  }

  @Override
  public boolean equals(@Nullable Object o) {
    return o instanceof ReturnSet other
        && endsText == other.endsText
        && Arrays.equals(nodes, other.nodes, Machine.IDENTITY);
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
