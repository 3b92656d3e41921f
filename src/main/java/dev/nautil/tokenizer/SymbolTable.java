package dev.nautil.tokenizer;

import java.util.Arrays;

/**
 * What merging works on: the byte string of every symbol, and the symbol of a byte string.
 *
 * <p>Symbols 0 to size − 1 are the tokens of the vocabulary. Those after them stand for strings
 * that merging passes through although they are no tokens themselves.
 *
 * <p>Filled by one thread; then only read, by any number.
 */
final class SymbolTable {
  private byte[] bytes;
  private int[] offsets;
  private int size;

  /** Open addressing: symbol + 1, or 0 where free. A power of two, at most half full. */
  private int[] slots;

  private int indexed;
  private int longest;

  /** A table that knows the strings of all tokens, but finds none until it is indexed. */
  SymbolTable(StringTable tokens) {
    int n = tokens.size();
    bytes = Arrays.copyOfRange(tokens.bytes(), tokens.start(0), tokens.end(n - 1));
    offsets = new int[n + 1];
    for (int i = 0; i < n; i++) {
      offsets[i + 1] = tokens.end(i) - tokens.start(0);
    }
    size = n;
    slots = new int[Integer.highestOneBit(Math.max(16, n)) * 4];
  }

  /** Number of symbols. */
  int size() {
    return size;
  }

  /** Length in bytes of the longest string that can be found. */
  int longest() {
    return longest;
  }

  byte[] bytes() {
    return bytes;
  }

  int start(int symbol) {
    return offsets[symbol];
  }

  int end(int symbol) {
    return offsets[symbol + 1];
  }

  /** Makes a token findable by its string, unless another one with the same string already is. */
  void index(int symbol) {
    if (find(bytes, offsets[symbol], offsets[symbol + 1]) < 0) {
      insert(symbol);
    }
  }

  /** The symbol of a string, or −1. */
  int find(byte[] text, int from, int to) {
    int mask = slots.length - 1;
    for (int slot = hash(text, from, to) & mask; slots[slot] != 0; slot = slot + 1 & mask) {
      int symbol = slots[slot] - 1;
      if (Arrays.equals(bytes, offsets[symbol], offsets[symbol + 1], text, from, to)) {
        return symbol;
      }
    }
    return -1;
  }

  /** The symbol of a string, a new one if it had none. */
  int intern(byte[] text, int from, int to) {
    int found = find(text, from, to);
    if (found >= 0) {
      return found;
    }
    int start = offsets[size];
    int end = start + to - from;
    if (end > bytes.length) {
      bytes = Arrays.copyOf(bytes, Math.max(end, bytes.length + bytes.length / 4));
    }
    if (size + 1 == offsets.length) {
      offsets = Arrays.copyOf(offsets, size + size / 4 + 16);
    }
    System.arraycopy(text, from, bytes, start, to - from);
    offsets[size + 1] = end;
    insert(size);
    return size++;
  }

  private void insert(int symbol) {
    if (2 * ++indexed > slots.length) {
      int[] old = slots;
      slots = new int[2 * old.length];
      for (int entry : old) {
        if (entry != 0) {
          place(entry - 1);
        }
      }
    }
    place(symbol);
    longest = Math.max(longest, offsets[symbol + 1] - offsets[symbol]);
  }

  private void place(int symbol) {
    int mask = slots.length - 1;
    int slot = hash(bytes, offsets[symbol], offsets[symbol + 1]) & mask;
    while (slots[slot] != 0) {
      slot = slot + 1 & mask;
    }
    slots[slot] = symbol + 1;
  }

  private static int hash(byte[] text, int from, int to) {
    int h = to - from;
    for (int i = from; i < to; i++) {
      h = h * 31 + text[i];
    }
    // A polynomial's low bits are the last characters' alone: bring the high ones down.
    h *= 0x9E3779B9;
    return h ^ h >>> 15;
  }
}
