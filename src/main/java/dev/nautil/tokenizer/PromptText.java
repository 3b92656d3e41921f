package dev.nautil.tokenizer;

import java.util.Arrays;
import java.util.Objects;

/**
 * Text to encode that remembers which parts of it may hold special tokens.
 *
 * <p>A chat template writes its own markers ({@code <|im_start|>}, {@code [INST]}) around text that
 * users typed. Only the markers are special tokens: the same characters inside a message are
 * ordinary text. A trusted span is a part that the template itself wrote; a special token is
 * recognised only where it lies wholly inside one trusted span.
 *
 * <p>Immutable and thread-safe.
 */
public final class PromptText {
  private final String text;

  /** Pairs of UTF-16 offsets, start inclusive, end exclusive; ascending, disjoint, not adjacent. */
  private final int[] trustedSpans;

  private PromptText(String text, int[] trustedSpans) {
    this.text = Objects.requireNonNull(text, "text");
    this.trustedSpans = trustedSpans;
  }

  /** Text in which nothing is a special token. */
  public static PromptText plain(String text) {
    return new PromptText(text, new int[0]);
  }

  /** Text in which every special token is recognised. */
  public static PromptText trusted(String text) {
    return new PromptText(text, text.isEmpty() ? new int[0] : new int[] {0, text.length()});
  }

  /**
   * Text with the given trusted spans.
   *
   * @param trustedSpans pairs of UTF-16 offsets (start inclusive, end exclusive), ascending and
   *     disjoint; copied
   * @throws IllegalArgumentException if the spans are not as described
   */
  public static PromptText of(String text, int[] trustedSpans) {
    int[] spans = trustedSpans.clone();
    if (spans.length % 2 != 0) {
      throw new IllegalArgumentException("odd number of span offsets: " + spans.length);
    }
    int previous = 0;
    for (int offset : spans) {
      if (offset < previous || offset > text.length()) {
        throw new IllegalArgumentException(
            "spans " + Arrays.toString(spans) + " are not ascending within " + text.length());
      }
      previous = offset;
    }
    return new PromptText(text, joined(spans));
  }

  public String text() {
    return text;
  }

  /** Pairs of UTF-16 offsets (start inclusive, end exclusive) of the trusted parts; a copy. */
  public int[] trustedSpans() {
    return trustedSpans.clone();
  }

  /** Whether the UTF-16 range lies wholly inside one trusted span. */
  public boolean isTrusted(int start, int end) {
    int low = 0;
    int high = trustedSpans.length / 2 - 1;
    while (low <= high) {
      int middle = (low + high) >>> 1;
      if (end > trustedSpans[2 * middle + 1]) {
        low = middle + 1;
      } else if (start < trustedSpans[2 * middle]) {
        high = middle - 1;
      } else {
        return true;
      }
    }
    return false;
  }

  /** This text and another behind it. */
  public PromptText plus(PromptText other) {
    int[] spans = Arrays.copyOf(trustedSpans, trustedSpans.length + other.trustedSpans.length);
    for (int i = 0; i < other.trustedSpans.length; i++) {
      spans[trustedSpans.length + i] = text.length() + other.trustedSpans[i];
    }
    return new PromptText(text + other.text, joined(spans));
  }

  /** Spans that touch are one. */
  private static int[] joined(int[] spans) {
    int n = 0;
    for (int i = 0; i < spans.length; i += 2) {
      if (n > 0 && spans[n - 1] == spans[i]) {
        n--;
      } else {
        spans[n++] = spans[i];
      }
      spans[n++] = spans[i + 1];
    }
    return Arrays.copyOf(spans, n);
  }

  /** The text from a UTF-16 offset on. */
  public PromptText from(int offset) {
    int[] spans = new int[trustedSpans.length];
    int n = 0;
    for (int i = 0; i < trustedSpans.length; i += 2) {
      if (trustedSpans[i + 1] > offset) {
        spans[n++] = Math.max(0, trustedSpans[i] - offset);
        spans[n++] = trustedSpans[i + 1] - offset;
      }
    }
    return new PromptText(text.substring(offset), Arrays.copyOf(spans, n));
  }

  /** The text up to a UTF-16 offset. */
  public PromptText to(int offset) {
    int[] spans = new int[trustedSpans.length];
    int n = 0;
    for (int i = 0; i < trustedSpans.length && trustedSpans[i] < offset; i += 2) {
      spans[n++] = trustedSpans[i];
      spans[n++] = Math.min(trustedSpans[i + 1], offset);
    }
    return new PromptText(text.substring(0, offset), Arrays.copyOf(spans, n));
  }

  @Override
  public String toString() {
    return text;
  }
}
