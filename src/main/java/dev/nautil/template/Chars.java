package dev.nautil.template;

/** Python's classes of characters, where Java's differ. */
final class Chars {
  private Chars() {}

  /** What {@code str.isspace}, {@code strip} and {@code split} take as white space. */
  static boolean isSpace(int c) {
    if (c < 128) {
      return c == ' ' || c >= 9 && c <= 13 || c >= 28 && c <= 31;
    }
    return c == 0x85 || c == 0xa0 || Character.isSpaceChar(c);
  }

  /** What {@code splitlines} breaks at; a carriage return and a newline are one break. */
  static boolean isLineBreak(int c) {
    return c >= 10 && c <= 13 || c >= 28 && c <= 30 || c == 0x85 || c == 0x2028 || c == 0x2029;
  }

  static boolean isPrintable(int c) {
    if (c == ' ') {
      return true;
    }
    return switch (Character.getType(c)) {
      case Character.CONTROL,
          Character.FORMAT,
          Character.SURROGATE,
          Character.PRIVATE_USE,
          Character.UNASSIGNED,
          Character.LINE_SEPARATOR,
          Character.PARAGRAPH_SEPARATOR,
          Character.SPACE_SEPARATOR ->
          false;
      default -> true;
    };
  }

  static boolean isDecimal(int c) {
    return Character.getType(c) == Character.DECIMAL_DIGIT_NUMBER;
  }

  /** Decimal digits, superscripts, circled digits. */
  static boolean isDigit(int c) {
    if (isDecimal(c)) {
      return true;
    }
    return c == 0xb2
        || c == 0xb3
        || c == 0xb9
        || c == 0x2070
        || c >= 0x2074 && c <= 0x2079
        || c >= 0x2080 && c <= 0x2089
        || c >= 0x2460 && c <= 0x2468
        || c >= 0x2474 && c <= 0x247c
        || c >= 0x2488 && c <= 0x2490
        || c >= 0x2776 && c <= 0x277e
        || c >= 0x2780 && c <= 0x2788
        || c >= 0x278a && c <= 0x2792;
  }

  static boolean isNumeric(int c) {
    int type = Character.getType(c);
    return type == Character.DECIMAL_DIGIT_NUMBER
        || type == Character.LETTER_NUMBER
        || type == Character.OTHER_NUMBER
        || isHanNumber(c);
  }

  private static boolean isHanNumber(int c) {
    return c > 0x3000 && "〇一二三四五六七八九十百千万億兆".indexOf(c) >= 0;
  }

  static boolean isAlnum(int c) {
    return Character.isLetter(c) || isNumeric(c) || isDigit(c);
  }

  /** A character of a word in a regular expression. */
  static boolean isWord(int c) {
    return c == '_' || isAlnum(c);
  }

  static boolean isNameStart(int c) {
    return c == '_'
        || c < 128 && Character.isLetter(c)
        || c >= 128 && Character.isUnicodeIdentifierStart(c);
  }

  static boolean isNamePart(int c) {
    return c == '_'
        || c < 128 && Character.isLetterOrDigit(c)
        || c >= 128 && Character.isUnicodeIdentifierPart(c) && !Character.isIdentifierIgnorable(c);
  }
}
