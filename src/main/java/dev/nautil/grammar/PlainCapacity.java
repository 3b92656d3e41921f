package dev.nautil.grammar;

/** How many plain characters may follow, whichever they are. */
final class PlainCapacity {
  private PlainCapacity() {}

  static int of(Node node) {
    return node.state.plainCapacity;
  }
}
