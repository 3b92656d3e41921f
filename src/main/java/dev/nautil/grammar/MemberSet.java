package dev.nautil.grammar;

import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Which members of a {@link Rule.Members} there may still be, as bits; the bit after the last
 * member's stands for the additional ones.
 */
final class MemberSet {
  /** States that are kept in order to be found again. */
  private static final int MAX_STATES = 10_000;

  /** What there has been so far. */
  final class Used {
    private final long[] used;
    private final int count;
    private final int requiredLeft;

    /** What may come next such that the rest can still come. */
    final long[] available;

    private Used(long[] used, int count, int requiredLeft) {
      this.used = used;
      this.count = count;
      this.requiredLeft = requiredLeft;
      available = new long[used.length];
      if (max == Rule.UNBOUNDED || count < max) {
        boolean anyFits = max == Rule.UNBOUNDED || count + requiredLeft < max;
        for (int i = 0; i < available.length; i++) {
          available[i] = (anyFits ? all[i] : required[i]) & ~used[i];
        }
      }
    }

    boolean isComplete() {
      return requiredLeft == 0 && count >= min;
    }

    boolean mayGoOn() {
      return intersect(available, all);
    }

    /** Whether additional members may come. */
    boolean allowsAdditional() {
      return has(available, additional);
    }

    /** What there is after one more, or null if that one may not come. */
    @Nullable Used with(int member) {
      return has(available, member) ? MemberSet.this.with(this, member) : null;
    }

    @Override
    public boolean equals(@Nullable Object o) {
      return o instanceof Used other && count == other.count && Arrays.equals(used, other.used);
    }

    @Override
    public int hashCode() {
      return 31 * Arrays.hashCode(used) + count;
    }
  }

  private final long[] all;
  private final long[] required;
  private final int min;
  private final int max;
  private final int additional;
  private final Used initial;
  private final Map<Used, Used> known = new HashMap<>();

  /**
   * @param members which may come at all, the additional ones counted
   * @param required which must
   * @param additional the bit of the additional ones
   */
  MemberSet(long[] members, long[] required, int additional, int min, int max) {
    this.all = members;
    this.required = required;
    this.additional = additional;
    this.min = min;
    this.max = max;
    initial = new Used(new long[members.length], 0, bitCount(required));
  }

  boolean leadsToAdditional(long[] reachable) {
    return has(reachable, additional);
  }

  Used initial() {
    return initial;
  }

  /** Whether there is a number of members within the bounds. */
  boolean isProductive() {
    int requiredCount = bitCount(required);
    boolean fewEnough = max == Rule.UNBOUNDED || requiredCount <= max && min <= max;
    boolean enough = has(all, additional) || bitCount(all) >= min;
    return fewEnough && enough;
  }

  private Used with(Used before, int member) {
    long[] used = before.used;
    int requiredLeft = before.requiredLeft;
    if (member != additional) {
      used = used.clone();
      used[member / 64] |= 1L << member;
      requiredLeft -= has(required, member) ? 1 : 0;
    }
    // Above the least number, only the way to the greatest counts.
    int count = max == Rule.UNBOUNDED ? Math.min(before.count + 1, min) : before.count + 1;
    Used after = new Used(used, count, requiredLeft);
    if (known.size() >= MAX_STATES) {
      known.clear();
    }
    Used same = known.putIfAbsent(after, after);
    return same == null ? after : same;
  }

  static long[] bits(int count) {
    return new long[(count + 63) / 64];
  }

  static boolean has(long[] bits, int bit) {
    return (bits[bit / 64] >> bit & 1) != 0;
  }

  static boolean intersect(long[] a, long[] b) {
    for (int i = 0; i < a.length; i++) {
      if ((a[i] & b[i]) != 0) {
        return true;
      }
    }
    return false;
  }

  private static int bitCount(long[] bits) {
    int count = 0;
    for (long word : bits) {
      count += Long.bitCount(word);
    }
    return count;
  }
}
