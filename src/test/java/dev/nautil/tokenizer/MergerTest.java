package dev.nautil.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** All three ways of merging against the definition, on tables no training would make. */
class MergerTest {
  private static final int[] LENGTHS = {0, 1, 2, 3, 10, 63, 64, 65, 66, 200, 1000};

  @Test
  void mergesAsDefined() {
    for (int seed = 0; seed < 400; seed++) {
      Random random = new Random(seed);
      MergeTable table = table(random, seed % 4);
      Merger merger = new Merger(table);
      for (int n : LENGTHS) {
        List<Integer> piece = new ArrayList<>();
        int alphabet = 1 + random.nextInt(4);
        for (int i = 0; i < n; i++) {
          piece.add(random.nextInt(alphabet));
        }
        int[] symbols = merger.symbols(n);
        for (int i = 0; i < n; i++) {
          symbols[i] = piece.get(i);
        }
        int left = merger.merge(n);
        List<Integer> merged = new ArrayList<>();
        for (int i = 0; i < left; i++) {
          merged.add(merger.symbols(left)[i]);
        }
        assertEquals(defined(table, piece), merged, "seed " + seed + ", length " + n);
      }
    }
  }

  /** Ranks ascend with the symbols made (as trained ones do), tie, or have no order at all. */
  private static MergeTable table(Random random, int kind) {
    MergeTable table = new MergeTable();
    for (int merged = 4; merged < 40; merged++) {
      int rank = kind < 2 ? merged : kind == 2 ? random.nextInt(40) : random.nextInt(3);
      table.add(random.nextInt(merged), random.nextInt(merged), rank, merged);
    }
    return table;
  }

  private static List<Integer> defined(MergeTable table, List<Integer> piece) {
    List<Integer> symbols = new ArrayList<>(piece);
    while (true) {
      int best = -1;
      int bestRank = Integer.MAX_VALUE;
      long bestMerge = 0;
      for (int i = 0; i + 1 < symbols.size(); i++) {
        long merge = table.get(symbols.get(i), symbols.get(i + 1));
        if (merge != MergeTable.NONE && MergeTable.rank(merge) < bestRank) {
          best = i;
          bestRank = MergeTable.rank(merge);
          bestMerge = merge;
        }
      }
      if (best < 0) {
        return symbols;
      }
      symbols.set(best, MergeTable.merged(bestMerge));
      symbols.remove(best + 1);
    }
  }
}
