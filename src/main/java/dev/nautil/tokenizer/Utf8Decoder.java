package dev.nautil.tokenizer;

/**
 * UTF-8 to UTF-16, fed in parts: a character comes out once its last byte is in, and U+FFFD once
 * the bytes can no longer become one.
 *
 * <p>One U+FFFD stands for each maximal subpart of an ill-formed sequence (the Unicode Standard,
 * section 3.9, "U+FFFD Substitution of Maximal Subparts"), as in Python and browsers. The JDK's
 * decoder counts encoded surrogates otherwise.
 */
final class Utf8Decoder {
  /** Continuation bytes still missing. */
  private int missing;

  /** The bits so far. */
  private int codePoint;

  /** Bounds of the next continuation byte, which rule out overlong forms, surrogates, > 10FFFF. */
  private int low = 0x80;

  private int high = 0xBF;

  void accept(byte[] bytes, int from, int to, StringBuilder out) {
    for (int i = from; i < to; i++) {
      accept(bytes[i] & 0xFF, out);
    }
  }

  /** Says that no more bytes follow; the decoder then starts afresh. */
  void finish(StringBuilder out) {
    if (missing > 0) {
      replace(out);
    }
  }

  private void accept(int b, StringBuilder out) {
    if (missing > 0) {
      if (b >= low && b <= high) {
        low = 0x80;
        high = 0xBF;
        codePoint = codePoint << 6 | b & 0x3F;
        if (--missing == 0) {
          out.appendCodePoint(codePoint);
        }
        return;
      }
      replace(out);
    }
    if (b < 0x80) {
      out.append((char) b);
    } else if (b >= 0xC2 && b <= 0xDF) {
      start(1, b & 0x1F);
    } else if (b >= 0xE0 && b <= 0xEF) {
      start(2, b & 0x0F);
      low = b == 0xE0 ? 0xA0 : 0x80;
      high = b == 0xED ? 0x9F : 0xBF;
    } else if (b >= 0xF0 && b <= 0xF4) {
      start(3, b & 0x07);
      low = b == 0xF0 ? 0x90 : 0x80;
      high = b == 0xF4 ? 0x8F : 0xBF;
    } else {
      out.append((char) Utf8.REPLACEMENT);
    }
  }

  private void start(int continuationBytes, int bits) {
    missing = continuationBytes;
    codePoint = bits;
  }

  private void replace(StringBuilder out) {
    out.append((char) Utf8.REPLACEMENT);
    missing = 0;
    low = 0x80;
    high = 0xBF;
  }
}
