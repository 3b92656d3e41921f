package dev.nautil.tokenizer;

/**
 * The pieces that are a token as they stand, without merging: most words of ordinary text.
 *
 * <p>That a piece reads like a token does not say that merging arrives at it. What merging made of
 * a token's text is remembered when it first occurs.
 *
 * <p>Thread-safe: whatever the order of reads and writes, a state is unknown or right.
 */
final class WholeTokens {
  private static final byte UNKNOWN = 0;
  private static final byte WHOLE = 1;
  private static final byte MERGED_OTHERWISE = 2;

  private final SymbolTable symbols;
  private final boolean always;
  private final byte[] states;

  /**
   * @param size number of tokens
   * @param always whether the vocabulary takes a piece that is a token before any merge
   */
  WholeTokens(SymbolTable symbols, int size, boolean always) {
    this.symbols = symbols;
    this.always = always;
    states = new byte[size];
  }

  /** The token that reads as this piece does, or −1. */
  int find(byte[] piece, int length) {
    if (length > symbols.longest()) {
      return -1;
    }
    int symbol = symbols.find(piece, 0, length);
    return symbol < states.length ? symbol : -1;
  }

  /** Whether a piece that reads as this token does is known to be this token; false for −1. */
  boolean isWhole(int token) {
    return token >= 0 && (always || states[token] == WHOLE);
  }

  /** Notes what merging made of a piece that reads as a token does: n symbols, this one first. */
  void learn(int token, int n, int first) {
    if (token >= 0 && states[token] == UNKNOWN) {
      states[token] = n == 1 && first == token ? WHOLE : MERGED_OTHERWISE;
    }
  }
}
