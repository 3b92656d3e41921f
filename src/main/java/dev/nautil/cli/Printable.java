package dev.nautil.cli;

import java.util.Locale;

/** Text that somebody else wrote. */
final class Printable {
  private Printable() {}

  /** On one line, and without what a terminal would take for a command. */
  static String line(String text) {
    StringBuilder out = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              if (c == '\n') {
                out.append("\\n");
              } else if (Character.isISOControl(c)) {
                out.append(String.format(Locale.ROOT, "\\x%02x", c));
              } else {
                out.appendCodePoint(c);
              }
            });
    return out.toString();
  }
}
