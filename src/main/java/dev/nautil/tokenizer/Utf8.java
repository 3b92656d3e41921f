package dev.nautil.tokenizer;

/** UTF-16 to UTF-8, into a caller's array. */
public final class Utf8 {
  static final int REPLACEMENT = 0xFFFD;

  /** Most bytes that one UTF-16 unit becomes. */
  static final int MAX_BYTES_PER_CHAR = 3;

  private Utf8() {}

  /**
   * Encodes {@code text[from, to)} at the start of {@code out}; a lone surrogate becomes U+FFFD.
   *
   * @param out at least {@link #MAX_BYTES_PER_CHAR} times as long as the text
   * @return number of bytes written
   */
  static int encode(char[] text, int from, int to, byte[] out) {
    int n = 0;
    for (int i = from; i < to; ) {
      char c = text[i];
      if (c < 0x80) {
        out[n++] = (byte) c;
        i++;
      } else {
        int codePoint = Character.codePointAt(text, i, to);
        n = encode(codePoint, out, n);
        i += Character.charCount(codePoint);
      }
    }
    return n;
  }

  /** Encodes one code point at {@code out[n]}; returns the index after it. */
  static int encode(int codePoint, byte[] out, int n) {
    int c = codePoint >= 0xD800 && codePoint <= 0xDFFF ? REPLACEMENT : codePoint;
    if (c < 0x80) {
      out[n++] = (byte) c;
      return n;
    }
    if (c < 0x800) {
      out[n++] = (byte) (0xC0 | c >> 6);
    } else {
      if (c < 0x10000) {
        out[n++] = (byte) (0xE0 | c >> 12);
      } else {
        out[n++] = (byte) (0xF0 | c >> 18);
        out[n++] = (byte) (0x80 | c >> 12 & 0x3F);
      }
      out[n++] = (byte) (0x80 | c >> 6 & 0x3F);
    }
    out[n++] = (byte) (0x80 | c & 0x3F);
    return n;
  }

  /** The index of the first half of a surrogate pair that is without the other; −1 if none is. */
  public static int loneSurrogate(String text) {
    int i = 0;
    while (i < text.length()) {
      int c = text.codePointAt(i);
      if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
        return i;
      }
      i += Character.charCount(c);
    }
    return -1;
  }

  /** Whether a byte starts a character, as opposed to continuing one. */
  static boolean startsCharacter(byte b) {
    return (b & 0xC0) != 0x80;
  }
}
