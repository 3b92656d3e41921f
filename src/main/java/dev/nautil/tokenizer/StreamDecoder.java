package dev.nautil.tokenizer;

/**
 * Tokens to text, one by one, in whole characters: the bytes of an unfinished character wait for
 * the tokens that complete it. Bytes that cannot become a character come out as U+FFFD, as Python's
 * {@code errors="replace"} puts it. What comes out in all is {@link Tokenizer#decode} of the
 * tokens.
 *
 * <p>Not thread-safe.
 */
public final class StreamDecoder {
  private final Tokenizer tokenizer;
  private final boolean showControl;
  private final Utf8Decoder decoder = new Utf8Decoder();

  /** Whether a space that comes next is the prefix that the encoder puts before a text. */
  private boolean atStart = true;

  StreamDecoder(Tokenizer tokenizer, boolean showControl) {
    this.tokenizer = tokenizer;
    this.showControl = showControl;
  }

  /**
   * Takes the next token.
   *
   * @return the characters that it completes, often none
   * @throws IndexOutOfBoundsException if it is no token of the vocabulary
   */
  public String accept(int id) {
    StringBuilder text = new StringBuilder();
    accept(id, text);
    return text.toString();
  }

  /**
   * Ends the text.
   *
   * @return U+FFFD if it stopped inside a character, or nothing
   */
  public String finish() {
    StringBuilder text = new StringBuilder();
    finish(text);
    return text.toString();
  }

  void accept(int id, StringBuilder text) {
    boolean control = tokenizer.isControl(id);
    if (!control || showControl) {
      StringTable pieces = tokenizer.pieces();
      int start = pieces.start(id);
      int end = pieces.end(id);
      boolean prefixed = atStart && !control && tokenizer.hasSpacePrefix();
      if (prefixed && start < end && pieces.bytes()[start] == ' ') {
        start++;
      }
      decoder.accept(pieces.bytes(), start, end, text);
    }
    atStart = control;
  }

  void finish(StringBuilder text) {
    decoder.finish(text);
    atStart = true;
  }
}
