package dev.nautil.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** The filter {@code wordwrap}: Python's textwrap, line by line. */
final class WordWrap {
  private final Run run;
  private final Str line;
  private final int width;
  private final boolean breakLong;
  private final List<Str> lines = new ArrayList<>();

  private WordWrap(Run run, Str line, int width, boolean breakLong) {
    this.run = run;
    this.line = line;
    this.width = width;
    this.breakLong = breakLong;
  }

  static Object filter(Run run, @Nullable Object[] a) {
    if (a[0] instanceof Undefined u) {
      throw u.fail();
    }
    Str s = StringMethods.str(a[0]);
    long width = a[1] == null ? 79 : Numbers.index(a[1], "width");
    boolean breakLong = a[2] == null || Ops.truth(a[2]);
    Str newline = a[3] == null || a[3] instanceof None ? Str.plain("\n") : StringMethods.str(a[3]);
    boolean hyphens = a[4] == null || Ops.truth(a[4]);
    StrBuilder out = new StrBuilder(run);
    boolean first = true;
    for (Object line : StringMethods.splitLines(run, s, false)) {
      if (width <= 0) {
        throw new Fail("invalid width " + width + " (must be > 0)");
      }
      WordWrap wrap =
          new WordWrap(run, (Str) line, (int) Math.min(width, Integer.MAX_VALUE), breakLong);
      wrap.wrap(wrap.chunks(hyphens));
      if (wrap.lines.isEmpty()) {
        wrap.lines.add(Str.EMPTY);
      }
      for (Str part : wrap.lines) {
        out.append(first ? Str.EMPTY : newline).append(part);
        first = false;
      }
    }
    return out.toStr();
  }

  private boolean spaceAt(int i) {
    char c = line.text.charAt(i);
    return c == ' ' || c >= 9 && c <= 13;
  }

  /** Words, the space between them, and parts of words that end in a hyphen. */
  private List<Str> chunks(boolean hyphens) {
    run.items(line.units());
    List<Str> chunks = new ArrayList<>();
    int from = 0;
    while (from < line.units()) {
      int to = from + 1;
      boolean space = spaceAt(from);
      while (to < line.units()
          && spaceAt(to) == space
          && !(hyphens && !space && breaksAt(from, to))) {
        to++;
      }
      chunks.add(line.sub(from, to));
      from = to;
    }
    return chunks;
  }

  /** After a hyphen between letters, with two of them before it in the same chunk. */
  private boolean breaksAt(int from, int at) {
    String t = line.text;
    return at - from >= 3
        && t.charAt(at - 1) == '-'
        && Character.isLetter(t.charAt(at - 2))
        && Character.isLetter(t.charAt(at - 3))
        && at + 1 < t.length()
        && Character.isLetter(t.charAt(at))
        && Character.isLetter(t.charAt(at + 1));
  }

  private void wrap(List<Str> chunks) {
    List<Str> row = new ArrayList<>();
    int used = 0;
    for (Str chunk : chunks) {
      Str left = chunk;
      if (isSpace(left) && row.isEmpty() && !lines.isEmpty()) {
        continue;
      }
      while (used + left.length() > width) {
        run.string(left.units());
        if (left.length() > width && breakLong) {
          // A word too long for any line fills what is left of this one.
          int cut = left.offset(width - used);
          row.add(left.sub(0, cut));
          left = left.sub(cut, left.units());
        } else if (row.isEmpty()) {
          break;
        }
        flush(row);
        used = 0;
      }
      if (isSpace(left) && row.isEmpty() && !lines.isEmpty() || left.isEmpty()) {
        continue;
      }
      row.add(left);
      used += left.length();
    }
    flush(row);
  }

  private static boolean isSpace(Str s) {
    return s.text.isBlank();
  }

  private void flush(List<Str> row) {
    if (!row.isEmpty() && isSpace(row.get(row.size() - 1))) {
      row.remove(row.size() - 1);
    }
    if (!row.isEmpty()) {
      StrBuilder text = new StrBuilder(run);
      row.forEach(text::append);
      lines.add(text.toStr());
    }
    row.clear();
  }
}
