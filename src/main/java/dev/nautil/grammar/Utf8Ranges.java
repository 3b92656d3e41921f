package dev.nautil.grammar;

import java.util.ArrayList;
import java.util.List;

/**
 * The UTF-8 of a set of characters as sequences of ranges of bytes: a text is the encoding of one
 * of the characters if and only if it has as many bytes as one of the sequences has ranges, and
 * each byte is in its range. (Ken Thompson's construction, after "A Brief UTF-8 Primer" in Russ
 * Cox, "Regular Expression Matching in the Wild", 2010.)
 */
final class Utf8Ranges {
  private static final int[] LAST_OF_LENGTH = {0x7f, 0x7ff, 0xffff};

  private final List<int[]> sequences = new ArrayList<>();

  private Utf8Ranges() {}

  /** First and last of each byte's range, one byte after another. */
  static List<int[]> of(CharSet set) {
    Utf8Ranges result = new Utf8Ranges();
    int[] ranges = set.ranges();
    for (int i = 0; i < ranges.length; i += 2) {
      result.split(ranges[i], ranges[i + 1]);
    }
    return result.sequences;
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
    return Character.toString(codePoint).getBytes(java.nio.charset.StandardCharsets.UTF_8);
  }
}
