package dev.nautil.template;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** Builds a {@link Str}, charging its length to a budget as it grows. */
final class StrBuilder {
  private final StringBuilder text = new StringBuilder();
  private final @Nullable Budget budget;
  private int[] spans = Str.NO_SPANS;
  private int spanEnd;
  private long limit = Long.MAX_VALUE;
  private long maxOutput;

  /** For text whose length is bounded elsewhere. */
  StrBuilder() {
    this.budget = null;
  }

  StrBuilder(Budget budget) {
    this.budget = budget;
  }

  /** The prompt itself: its length has a limit of its own. */
  static StrBuilder output(Budget budget, long limit) {
    StrBuilder builder = new StrBuilder(budget);
    builder.limit = limit;
    builder.maxOutput = budget.options().maxOutput();
    return builder;
  }

  int units() {
    return text.length();
  }

  private void charge(long n) {
    if (n > limit - text.length()) {
      throw new Fail("the prompt is longer than " + maxOutput + " characters: output limit");
    }
    if (budget != null) {
      budget.string(n);
    }
  }

  StrBuilder append(Str s) {
    return append(s.text, s.spans, 0, s.text.length());
  }

  /** Appends the part of a string between two UTF-16 offsets. */
  StrBuilder append(Str s, int from, int to) {
    return append(s.text, s.spans, from, to);
  }

  StrBuilder append(String s, int[] trusted, int from, int to) {
    charge(to - from);
    put(s, trusted, from, to);
    return this;
  }

  private void put(String s, int[] trusted, int from, int to) {
    int shift = text.length() - from;
    text.append(s, from, to);
    for (int i = Str.firstEndingAfter(trusted, from);
        i < trusted.length && trusted[i] < to;
        i += 2) {
      addSpan(Math.max(trusted[i], from) + shift, Math.min(trusted[i + 1], to) + shift);
    }
  }

  /** Appends text of a known origin. */
  StrBuilder append(String s, boolean trusted) {
    charge(s.length());
    int start = text.length();
    text.append(s);
    if (trusted) {
      addSpan(start, text.length());
    }
    return this;
  }

  StrBuilder append(char c, boolean trusted) {
    charge(1);
    text.append(c);
    if (trusted) {
      addSpan(text.length() - 1, text.length());
    }
    return this;
  }

  /** Appends text that no one vouches for. */
  StrBuilder append(String s) {
    return append(s, false);
  }

  StrBuilder append(char c) {
    return append(c, false);
  }

  StrBuilder repeat(Str s, long times) {
    if (times > 0 && s.units() > 0) {
      boolean huge = times > Integer.MAX_VALUE;
      charge(huge ? Long.MAX_VALUE : s.units() * times);
      if (s.spans.length == 0 || s.isTrusted()) {
        int start = text.length();
        text.append(s.text.repeat((int) times));
        addSpan(start, s.spans.length == 0 ? start : text.length());
        return this;
      }
      for (long i = 0; i < times; i++) {
        put(s.text, s.spans, 0, s.units());
      }
    }
    return this;
  }

  private void addSpan(int start, int end) {
    if (start == end) {
      return;
    }
    if (spanEnd > 0 && spans[spanEnd - 1] == start) {
      spans[spanEnd - 1] = end;
      return;
    }
    if (spanEnd == spans.length) {
      int grown = Math.max(8, 2 * spans.length);
      if (budget != null) {
        budget.string(4L * (grown - spans.length));
      }
      spans = Arrays.copyOf(spans, grown);
    }
    spans[spanEnd++] = start;
    spans[spanEnd++] = end;
  }

  Str toStr() {
    return toStr(false);
  }

  Str toStr(boolean markup) {
    if (text.isEmpty()) {
      return Str.EMPTY.withMarkup(markup);
    }
    return new Str(text.toString(), Arrays.copyOf(spans, spanEnd), markup);
  }
}
