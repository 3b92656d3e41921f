package dev.nautil.grammar;

import dev.nautil.tokenizer.StringTable;
import dev.nautil.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.BitSet;

/**
 * A model's tokens in the form that masks are computed from. Made once a model (tens of
 * milliseconds for 131,072 tokens) and shared.
 *
 * <p>Most tokens are <em>plain</em>: whole characters among which is no control character, no
 * quotation mark and no backslash. Inside a JSON string nearly all of them are allowed, so they are
 * kept apart: as sets by their number of characters, which are put into a mask at once where that
 * many characters may follow whichever they are, and as a {@link TokenTrie} for where they may not.
 * The other tokens, a thirtieth, are sets and a trie of their own, by their number of bytes. (The
 * idea of slices of a vocabulary is llguidance's.)
 *
 * <p>Immutable and thread-safe.
 */
public final class GrammarVocabulary {
  /** Numbers of characters up to which there is a set of tokens. */
  private static final int[] LEVELS = {
    1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 20, 24, 32, 64, Integer.MAX_VALUE
  };

  /** The level of all tokens. */
  static final int LAST_LEVEL = LEVELS.length - 1;

  private static final int NOT_PLAIN = -1;

  /**
   * The plain tokens, or the others.
   *
   * @param sets by level: those of so many characters, or bytes if they are not plain
   */
  record Part(TokenTrie trie, long[][] sets, boolean isPlain) {
    /** Allows those of a level that are in a set. */
    void add(int level, long[] of, long[] mask) {
      long[] set = sets[level];
      for (int i = 0; i < set.length; i++) {
        mask[i] |= set[i] & of[i];
      }
    }

    /** Whether a level has a token of this part. */
    boolean has(int level, int token) {
      return MemberSet.has(sets[level], token);
    }
  }

  final int size;
  final Part plain;
  final Part other;
  final int[] ends;

  private final byte[] text;
  private final int[] starts;
  private final int[] stops;
  private final BitSet control = new BitSet();

  private final int longest;

  private GrammarVocabulary(Tokenizer tokenizer) {
    size = tokenizer.size();
    ends = tokenizer.endOfGeneration();
    StringTable pieces = tokenizer.pieces();
    text = pieces.bytes();
    starts = new int[size];
    stops = new int[size];
    int[] plainTokens = new int[size];
    int[] otherTokens = new int[size];
    int plainCount = 0;
    int otherCount = 0;
    byte[] chars = new byte[size];
    for (int t = 0; t < size; t++) {
      starts[t] = pieces.start(t);
      stops[t] = pieces.end(t);
      if (tokenizer.isControl(t) || tokenizer.isEndOfGeneration(t)) {
        control.set(t);
      } else if (starts[t] < stops[t]) {
        int n = plainChars(text, starts[t], stops[t]);
        if (n == NOT_PLAIN) {
          otherTokens[otherCount++] = t;
          n = stops[t] - starts[t];
        } else {
          plainTokens[plainCount++] = t;
        }
        chars[t] = (byte) Math.min(n, Byte.MAX_VALUE);
      }
    }
    plain = part(plainTokens, plainCount, chars, true);
    other = part(otherTokens, otherCount, chars, false);
    longest = Math.max(plain.trie.maxDepth, other.trie.maxDepth);
  }

  /** The tokens of a model. */
  public static GrammarVocabulary of(Tokenizer tokenizer) {
    return new GrammarVocabulary(tokenizer);
  }

  /** Number of tokens. */
  public int size() {
    return size;
  }

  /** Most bytes of a token's text. */
  int longest() {
    return longest;
  }

  /** Whether a token is none of the text's: a control token, or an end of generation. */
  boolean isControl(int token) {
    return control.get(token);
  }

  boolean isEnd(int token) {
    return Arrays.binarySearch(ends, token) >= 0;
  }

  /** The bytes of a token's text. */
  byte[] text(int token) {
    return Arrays.copyOfRange(text, starts[token], stops[token]);
  }

  /** The highest level of tokens of at most so many characters; −1 if there is none. */
  int level(int chars) {
    int level = Arrays.binarySearch(LEVELS, chars >= longest ? Integer.MAX_VALUE : chars);
    return level >= 0 ? level : -level - 2;
  }

  static int charsOfLevel(int level) {
    return level < 0 ? 0 : LEVELS[level];
  }

  /** Allows the plain tokens of a level. */
  void addPlain(int level, long[] mask) {
    add(plain.sets[level], mask);
  }

  /** Allows the tokens of a level that another mask allows. */
  void addAllowed(int level, long[] allowed, long[] mask) {
    long[] plainSet = plain.sets[level];
    long[] otherSet = other.sets[level];
    for (int i = 0; i < allowed.length; i++) {
      mask[i] |= allowed[i] & (plainSet[i] | otherSet[i]);
    }
  }

  private static void add(long[] set, long[] mask) {
    for (int i = 0; i < set.length; i++) {
      mask[i] |= set[i];
    }
  }

  private Part part(int[] tokens, int count, byte[] chars, boolean isPlain) {
    return new Part(trie(tokens, count, chars), sets(tokens, count, chars), isPlain);
  }

  private long[][] sets(int[] tokens, int count, byte[] chars) {
    long[][] sets = new long[LEVELS.length][(size + 63) / 64];
    for (int i = 0; i < count; i++) {
      int t = tokens[i];
      int level = Arrays.binarySearch(LEVELS, chars[t]);
      sets[level >= 0 ? level : -level - 1][t / 64] |= 1L << t;
    }
    for (int level = 1; level < LEVELS.length; level++) {
      add(sets[level - 1], sets[level]);
    }
    return sets;
  }

  private TokenTrie trie(int[] tokens, int count, byte[] chars) {
    int[] sorted = sorted(tokens, count);
    int[] sortedChars = new int[count];
    for (int i = 0; i < count; i++) {
      sortedChars[i] = chars[sorted[i]];
    }
    return new TokenTrie(sorted, text, starts, stops, sortedChars);
  }

  /** In the order of their bytes: by the first five at once, where these are equal by the rest. */
  private int[] sorted(int[] tokens, int count) {
    long[] keys = new long[count];
    for (int i = 0; i < count; i++) {
      long key = 0;
      for (int b = 0; b < 5; b++) {
        int at = starts[tokens[i]] + b;
        key = key << 8 | (at < stops[tokens[i]] ? text[at] & 0xff : 0);
      }
      // The sign's bit, so that the order is that of unsigned numbers.
      keys[i] = (key << 24 | tokens[i]) ^ Long.MIN_VALUE;
    }
    Arrays.sort(keys);
    Integer[] result = new Integer[count];
    int from = 0;
    for (int i = 0; i < count; i++) {
      result[i] = (int) (keys[i] & 0xffffff);
      if (i + 1 == count || keys[i + 1] >> 24 != keys[i] >> 24) {
        if (i > from) {
          Arrays.sort(result, from, i + 1, this::compare);
        }
        from = i + 1;
      }
    }
    return Arrays.stream(result).mapToInt(Integer::intValue).toArray();
  }

  private int compare(int a, int b) {
    return Arrays.compareUnsigned(text, starts[a], stops[a], text, starts[b], stops[b]);
  }

  /** The number of characters, or {@link #NOT_PLAIN}. */
  private static int plainChars(byte[] text, int start, int end) {
    int chars = 0;
    for (int i = start; i < end; chars++) {
      int b = text[i] & 0xff;
      if (b < 0x20 || b == '"' || b == '\\') {
        return NOT_PLAIN;
      }
      int length = utf8Length(text, i, end);
      if (length == 0) {
        return NOT_PLAIN;
      }
      i += length;
    }
    return chars;
  }

  /** Bytes of the character that starts here; 0 if none does, or it does not end. */
  private static int utf8Length(byte[] text, int at, int end) {
    int b = text[at] & 0xff;
    int length = b < 0x80 ? 1 : b < 0xc2 ? 0 : b < 0xe0 ? 2 : b < 0xf0 ? 3 : b < 0xf5 ? 4 : 0;
    if (at + length > end) {
      return 0;
    }
    for (int i = 1; i < length; i++) {
      if ((text[at + i] & 0xc0) != 0x80) {
        return 0;
      }
    }
    if (length > 2) {
      // Overlong forms, surrogates, and what is past the last character.
      int second = text[at + 1] & 0xff;
      boolean wrong =
          b == 0xe0 && second < 0xa0
              || b == 0xed && second > 0x9f
              || b == 0xf0 && second < 0x90
              || b == 0xf4 && second > 0x8f;
      return wrong ? 0 : length;
    }
    return length;
  }
}
