package dev.nautil.tokenizer;

/**
 * Which neighbouring symbols merge, into what, and in which order.
 *
 * <p>Filled by one thread; then only read, by any number.
 */
final class MergeTable {
  /** What {@link #get} returns for two symbols that do not merge; ranks after every merge. */
  static final long NONE = Long.MAX_VALUE;

  /** Pairs of (left symbol, right symbol) and (rank, merged symbol), two ints a long. */
  private long[] slots = new long[2 * 1024];

  private int size;
  private int ranks;

  /** Notes a merge, unless the same two symbols already have one. A lower rank merges first. */
  void add(int left, int right, int rank, int merged) {
    if (get(left, right) != NONE) {
      return;
    }
    if (4 * ++size > slots.length) {
      long[] old = slots;
      slots = new long[2 * old.length];
      for (int i = 0; i < old.length; i += 2) {
        if (old[i + 1] != 0) {
          place(old[i], old[i + 1]);
        }
      }
    }
    ranks = Math.max(ranks, rank + 2);
    // Rank + 1, so that no value is 0, which marks a free slot.
    place((long) left << 32 | right, (long) (rank + 1) << 32 | merged);
  }

  /**
   * The merge of two symbols, or {@link #NONE}. {@link #rank} orders the results, {@link #merged}
   * gives the new symbol.
   */
  long get(int left, int right) {
    long key = (long) left << 32 | right;
    int mask = slots.length - 1;
    for (int slot = slot(key); slots[slot + 1] != 0; slot = slot + 2 & mask) {
      if (slots[slot] == key) {
        return slots[slot + 1];
      }
    }
    return NONE;
  }

  /** One more than the highest {@link #rank} of a merge. */
  int ranks() {
    return ranks;
  }

  static int rank(long merge) {
    return (int) (merge >>> 32);
  }

  static int merged(long merge) {
    return (int) merge;
  }

  private void place(long key, long value) {
    int mask = slots.length - 1;
    int slot = slot(key);
    while (slots[slot + 1] != 0) {
      slot = slot + 2 & mask;
    }
    slots[slot] = key;
    slots[slot + 1] = value;
  }

  private int slot(long key) {
    long h = key * 0x9E3779B97F4A7C15L;
    return (int) (h >>> 32 ^ h >>> 47) << 1 & slots.length - 1;
  }
}
