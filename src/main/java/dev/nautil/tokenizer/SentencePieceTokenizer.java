package dev.nautil.tokenizer;

import java.util.Arrays;

/**
 * SentencePiece's BPE: spaces become ▁, and neighbouring symbols merge where together they are a
 * token, the highest score first. A character without a token goes out as its UTF-8 bytes.
 *
 * <p>A space is put before the text, and before what follows a special token, where the vocabulary
 * says so. Nothing else is normalised.
 */
final class SentencePieceTokenizer extends Tokenizer {
  private static final char SPACE = '▁';
  private static final byte[] SPACE_BYTES = {(byte) 0xE2, (byte) 0x96, (byte) 0x81};

  private final boolean spacePrefix;
  private final int size;
  private final int unk;
  private final SymbolTable symbols;
  private final MergeTable merges = new MergeTable();

  /** By character of the basic plane: its symbol, or −1. */
  private final int[] charSymbols = new int[0x10000];

  /** By byte value: the token that stands for it, or −1. */
  private final int[] byteTokens = new int[256];

  /** Whether no token has ▁ after another character, so that no merge crosses a word's start. */
  private final boolean wordsAreApart;

  SentencePieceTokenizer(Vocabulary vocabulary, TokenTypes types) {
    super(vocabulary, types, pieces(vocabulary, types));
    spacePrefix = vocabulary.addSpacePrefix();
    size = vocabulary.size();
    unk = vocabulary.unk();
    StringTable tokens = vocabulary.tokens();
    symbols = new SymbolTable(tokens);
    Arrays.fill(byteTokens, -1);
    boolean apart = true;
    for (int id = 0; id < size; id++) {
      if (types.isByte(id)) {
        int value = byteValue(tokens, id);
        if (value >= 0) {
          byteTokens[value] = id;
        }
      } else if (!types.isControl(id)) {
        symbols.index(id);
        apart &= !hasSpaceInside(tokens, id);
      }
    }
    wordsAreApart = apart;
    internCharacters(tokens, types);
    Arrays.fill(charSymbols, -1);
    byte[] utf8 = new byte[4];
    for (int c = 0; c < charSymbols.length; c++) {
      if (c < Character.MIN_SURROGATE || c > Character.MAX_SURROGATE) {
        charSymbols[c] = symbols.find(utf8, 0, Utf8.encode(c, utf8, 0));
      }
    }
    addMerges(vocabulary, types);
  }

  private static StringTable pieces(Vocabulary vocabulary, TokenTypes types) {
    StringTable tokens = vocabulary.tokens();
    byte[] text = tokens.bytes();
    int n = tokens.size();
    byte[] bytes = new byte[tokens.end(n - 1) - tokens.start(0)];
    int[] offsets = new int[n + 1];
    int at = 0;
    for (int id = 0; id < n; id++) {
      int value = types.isByte(id) ? byteValue(tokens, id) : -1;
      boolean literal = types.isControl(id) || types.isUserDefined(id);
      if (value >= 0) {
        bytes[at++] = (byte) value;
      } else {
        for (int i = tokens.start(id); i < tokens.end(id); ) {
          boolean space = !literal && isSpace(text, i, tokens.end(id));
          bytes[at++] = space ? (byte) ' ' : text[i];
          i += space ? SPACE_BYTES.length : 1;
        }
      }
      offsets[id + 1] = at;
    }
    return new StringTable(bytes, offsets);
  }

  /** The byte that a token named {@code <0xXX>} stands for, or −1 where it is not named so. */
  private static int byteValue(StringTable tokens, int id) {
    int start = tokens.start(id);
    byte[] text = tokens.bytes();
    if (tokens.end(id) - start != 6 || text[start + 1] != '0' || text[start + 2] != 'x') {
      return -1;
    }
    int high = Character.digit(text[start + 3], 16);
    int low = Character.digit(text[start + 4], 16);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }

  private static boolean isSpace(byte[] text, int at, int end) {
    return at + 3 <= end && Arrays.equals(text, at, at + 3, SPACE_BYTES, 0, 3);
  }

  private static boolean hasSpaceInside(StringTable tokens, int id) {
    int start = tokens.start(id);
    int end = tokens.end(id);
    int i = start;
    while (isSpace(tokens.bytes(), i, end)) {
      i += SPACE_BYTES.length;
    }
    for (; i < end; i++) {
      if (isSpace(tokens.bytes(), i, end)) {
        return true;
      }
    }
    return false;
  }

  /** Every character of a token is a symbol, so that a merge can start from it. */
  private void internCharacters(StringTable tokens, TokenTypes types) {
    for (int id = 0; id < size; id++) {
      if (!types.isControl(id) && !types.isByte(id)) {
        for (int i = tokens.start(id); i < tokens.end(id); ) {
          int next = nextCharacter(tokens.bytes(), i, tokens.end(id));
          symbols.intern(tokens.bytes(), i, next);
          i = next;
        }
      }
    }
  }

  /** Every way to put a token together from two symbols is a merge; its rank is its score's. */
  private void addMerges(Vocabulary vocabulary, TokenTypes types) {
    float[] scores = new float[size];
    for (int id = 0; id < size; id++) {
      scores[id] = vocabulary.score(id);
    }
    float[] ascending = scores.clone();
    Arrays.sort(ascending);
    StringTable tokens = vocabulary.tokens();
    byte[] text = tokens.bytes();
    for (int id = 0; id < size; id++) {
      if (types.isControl(id) || types.isByte(id)) {
        continue;
      }
      int start = tokens.start(id);
      int end = tokens.end(id);
      if (symbols.find(text, start, end) != id) {
        continue; // another token has the same string
      }
      int rank = size - firstAtLeast(ascending, scores[id]);
      for (int i = nextCharacter(text, start, end); i < end; i = nextCharacter(text, i, end)) {
        int left = symbols.find(text, start, i);
        int right = left < 0 ? -1 : symbols.find(text, i, end);
        if (right >= 0) {
          merges.add(left, right, rank, id);
        }
      }
    }
  }

  /** Index of the first of equal scores, so that equal scores have one rank. */
  private static int firstAtLeast(float[] ascending, float score) {
    int low = 0;
    int high = ascending.length;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (Float.compare(ascending[middle], score) < 0) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low;
  }

  private static int nextCharacter(byte[] text, int at, int end) {
    int i = at + 1;
    while (i < end && !Utf8.startsCharacter(text[i])) {
      i++;
    }
    return i;
  }

  @Override
  boolean hasSpacePrefix() {
    return spacePrefix;
  }

  @Override
  RunEncoder newRunEncoder() {
    return new Encoder();
  }

  private final class Encoder implements RunEncoder {
    private final Merger merger = new Merger(merges);
    private final byte[] utf8 = new byte[4];

    /** Symbols of the word so far. */
    private int length;

    /** Whether the last token was {@link #unk}: one stands for a run of unknown characters. */
    private boolean afterUnknown;

    @Override
    public void encode(char[] text, int from, int to, IntList ids) {
      length = 0;
      afterUnknown = false;
      boolean afterSpace = spacePrefix;
      if (spacePrefix) {
        add(SPACE, ids);
      }
      for (int i = from; i < to; ) {
        int c = text[i] == ' ' ? SPACE : Character.codePointAt(text, i, to);
        i += Character.charCount(c);
        boolean space = c == SPACE;
        if (space && !afterSpace && wordsAreApart) {
          flush(ids);
        }
        add(c, ids);
        afterSpace = space;
      }
      flush(ids);
    }

    private void add(int codePoint, IntList ids) {
      int symbol = symbolOf(codePoint);
      if (symbol < 0) {
        flush(ids); // no token has this character: nothing merges across it
        fallBack(utf8, 0, Utf8.encode(codePoint, utf8, 0), ids);
      } else {
        merger.symbols(length + 1)[length] = symbol;
        length++;
      }
    }

    private int symbolOf(int codePoint) {
      if (codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE) {
        return charSymbols[Utf8.REPLACEMENT];
      }
      return codePoint < charSymbols.length
          ? charSymbols[codePoint]
          : symbols.find(utf8, 0, Utf8.encode(codePoint, utf8, 0));
    }

    private void flush(IntList ids) {
      int n = merger.merge(length);
      int[] merged = merger.symbols(n);
      for (int i = 0; i < n; i++) {
        if (merged[i] < size) {
          ids.add(merged[i]);
          afterUnknown = false;
        } else {
          fallBack(symbols.bytes(), symbols.start(merged[i]), symbols.end(merged[i]), ids);
        }
      }
      length = 0;
    }

    private void fallBack(byte[] bytes, int from, int to, IntList ids) {
      boolean complete = true;
      for (int i = from; i < to; i++) {
        complete &= byteTokens[bytes[i] & 0xFF] >= 0;
      }
      for (int i = from; complete && i < to; i++) {
        ids.add(byteTokens[bytes[i] & 0xFF]);
      }
      if (!complete && unk >= 0 && !afterUnknown) {
        ids.add(unk);
      }
      afterUnknown = !complete;
    }
  }
}
