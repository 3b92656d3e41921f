package dev.nautil.grammar;

import org.jspecify.annotations.Nullable;

/**
 * Where a frame is, and where it returns to. Equal ones of a {@link Machine} are the same object
 * (but for those of a cache that has been dropped since).
 */
final class Node {
  final State state;

  /** Of COUNT: the rounds that ended. */
  final int count;

  /** Of MEMBERS: a {@link MemberSet.Used}; of INTERSECTION: a {@link Product.Place}. */
  final @Nullable Object data;

  final ReturnSet returns;
  private final int hash;

  /** The last step of the machine that reached it. */
  int step;

  /** Among a machine's nodes; set when it turns out to be a new one. */
  int id;

  /** The node that does not count where bounds are far: {@link Machine}. */
  Node relaxed = this;

  /** Characters for which the relaxed node leads on alike. */
  int room = Integer.MAX_VALUE;

  /** The fewest bytes from here to the end of the text, as {@link Distances} tells. */
  int leastToEnd;

  Node(State state, int count, @Nullable Object data, ReturnSet returns) {
    this.state = state;
    this.count = count;
    this.data = data;
    this.returns = returns;
    int h = System.identityHashCode(state);
    h = 31 * h + count;
    h = 31 * h + System.identityHashCode(data);
    hash = 31 * h + System.identityHashCode(returns);
  }

  /** The first byte of a text of {@link #leastToEnd}; −1 if other nodes tell it. */
  int wayByte() {
    return data instanceof Product.Place place ? place.wayByte() : state.wayByte;
  }

  @Override
  public boolean equals(@Nullable Object o) {
    return o instanceof Node other
        && state == other.state
        && count == other.count
        && data == other.data
        && returns == other.returns;
  }

  @Override
  public int hashCode() {
    return hash;
  }
}
