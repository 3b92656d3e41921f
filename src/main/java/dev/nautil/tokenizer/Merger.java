package dev.nautil.tokenizer;

import java.util.Arrays;
import java.util.BitSet;

/**
 * Byte-pair merging of one piece: again and again the pair of the lowest rank, the leftmost of
 * equal ones, until no pair merges.
 *
 * <p>A short piece, which is nearly every word, is scanned for the lowest rank; the time is
 * quadratic and the memory a few cache lines.
 *
 * <p>A long one is linked, and its pairs are listed by rank. As long as a merge only makes pairs
 * that rank after it, as in any trained vocabulary they nearly always do, all pairs of one rank are
 * merged in one sweep from left to right: linear in time for one rank, and in order in memory,
 * where a heap of a million pairs would miss the cache at each step. When a merge makes a pair that
 * ranks before or with it, a heap takes over, which any vocabulary allows. Either way the time is
 * O(n log n) whatever the text.
 *
 * <p>Holds working memory: one for each encoding, not shared between threads.
 */
final class Merger {
  /**
   * Measured on Chinese sentences, which make long pieces: at 36 bytes scanning is 1.5 times as
   * fast as sweeping, at 90 bytes sweeping is 1.3 times as fast as scanning.
   */
  private static final int LONGEST_SCANNED = 64;

  private final MergeTable table;

  /** The piece: filled by the caller, then the symbols that are left. */
  private int[] symbols = new int[LONGEST_SCANNED];

  /** By position: the merge of the symbol there and its right neighbour. */
  private long[] merges = new long[LONGEST_SCANNED];

  private int[] previous = {};
  private int[] next = {};

  /** By rank: the last entry of the rank's list + 1, or 0. */
  private int[] heads = {};

  /** Ranks whose list is not empty. */
  private final BitSet pending = new BitSet();

  /** Pairs of (previous entry of the list + 1, position), two ints a long. */
  private long[] entries = {};

  private int entryCount;

  /** The first of the entries to use again + 1, linked as a list is, or 0. */
  private int freeEntries;

  private int[] batch = {};

  /** Pairs of (rank, position), two ints a long. */
  private long[] heap = {};

  private int heapSize;

  Merger(MergeTable table) {
    this.table = table;
  }

  /**
   * The array to put a piece of up to n symbols into, and to read the result from; keeps content.
   */
  int[] symbols(int n) {
    if (symbols.length < n) {
      symbols = Arrays.copyOf(symbols, Math.max(n, 2 * symbols.length));
    }
    return symbols;
  }

  /** Merges the first n symbols; returns how many are left. */
  int merge(int n) {
    if (n < 2) {
      return n;
    }
    if (merges.length < n) {
      merges = new long[symbols.length];
    }
    for (int i = 0; i + 1 < n; i++) {
      merges[i] = table.get(symbols[i], symbols[i + 1]);
    }
    return n <= LONGEST_SCANNED ? mergeScanning(n) : mergeLinked(n);
  }

  private int mergeScanning(int length) {
    int n = length;
    while (true) {
      int best = -1;
      int bestRank = MergeTable.rank(MergeTable.NONE);
      for (int i = 0; i + 1 < n; i++) {
        int rank = MergeTable.rank(merges[i]);
        if (rank < bestRank) {
          bestRank = rank;
          best = i;
        }
      }
      if (best < 0) {
        return n;
      }
      symbols[best] = MergeTable.merged(merges[best]);
      n--;
      for (int i = best + 1; i < n; i++) {
        symbols[i] = symbols[i + 1];
        merges[i] = merges[i + 1];
      }
      if (best > 0) {
        merges[best - 1] = table.get(symbols[best - 1], symbols[best]);
      }
      if (best + 1 < n) {
        merges[best] = table.get(symbols[best], symbols[best + 1]);
      }
    }
  }

  private int mergeLinked(int n) {
    if (next.length < n) {
      previous = new int[n];
      next = new int[n];
    }
    merges[n - 1] = MergeTable.NONE;
    for (int i = 0; i < n; i++) {
      previous[i] = i - 1;
      next[i] = i + 1;
    }
    if (!sweep(n)) {
      mergeByHeap(n);
    }
    int left = 0;
    for (int i = 0; i < n; i = next[i]) {
      symbols[left++] = symbols[i];
    }
    return left;
  }

  /** Merges the symbols at {@code left} and after it, and looks up both new neighbourhoods. */
  private void mergeAt(int left, int n) {
    int right = next[left];
    int after = next[right];
    symbols[left] = MergeTable.merged(merges[left]);
    merges[right] = MergeTable.NONE;
    next[left] = after;
    if (after < n) {
      previous[after] = left;
      merges[left] = table.get(symbols[left], symbols[after]);
    } else {
      merges[left] = MergeTable.NONE;
    }
    int before = previous[left];
    if (before >= 0) {
      merges[before] = table.get(symbols[before], symbols[left]);
    }
  }

  // ---- all pairs of one rank at a time

  /**
   * Merges rank by rank. Stops, and returns false, when a merge makes a pair that does not rank
   * after it: that pair's turn would be now.
   */
  private boolean sweep(int n) {
    if (heads.length == 0) {
      heads = new int[table.ranks()];
    }
    if (entries.length < n) {
      entries = new long[n];
    }
    entryCount = 0;
    freeEntries = 0;
    for (int i = 0; i < n; i++) {
      enlist(i);
    }
    for (int rank = pending.nextSetBit(0); rank >= 0; rank = pending.nextSetBit(rank + 1)) {
      int count = take(rank);
      for (int i = 0; i < count; i++) {
        int left = batch[i];
        if (MergeTable.rank(merges[left]) == rank) { // else a neighbour took one of the two
          mergeAt(left, n);
          int lowest = enlist(left);
          if (previous[left] >= 0) {
            lowest = Math.min(lowest, enlist(previous[left]));
          }
          if (lowest <= rank) {
            pending.clear();
            Arrays.fill(heads, 0);
            return false;
          }
        }
      }
    }
    return true;
  }

  /** Puts a position on the list of its rank, which it returns. */
  private int enlist(int position) {
    int rank = MergeTable.rank(merges[position]);
    if (merges[position] == MergeTable.NONE) {
      return rank;
    }
    int entry = freeEntries;
    if (entry != 0) {
      freeEntries = (int) (entries[entry - 1] >>> 32);
    } else {
      if (entryCount == entries.length) {
        entries = Arrays.copyOf(entries, entryCount + entryCount / 2 + 1);
      }
      entry = ++entryCount;
    }
    entries[entry - 1] = (long) heads[rank] << 32 | position;
    heads[rank] = entry;
    pending.set(rank);
    return rank;
  }

  /**
   * Empties the list of a rank into the batch, in order of position; returns how many there are.
   */
  private int take(int rank) {
    int count = 0;
    for (int entry = heads[rank]; entry != 0; ) {
      if (count == batch.length) {
        batch = Arrays.copyOf(batch, Math.max(256, 2 * count));
      }
      batch[count++] = (int) entries[entry - 1];
      int following = (int) (entries[entry - 1] >>> 32);
      entries[entry - 1] = (long) freeEntries << 32;
      freeEntries = entry;
      entry = following;
    }
    heads[rank] = 0;
    Arrays.sort(batch, 0, count);
    return count;
  }

  // ---- a heap of pairs

  private void mergeByHeap(int n) {
    heapSize = 0;
    for (int i = 0; i < n; i = next[i]) {
      push(i);
    }
    while (heapSize > 0) {
      long entry = pop();
      int left = (int) entry;
      if (MergeTable.rank(merges[left]) == (int) (entry >>> 32)) {
        mergeAt(left, n);
        push(left);
        if (previous[left] >= 0) {
          push(previous[left]);
        }
      }
    }
  }

  private void push(int position) {
    long merge = merges[position];
    if (merge == MergeTable.NONE) {
      return;
    }
    if (heapSize == heap.length) {
      heap = Arrays.copyOf(heap, Math.max(256, 2 * heap.length));
    }
    long entry = (long) MergeTable.rank(merge) << 32 | position;
    int i = heapSize++;
    while (i > 0 && heap[(i - 1) / 2] > entry) {
      heap[i] = heap[(i - 1) / 2];
      i = (i - 1) / 2;
    }
    heap[i] = entry;
  }

  private long pop() {
    long top = heap[0];
    long entry = heap[--heapSize];
    int i = 0;
    for (int child = 1; child < heapSize; child = 2 * i + 1) {
      if (child + 1 < heapSize && heap[child + 1] < heap[child]) {
        child++;
      }
      if (heap[child] >= entry) {
        break;
      }
      heap[i] = heap[child];
      i = child;
    }
    heap[i] = entry;
    return top;
  }
}
