package dev.nautil.tokenizer;

import java.util.Arrays;

/**
 * Byte-pair merging of one piece: again and again the pair of the lowest rank, the leftmost of
 * equal ones, until no pair merges.
 *
 * <p>A short piece, which is nearly every word, is scanned for the lowest rank; the time is
 * quadratic and the memory a few cache lines. A long one keeps its pairs in a heap, which makes the
 * time O(n log n) whatever the text.
 *
 * <p>Holds working memory: one for each encoding, not shared between threads.
 */
final class Merger {
  /** Measured on English text and on code: scanning beats the heap up to about this length. */
  private static final int LONGEST_SCANNED = 64;

  private final MergeTable table;

  /** The piece: filled by the caller, then the symbols that are left. */
  private int[] symbols = new int[LONGEST_SCANNED];

  /** By position: the merge of the symbol there and its right neighbour. */
  private long[] merges = new long[LONGEST_SCANNED];

  private int[] previous = {};
  private int[] next = {};
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
    return n <= LONGEST_SCANNED ? mergeScanning(n) : mergeByHeap(n);
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

  private int mergeByHeap(int n) {
    if (next.length < n) {
      previous = new int[n];
      next = new int[n];
    }
    heapSize = 0;
    merges[n - 1] = MergeTable.NONE;
    for (int i = 0; i < n; i++) {
      previous[i] = i - 1;
      next[i] = i + 1;
      push(i);
    }
    while (heapSize > 0) {
      long entry = pop();
      int left = (int) entry;
      if (MergeTable.rank(merges[left]) != (int) (entry >>> 32)) {
        continue; // one of the two has merged with another neighbour since
      }
      int right = next[left];
      symbols[left] = MergeTable.merged(merges[left]);
      merges[right] = MergeTable.NONE;
      int after = next[right];
      next[left] = after;
      if (after < n) {
        previous[after] = left;
      }
      update(left, after, n);
      if (previous[left] >= 0) {
        update(previous[left], left, n);
      }
    }
    int left = 0;
    for (int i = 0; i < n; i = next[i]) {
      symbols[left++] = symbols[i];
    }
    return left;
  }

  private void update(int left, int right, int n) {
    merges[left] = right < n ? table.get(symbols[left], symbols[right]) : MergeTable.NONE;
    push(left);
  }

  // A binary heap of (rank, position), two ints a long: the lowest first.

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
