package dev.nautil.template;

import dev.nautil.tokenizer.PromptText;

/**
 * A string that knows which of its characters the template itself wrote.
 *
 * <p>The text is flat, and beside it lie the trusted spans as pairs of UTF-16 offsets: ascending,
 * disjoint and never adjacent, so that two literals that the template joins are one span and a
 * special token across them is found. Text with no span is a message's. Equality, order and hash
 * look at the text alone.
 *
 * <p>{@code markup} is Python's Markup: what {@code safe} and {@code escape} return, which escapes
 * what is added to it.
 */
final class Str implements Comparable<Str> {
  static final int[] NO_SPANS = {};
  static final Str EMPTY = new Str("", NO_SPANS, false);

  final String text;
  final int[] spans;
  final boolean markup;

  /** Code points, or -1 until someone asks. Racy, but every thread would write the same. */
  private int points = -1;

  Str(String text, int[] spans, boolean markup) {
    this.text = text;
    this.spans = spans;
    this.markup = markup;
  }

  /** Text that the template wrote. */
  static Str trusted(String text) {
    return text.isEmpty() ? EMPTY : new Str(text, new int[] {0, text.length()}, false);
  }

  /** Text that came from elsewhere. */
  static Str plain(String text) {
    return text.isEmpty() ? EMPTY : new Str(text, NO_SPANS, false);
  }

  static Str of(PromptText prompt) {
    StrBuilder builder = new StrBuilder();
    int[] spans = prompt.trustedSpans();
    builder.append(prompt.text(), spans, 0, prompt.text().length());
    return builder.toStr();
  }

  /** Text made from this one where no character can be traced: trusted if all of this is. */
  Str derive(String result) {
    return isTrusted() ? trusted(result) : plain(result);
  }

  boolean isTrusted() {
    return spans.length == 2 && spans[0] == 0 && spans[1] == text.length();
  }

  /** Whether the template wrote the character at a UTF-16 offset. */
  boolean isTrusted(int offset) {
    int i = firstEndingAfter(spans, offset);
    return i < spans.length && spans[i] <= offset;
  }

  boolean isEmpty() {
    return text.isEmpty();
  }

  /** UTF-16 units. */
  int units() {
    return text.length();
  }

  /** Code points: Python's length. */
  int length() {
    int n = points;
    if (n < 0) {
      n = text.codePointCount(0, text.length());
      points = n;
    }
    return n;
  }

  /** The UTF-16 offset of a code point. */
  int offset(int point) {
    return length() == text.length() ? point : text.offsetByCodePoints(0, point);
  }

  /** The code point index of a UTF-16 offset. */
  int point(int offset) {
    return length() == text.length() ? offset : text.codePointCount(0, offset);
  }

  /** The part between two UTF-16 offsets. */
  Str sub(int from, int to) {
    if (from == 0 && to == text.length()) {
      return this;
    }
    if (from >= to) {
      return markup ? new Str("", NO_SPANS, true) : EMPTY;
    }
    return new Str(text.substring(from, to), cut(spans, from, to), markup);
  }

  Str withMarkup(boolean on) {
    return on == markup ? this : new Str(text, spans, on);
  }

  /** The same characters one for one, with other text of the same length. */
  Str withText(String other) {
    return other.equals(text) ? this : new Str(other, spans, markup);
  }

  static int[] cut(int[] spans, int from, int to) {
    if (spans.length == 0) {
      return NO_SPANS;
    }
    int first = firstEndingAfter(spans, from);
    int last = first;
    while (last < spans.length && spans[last] < to) {
      last += 2;
    }
    int[] part = new int[last - first];
    for (int i = first; i < last; i += 2) {
      part[i - first] = Math.max(spans[i], from) - from;
      part[i - first + 1] = Math.min(spans[i + 1], to) - from;
    }
    return part;
  }

  /** The index of the first span (its start) that ends after the offset. */
  static int firstEndingAfter(int[] spans, int offset) {
    int low = 0;
    int high = spans.length / 2;
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (spans[2 * middle + 1] > offset) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return 2 * low;
  }

  /** This text with another after it. */
  Str plus(Str other, Budget budget) {
    if (other.isEmpty() && !other.markup) {
      return this;
    }
    if (isEmpty() && !markup) {
      return other;
    }
    return new StrBuilder(budget).append(this).append(other).toStr(markup);
  }

  PromptText toPromptText() {
    return PromptText.of(text, spans);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Str s && text.equals(s.text);
  }

  @Override
  public int hashCode() {
    return text.hashCode();
  }

  /** By code points, as Python compares. */
  @Override
  public int compareTo(Str other) {
    int n = Math.min(text.length(), other.text.length());
    for (int i = 0; i < n; i++) {
      char a = text.charAt(i);
      char b = other.text.charAt(i);
      if (a != b) {
        // A surrogate stands for a code point above all others.
        boolean highA = Character.isSurrogate(a);
        boolean highB = Character.isSurrogate(b);
        return highA == highB ? Character.compare(a, b) : highA ? 1 : -1;
      }
    }
    return Integer.compare(text.length(), other.text.length());
  }

  @Override
  public String toString() {
    return text;
  }
}
