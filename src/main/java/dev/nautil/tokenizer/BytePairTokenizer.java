package dev.nautil.tokenizer;

import org.jspecify.annotations.Nullable;

/**
 * Byte-level BPE: a pre-tokenizer cuts the text, and each piece's bytes are merged by rank.
 *
 * <p>A byte without a token is left out before merging, as Hugging Face's tokenizers do: SmolLM2
 * lacks 21, nearly all of which UTF-8 never has.
 */
final class BytePairTokenizer extends Tokenizer {
  private final PreTokenizer pre;
  private final SymbolTable symbols;
  private final WholeTokens wholeTokens;
  private final MergeTable merges = new MergeTable();
  private final int size;

  /** By byte value: its symbol. */
  private final int[] byteSymbols = new int[256];

  BytePairTokenizer(Vocabulary vocabulary, TokenTypes types) {
    super(vocabulary, types, pieces(vocabulary, types));
    PreTokenizers.Entry entry = PreTokenizers.of(vocabulary.pre());
    pre = entry.scanner();
    size = vocabulary.size();
    symbols = new SymbolTable(pieces());
    for (int id = 0; id < size; id++) {
      if (!types.isControl(id) && !types.isUserDefined(id)) {
        symbols.index(id);
      }
    }
    for (int b = 0; b < 256; b++) {
      byteSymbols[b] = symbols.intern(new byte[] {(byte) b}, 0, 1);
    }
    @Nullable StringTable lines = vocabulary.merges();
    if (lines == null) {
      throw new IllegalArgumentException("a gpt2 tokenizer without merges");
    }
    readMerges(lines);
    wholeTokens = new WholeTokens(symbols, size, entry.wholePieces());
  }

  private static StringTable pieces(Vocabulary vocabulary, TokenTypes types) {
    StringTable tokens = vocabulary.tokens();
    int n = tokens.size();
    byte[] bytes = new byte[tokens.end(n - 1) - tokens.start(0)]; // stand-ins only shrink
    int[] offsets = new int[n + 1];
    for (int id = 0; id < n; id++) {
      int at = offsets[id];
      int start = tokens.start(id);
      int end = tokens.end(id);
      boolean literal = types.isControl(id) || types.isUserDefined(id);
      int length = literal ? -1 : ByteAlphabet.decode(tokens.bytes(), start, end, bytes, at);
      if (length < 0) {
        length = end - start;
        System.arraycopy(tokens.bytes(), start, bytes, at, length);
      }
      offsets[id + 1] = at + length;
    }
    return new StringTable(bytes, offsets);
  }

  private void readMerges(StringTable lines) {
    byte[] text = lines.bytes();
    byte[] pair = new byte[64];
    for (int rank = 0; rank < lines.size(); rank++) {
      int start = lines.start(rank);
      int end = lines.end(rank);
      if (pair.length < end - start) {
        pair = new byte[2 * (end - start)];
      }
      int space = start + 1;
      while (space < end && text[space] != ' ') {
        space++;
      }
      if (space >= end - 1) {
        throw new IllegalArgumentException(
            "merge " + rank + " is not a pair: " + lines.string(rank));
      }
      int left = ByteAlphabet.decode(text, start, space, pair, 0);
      int right = left < 0 ? -1 : ByteAlphabet.decode(text, space + 1, end, pair, left);
      if (right < 0) {
        continue; // not made of stand-ins: no text has these symbols
      }
      merges.add(
          symbols.intern(pair, 0, left),
          symbols.intern(pair, left, left + right),
          rank,
          symbols.intern(pair, 0, left + right));
    }
  }

  @Override
  boolean hasSpacePrefix() {
    return false;
  }

  @Override
  RunEncoder newRunEncoder() {
    return new Encoder();
  }

  private final class Encoder implements RunEncoder {
    private final Merger merger = new Merger(merges);
    private byte[] bytes = new byte[256];

    @Override
    public void encode(char[] text, int from, int to, IntList ids) {
      for (int start = from; start < to; ) {
        int end = pre.next(text, start, to);
        int capacity = Utf8.MAX_BYTES_PER_CHAR * (end - start);
        if (bytes.length < capacity) {
          bytes = new byte[Math.max(capacity, 2 * bytes.length)];
        }
        encodePiece(Utf8.encode(text, start, end, bytes), ids);
        start = end;
      }
    }

    private void encodePiece(int length, IntList ids) {
      int token = wholeTokens.find(bytes, length);
      if (wholeTokens.isWhole(token)) {
        ids.add(token);
        return;
      }
      int[] piece = merger.symbols(length);
      int known = 0;
      for (int i = 0; i < length; i++) {
        int symbol = byteSymbols[bytes[i] & 0xFF];
        if (symbol < size) {
          piece[known++] = symbol;
        }
      }
      int n = merger.merge(known);
      wholeTokens.learn(token, n, piece[0]);
      for (int i = 0; i < n; i++) {
        emit(piece[i], ids);
      }
    }

    /** A symbol that is no token goes out as its bytes. */
    private void emit(int symbol, IntList ids) {
      if (symbol < size) {
        ids.add(symbol);
        return;
      }
      for (int i = symbols.start(symbol); i < symbols.end(symbol); i++) {
        ids.add(byteSymbols[symbols.bytes()[i] & 0xFF]);
      }
    }
  }
}
