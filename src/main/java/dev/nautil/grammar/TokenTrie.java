package dev.nautil.grammar;

import java.util.Arrays;

/**
 * The texts of tokens as a tree, in arrays in the order of a depth-first walk: the node after a
 * node is its first child, and {@link #end} is where to go on if its children are not wanted.
 */
final class TokenTrie {
  /** Number of nodes; the root is none. */
  final int size;

  /** By node: the byte that leads to it. */
  final byte[] label;

  /** By node: the number of bytes that lead to it. */
  final int[] depth;

  /** By node: the node after the last one below it. */
  final int[] end;

  /**
   * By node: where its own tokens start in {@link #tokens}; they end where the next one's start.
   */
  final int[] firstToken;

  final int[] tokens;

  /** By node: the most characters of a token at it or below it. */
  final int[] maxChars;

  /** By node: the byte that leads to it and those below it, as {@link Loop} has them. */
  final long[] low;

  final long[] high;

  final int maxDepth;

  /**
   * @param tokens whose texts are in order, none empty
   * @param starts by token, where its text starts in text
   * @param ends by token
   * @param chars by place in tokens
   */
  TokenTrie(int[] tokens, byte[] text, int[] starts, int[] ends, int[] chars) {
    int total = 0;
    int deepest = 0;
    for (int token : tokens) {
      total += ends[token] - starts[token];
      deepest = Math.max(deepest, ends[token] - starts[token]);
    }
    this.tokens = tokens;
    byte[] labels = new byte[total];
    int[] depths = new int[total];
    int[] nodeEnds = new int[total];
    int[] first = new int[total + 1];
    int[] most = new int[total];
    long[] lowBits = new long[total];
    long[] highBits = new long[total];
    int[] path = new int[deepest + 1];
    int n = 0;
    int open = 0;
    for (int t = 0; t < tokens.length; t++) {
      int start = starts[tokens[t]];
      int length = ends[tokens[t]] - start;
      int same = 0;
      while (same < open && same < length && labels[path[same]] == text[start + same]) {
        same++;
      }
      while (open > same) {
        nodeEnds[path[--open]] = n;
      }
      for (; open < length; open++) {
        labels[n] = text[start + open];
        depths[n] = open + 1;
        first[n] = t;
        path[open] = n++;
      }
      long lowBelow = 0;
      long highBelow = 0;
      for (int d = open - 1; d >= 0; d--) {
        int node = path[d];
        lowBelow |= Loop.lowBit(labels[node]);
        highBelow |= Loop.highBit(labels[node]);
        lowBits[node] |= lowBelow;
        highBits[node] |= highBelow;
        most[node] = Math.max(most[node], chars[t]);
      }
    }
    while (open > 0) {
      nodeEnds[path[--open]] = n;
    }
    first[n] = tokens.length;
    size = n;
    maxDepth = deepest;
    label = Arrays.copyOf(labels, n);
    depth = Arrays.copyOf(depths, n);
    end = Arrays.copyOf(nodeEnds, n);
    firstToken = Arrays.copyOf(first, n + 1);
    maxChars = Arrays.copyOf(most, n);
    low = Arrays.copyOf(lowBits, n);
    high = Arrays.copyOf(highBits, n);
  }
}
