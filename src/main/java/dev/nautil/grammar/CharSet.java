package dev.nautil.grammar;

import java.util.Arrays;
import java.util.stream.IntStream;

/** A set of Unicode scalar values: code points that are no surrogates. Immutable. */
public final class CharSet {
  private static final int LAST = Character.MAX_CODE_POINT;

  /** Every character. */
  public static final CharSet ALL = range(0, LAST);

  /** Sorted, disjoint and not adjacent: first and last of each range, both in the set. */
  private final int[] ranges;

  private CharSet(int[] ranges) {
    this.ranges = ranges;
  }

  /** These characters. */
  public static CharSet of(String characters) {
    return normalized(characters.codePoints().flatMap(c -> IntStream.of(c, c)).toArray());
  }

  /** From first to last, both in it; surrogates are left out. */
  public static CharSet range(int first, int last) {
    if (first < 0 || last > LAST || first > last) {
      throw new IllegalArgumentException("characters from " + first + " to " + last);
    }
    return normalized(new int[] {first, last});
  }

  /** Collects characters in ascending order. */
  static final class Builder {
    private final IntStack pairs = new IntStack();

    void add(int c) {
      int size = pairs.size();
      if (size > 0 && pairs.get(size - 1) == c - 1) {
        pairs.set(size - 1, c);
      } else {
        pairs.push(c);
        pairs.push(c);
      }
    }

    CharSet build() {
      return normalized(pairs.toArray());
    }
  }

  public CharSet union(CharSet other) {
    int[] all = Arrays.copyOf(ranges, ranges.length + other.ranges.length);
    System.arraycopy(other.ranges, 0, all, ranges.length, other.ranges.length);
    return normalized(all);
  }

  public CharSet complement() {
    int[] gaps = new int[ranges.length + 2];
    int n = 0;
    int next = 0;
    for (int i = 0; i < ranges.length; i += 2) {
      if (ranges[i] > next) {
        gaps[n++] = next;
        gaps[n++] = ranges[i] - 1;
      }
      next = ranges[i + 1] + 1;
    }
    if (next <= LAST) {
      gaps[n++] = next;
      gaps[n++] = LAST;
    }
    return normalized(Arrays.copyOf(gaps, n));
  }

  public CharSet intersection(CharSet other) {
    return complement().union(other.complement()).complement();
  }

  public CharSet minus(CharSet other) {
    return intersection(other.complement());
  }

  public boolean contains(int codePoint) {
    for (int i = 0; i < ranges.length; i += 2) {
      if (codePoint >= ranges[i] && codePoint <= ranges[i + 1]) {
        return true;
      }
    }
    return false;
  }

  public boolean isEmpty() {
    return ranges.length == 0;
  }

  /** First and last of each range, in order; a copy. */
  public int[] ranges() {
    return ranges.clone();
  }

  private static CharSet normalized(int[] pairs) {
    int[][] sorted = new int[pairs.length][];
    int n = 0;
    for (int i = 0; i < pairs.length; i += 2) {
      // The surrogates' gap cuts a range in two.
      if (pairs[i] < Character.MIN_SURROGATE) {
        sorted[n++] = new int[] {pairs[i], Math.min(pairs[i + 1], Character.MIN_SURROGATE - 1)};
      }
      if (pairs[i + 1] > Character.MAX_SURROGATE) {
        sorted[n++] = new int[] {Math.max(pairs[i], Character.MAX_SURROGATE + 1), pairs[i + 1]};
      }
    }
    Arrays.sort(sorted, 0, n, (a, b) -> Integer.compare(a[0], b[0]));
    int[] merged = new int[2 * n];
    int m = 0;
    for (int i = 0; i < n; i++) {
      if (m > 0 && sorted[i][0] <= merged[m - 1] + 1) {
        merged[m - 1] = Math.max(merged[m - 1], sorted[i][1]);
      } else {
        merged[m++] = sorted[i][0];
        merged[m++] = sorted[i][1];
      }
    }
    return new CharSet(Arrays.copyOf(merged, m));
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof CharSet set && Arrays.equals(ranges, set.ranges);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(ranges);
  }

  @Override
  public String toString() {
    StringBuilder text = new StringBuilder("[");
    for (int i = 0; i < ranges.length; i += 2) {
      text.append(String.format("\\x{%x}-\\x{%x}", ranges[i], ranges[i + 1]));
    }
    return text.append(']').toString();
  }
}
