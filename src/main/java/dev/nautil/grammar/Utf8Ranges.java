package dev.nautil.grammar;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * The UTF-8 of a set of characters as an automaton: deterministic, without cycles, and with equal
 * parts shared.
 *
 * <p>A set is cut into sequences of ranges of bytes: a text is the encoding of one of the
 * characters if and only if it has as many bytes as one of the sequences has ranges, and each byte
 * is in its range. (Ken Thompson's construction; see Russ Cox, "Regular Expression Matching in the
 * Wild", 2010.) Two of the sequences that begin alike have the same range or no common byte at each
 * place up to where they part, since a range of lead bytes stands for all that may follow them.
 */
final class Utf8Ranges {
  private static final int[] LAST_OF_LENGTH = {0x7f, 0x7ff, 0xffff};

  private final List<int[]> sequences = new ArrayList<>();

  /** By state: first byte, last byte and state that follows, for each edge. State 0 is the end. */
  final List<int[]> states = new ArrayList<>();

  private final Map<List<Integer>, Integer> known = new HashMap<>();
  private int edges;

  /** Where it begins: a state of its own. */
  private final int[] start;

  private Utf8Ranges(CharSet set) {
    int[] ranges = set.ranges();
    for (int i = 0; i < ranges.length; i += 2) {
      split(ranges[i], ranges[i + 1]);
    }
    states.add(new int[0]);
    start = edges(0, sequences.size(), 0);
  }

  static Utf8Ranges of(CharSet set) {
    return new Utf8Ranges(set);
  }

  int[] start() {
    return start;
  }

  /** Number of edges. */
  int size() {
    return edges;
  }

  /** The edges for some sequences, from their byte at a depth on. */
  private int[] edges(int from, int to, int depth) {
    IntStack result = new IntStack();
    for (int i = from; i < to; ) {
      int first = sequences.get(i)[2 * depth];
      int last = sequences.get(i)[2 * depth + 1];
      int end = i + 1;
      while (end < to && sequences.get(end)[2 * depth] == first) {
        end++;
      }
      result.push(first);
      result.push(last);
      boolean ends = sequences.get(i).length == 2 * depth + 2;
      result.push(ends ? 0 : state(edges(i, end, depth + 1)));
      i = end;
    }
    edges += depth == 0 ? result.size() / 3 : 0;
    return result.toArray();
  }

  private int state(int[] stateEdges) {
    List<Integer> key = Arrays.stream(stateEdges).boxed().toList();
    Integer state = known.get(key);
    if (state == null) {
      state = states.size();
      states.add(stateEdges);
      known.put(key, state);
      edges += stateEdges.length / 3;
    }
    return state;
  }

  private void split(int first, int last) {
    for (int end : LAST_OF_LENGTH) {
      if (first <= end && end < last) {
        split(first, end);
        split(end + 1, last);
        return;
      }
    }
    // Cut until all but one byte are equal or go through all that a continuation byte may be.
    for (int bits = 6; last > 0x7f && bits <= 18; bits += 6) {
      int mask = (1 << bits) - 1;
      if ((first & ~mask) != (last & ~mask)) {
        if ((first & mask) != 0) {
          split(first, first | mask);
          split((first | mask) + 1, last);
          return;
        }
        if ((last & mask) != mask) {
          split(first, (last & ~mask) - 1);
          split(last & ~mask, last);
          return;
        }
      }
    }
    byte[] low = bytes(first);
    byte[] high = bytes(last);
    int[] sequence = new int[2 * low.length];
    for (int i = 0; i < low.length; i++) {
      sequence[2 * i] = low[i] & 0xff;
      sequence[2 * i + 1] = high[i] & 0xff;
    }
    sequences.add(sequence);
  }

  private static byte[] bytes(int codePoint) {
    return Character.toString(codePoint).getBytes(StandardCharsets.UTF_8);
  }
}
