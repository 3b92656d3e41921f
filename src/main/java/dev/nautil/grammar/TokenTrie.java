package dev.nautil.grammar;

/**
 * The texts of tokens as a tree, in arrays in the order of a depth-first walk: the node after a
 * node is its first child, and {@link #end} is where to go on if its children are not wanted.
 */
final class TokenTrie {
  /** Numbers of a node, side by side: a walk leaps, and each array would be a cache line a node. */
  private static final int STRIDE = 4;

  /** Number of nodes; the root is none. */
  final int size;

  /**
   * By node: {@link #low}; {@link #high}; {@link #end} and {@link #firstToken}; {@link #depth},
   * {@link #maxChars} and {@link #label}.
   */
  private final long[] nodes;

  /** In the order of the nodes that they end at. */
  final int[] tokens;

  final int maxDepth;

  /**
   * @param tokens whose texts are in order, none empty
   * @param starts by token, where its text starts in text
   * @param ends by token
   * @param chars by place in tokens; at most 127
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
    nodes = new long[STRIDE * (n + 1)];
    for (int i = 0; i <= n; i++) {
      nodes[STRIDE * i + 2] = first[i];
    }
    for (int i = 0; i < n; i++) {
      nodes[STRIDE * i] = lowBits[i];
      nodes[STRIDE * i + 1] = highBits[i];
      nodes[STRIDE * i + 2] |= (long) nodeEnds[i] << 32;
      nodes[STRIDE * i + 3] = (long) depths[i] << 32 | most[i] << 8 | labels[i] & 0xff;
    }
  }

  /** The byte that leads to a node. */
  int label(int node) {
    return (int) nodes[STRIDE * node + 3] & 0xff;
  }

  /** The number of bytes that lead to a node. */
  int depth(int node) {
    return (int) (nodes[STRIDE * node + 3] >> 32);
  }

  /** The most characters of a token at a node or below it. */
  int maxChars(int node) {
    return (int) nodes[STRIDE * node + 3] >> 8;
  }

  /** The node after the last one below a node. */
  int end(int node) {
    return (int) (nodes[STRIDE * node + 2] >> 32);
  }

  /**
   * Where a node's own tokens start in {@link #tokens}; they end where the next one's start. Of the
   * number of nodes, too.
   */
  int firstToken(int node) {
    return (int) nodes[STRIDE * node + 2];
  }

  /** The byte that leads to a node and those below it, as {@link Loop} has them. */
  long low(int node) {
    return nodes[STRIDE * node];
  }

  /** The same of {@link Loop#high}. */
  long high(int node) {
    return nodes[STRIDE * node + 1];
  }
}
