package dev.nautil.grammar;

/**
 * Plain characters (see {@link GrammarVocabulary}) each of which leads from a place of an
 * intersection back to it, but for counts: in {@code [^<>]*} beside a length, all but two. Tokens
 * of them are allowed without being followed byte by byte, whatever the count: below the least
 * length, where each number of characters is a place of its own, a mask of 131,072 tokens visits
 * 4,258 nodes of their tries instead of 266,000.
 *
 * @param low bits of the characters below 64; the first 32, which are not plain, stand for the
 *     characters beyond ASCII by the last five bits of their first byte
 * @param high bits of the characters from 64 to 127
 * @param chars how many of them may follow
 * @param toEnd as {@link Config#toEnd}, of where they lead
 */
record Loop(long low, long high, int chars, int toEnd) {
  /** Bits of {@link #low}. */
  static final long BEYOND_ASCII = 0xffff_ffffL;

  static long lowBit(byte b) {
    if (b < 0) {
      boolean startsCharacter = b >= (byte) 0xc0;
      return startsCharacter ? 1L << (b & 0x1f) : 0;
    }
    return b < 64 ? 1L << b : 0;
  }

  static long highBit(byte b) {
    return b < 64 ? 0 : 1L << b;
  }

  /** The same characters, not as many of them. */
  Loop within(int most, int end) {
    return new Loop(low, high, most, end);
  }

  /** Whether there is no character of a single byte: more of them may be needed, of so many. */
  boolean isEmpty() {
    return (low & ~BEYOND_ASCII | high) == 0;
  }

  /** Whether the tokens at a node of a trie and below it consist of them, from that byte on. */
  boolean covers(TokenTrie trie, int node) {
    return (trie.low[node] & ~low | trie.high[node] & ~high) == 0 && trie.maxChars[node] <= chars;
  }
}
