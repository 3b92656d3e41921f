package dev.nautil.grammar;

import java.util.Arrays;

/**
 * A nondeterministic automaton under construction: states are numbers, edges are by a range of
 * bytes, by a frame that is called, by a token, or free.
 */
final class Nfa {
  static final int FREE = 0;
  static final int BYTES = 1;
  static final int CALL = 2;
  static final int TOKEN = 3;

  /** By state: its last edge, or −1. */
  private int[] lastEdge = new int[16];

  /** By state: what is accepted there, or −1. */
  private int[] tags = new int[16];

  private int size;

  /** By edge: kind, first byte or frame or token, last byte, target, the state's edge before. */
  private int[] edges = new int[5 * 32];

  private int edgeCount;

  int size() {
    return size;
  }

  int newState() {
    if (size == lastEdge.length) {
      lastEdge = Arrays.copyOf(lastEdge, 2 * size);
      tags = Arrays.copyOf(tags, 2 * size);
    }
    lastEdge[size] = -1;
    tags[size] = -1;
    return size++;
  }

  void accept(int state, int tag) {
    tags[state] = tag;
  }

  int tag(int state) {
    return tags[state];
  }

  void free(int from, int to) {
    if (from != to) {
      edge(from, FREE, 0, 0, to);
    }
  }

  void bytes(int from, int first, int last, int to) {
    edge(from, BYTES, first, last, to);
  }

  void call(int from, int frame, int to) {
    edge(from, CALL, frame, 0, to);
  }

  void token(int from, int id, int to) {
    edge(from, TOKEN, id, 0, to);
  }

  private void edge(int from, int kind, int a, int b, int to) {
    int at = 5 * edgeCount;
    if (at == edges.length) {
      edges = Arrays.copyOf(edges, 2 * at);
    }
    edges[at] = kind;
    edges[at + 1] = a;
    edges[at + 2] = b;
    edges[at + 3] = to;
    edges[at + 4] = lastEdge[from];
    lastEdge[from] = edgeCount++;
  }

  /** A state's last edge, or −1. */
  int lastEdge(int state) {
    return lastEdge[state];
  }

  /** The edge of the same state before this one, or −1. */
  int before(int edge) {
    return edges[5 * edge + 4];
  }

  int kind(int edge) {
    return edges[5 * edge];
  }

  /** First byte, frame or token. */
  int first(int edge) {
    return edges[5 * edge + 1];
  }

  /** Last byte. */
  int last(int edge) {
    return edges[5 * edge + 2];
  }

  int target(int edge) {
    return edges[5 * edge + 3];
  }

  /** Text from a state; gives the state after it. */
  int text(int from, byte[] text) {
    int at = from;
    for (byte b : text) {
      int to = newState();
      bytes(at, b & 0xff, b & 0xff, to);
      at = to;
    }
    return at;
  }

  /** One character from a state; gives the state after it. */
  int chars(int from, Utf8Ranges utf8) {
    int to = newState();
    int[] numbers = new int[utf8.states.size()];
    numbers[0] = to;
    for (int i = 1; i < numbers.length; i++) {
      numbers[i] = newState();
      bytes(numbers[i], utf8.states.get(i), numbers);
    }
    bytes(from, utf8.start(), numbers);
    return to;
  }

  /** Edges to states that come before. */
  private void bytes(int from, int[] edgesOf, int[] numbers) {
    for (int e = 0; e < edgesOf.length; e += 3) {
      bytes(from, edgesOf[e], edgesOf[e + 1], numbers[edgesOf[e + 2]]);
    }
  }
}
