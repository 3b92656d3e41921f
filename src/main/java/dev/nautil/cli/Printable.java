package dev.nautil.cli;

import java.util.Locale;

/** Text that somebody else wrote. */
final class Printable {
  /** Characters of a value in a table. */
  static final int LONGEST = 60;

  private Printable() {}

  /**
   * On one line, and without what a terminal would take for a command, or write other text
   * backwards for.
   */
  static String line(String text) {
    StringBuilder out = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              if (c == '\n') {
                out.append("\\n");
              } else if (Character.isISOControl(c)) {
                out.append(String.format(Locale.ROOT, "\\x%02x", c));
              } else if (isInvisible(c)) {
                out.append(String.format(Locale.ROOT, "\\u%04x", c));
              } else {
                out.appendCodePoint(c);
              }
            });
    return out.toString();
  }

  /** The same, and not too long for a row of a table. */
  static String brief(String text) {
    String line = line(text);
    int end = Math.min(line.length(), LONGEST);
    boolean splits = end < line.length() && Character.isHighSurrogate(line.charAt(end - 1));
    return end == line.length() ? line : line.substring(0, splits ? end - 1 : end) + "…";
  }

  /** Other than what joins or parts the letters of some scripts. */
  private static boolean isInvisible(int c) {
    int type = Character.getType(c);
    return type == Character.LINE_SEPARATOR
        || type == Character.PARAGRAPH_SEPARATOR
        || (type == Character.FORMAT && c != 0x200C && c != 0x200D);
  }
}
