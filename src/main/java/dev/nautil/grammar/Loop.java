package dev.nautil.grammar;

import java.util.HashSet;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Plain characters (see {@link GrammarVocabulary}) each of which leads from a place back to it: in
 * {@code [^<>]*}, all but two. Tokens of them are allowed without being followed byte by byte.
 *
 * @param low bits of the characters below 64; the first 32, which are not plain, stand for the
 *     characters beyond ASCII by the last five bits of their first byte
 * @param high bits of the characters from 64 to 127
 */
record Loop(long low, long high) {
  /**
   * Nodes below one of a trie, for fewer of which no loop is looked for: to visit all 261,714 of
   * Tekken's plain tokens takes 2.7 ms, so that a hundred take a microsecond, about as long as
   * looking.
   */
  static final int MIN_SUBTREE = 100;

  private static final long BEYOND_ASCII = 0xffff_ffffL;

  /** Where bytes lead. Bytes of one class lead to the same everywhere. */
  interface Steps<T> {
    /** What follows; null if nothing does. */
    @Nullable T after(T from, int b);

    /** By byte. */
    int[] classOf();

    /** By class: a byte of it. */
    int[] byteOf();
  }

  static long lowBit(byte b) {
    if (b < 0) {
      boolean startsCharacter = b >= (byte) 0xc0;
      return startsCharacter ? 1L << (b & 0x1f) : 0;
    }
    return b < 64 ? 1L << b : 0;
  }

  static long highBit(byte b) {
    return b < 64 ? 0 : 1L << b;
  }

  static <T> Loop at(T place, Steps<T> steps) {
    long low = BEYOND_ASCII & ~leadsElsewhere(place, steps);
    long high = 0;
    for (int b = ' '; b < 0x80; b++) {
      if (PlainCapacity.PLAIN.contains(b) && steps.after(place, b) == place) {
        low |= lowBit((byte) b);
        high |= highBit((byte) b);
      }
    }
    return new Loop(low, high);
  }

  /** Bits of the characters beyond ASCII of which some do not lead back. */
  private static <T> long leadsElsewhere(T place, Steps<T> steps) {
    long bits = 0;
    int[] edges = PlainCapacity.BEYOND_ASCII.start();
    for (int e = 0; e < edges.length; e += 3) {
      for (int first = edges[e]; first <= edges[e + 1]; first++) {
        Set<T> targets = new HashSet<>();
        int[] edge = {first, first, edges[e + 2]};
        boolean isLive = follow(place, edge, PlainCapacity.BEYOND_ASCII, steps, targets);
        if (!isLive || !targets.equals(Set.of(place))) {
          bits |= lowBit((byte) first);
        }
      }
    }
    return bits;
  }

  /** Collects the places that characters lead to; false if one leads nowhere. */
  static <T> boolean follow(T from, int[] edges, Utf8Ranges utf8, Steps<T> steps, Set<T> targets) {
    for (int e = 0; e < edges.length; e += 3) {
      int last = steps.classOf()[edges[e + 1]];
      for (int c = steps.classOf()[edges[e]]; c <= last; c++) {
        T next = steps.after(from, steps.byteOf()[c]);
        if (next == null) {
          return false;
        }
        if (edges[e + 2] == 0) {
          targets.add(next);
        } else if (!follow(next, utf8.states.get(edges[e + 2]), utf8, steps, targets)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Whether the tokens at a node of a trie and below it consist of them, from that byte on. */
  boolean covers(TokenTrie trie, int node) {
    return (trie.low(node) & ~low | trie.high(node) & ~high) == 0;
  }
}
