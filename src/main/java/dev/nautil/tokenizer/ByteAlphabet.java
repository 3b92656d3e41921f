package dev.nautil.tokenizer;

/**
 * The printable characters that stand for bytes in byte-level BPE vocabularies (GPT-2's
 * convention): a byte that is a visible Latin-1 character stands for itself, the other 68 take
 * U+0100 and up, so that a space is Ġ.
 */
final class ByteAlphabet {
  private static final int FIRST_STAND_IN = 0x100;

  /** By character: the byte it stands for, or −1. */
  private static final short[] BYTES = new short[FIRST_STAND_IN + 68];

  private ByteAlphabet() {}

  static {
    int standIn = FIRST_STAND_IN;
    for (int b = 0; b < 256; b++) {
      boolean visible = b > ' ' && b < 0x7F || b > 0xA0 && b != 0xAD;
      if (!visible) {
        BYTES[standIn++] = (short) b;
      }
      BYTES[b] = visible ? (short) b : -1;
    }
  }

  /**
   * Turns {@code text[from, to)}, UTF-8 of stand-in characters, into the bytes they stand for.
   *
   * @return number of bytes written at {@code out[at]}, or −1 if the text has other characters
   */
  static int decode(byte[] text, int from, int to, byte[] out, int at) {
    int n = at;
    for (int i = from; i < to; ) {
      int c = text[i++] & 0xFF;
      if (c >= 0x80) {
        // Stand-ins are below U+0144: two bytes, C2 to C5 first.
        if (c < 0xC2 || c > 0xC5 || i == to || Utf8.startsCharacter(text[i])) {
          return -1;
        }
        c = (c & 0x1F) << 6 | text[i++] & 0x3F;
      }
      if (c >= BYTES.length || BYTES[c] < 0) {
        return -1;
      }
      out[n++] = (byte) BYTES[c];
    }
    return n - at;
  }
}
