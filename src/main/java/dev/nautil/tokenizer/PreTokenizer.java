package dev.nautil.tokenizer;

import static dev.nautil.tokenizer.UnicodeClasses.LETTER;
import static dev.nautil.tokenizer.UnicodeClasses.LOWER;
import static dev.nautil.tokenizer.UnicodeClasses.MARK;
import static dev.nautil.tokenizer.UnicodeClasses.NUMBER;
import static dev.nautil.tokenizer.UnicodeClasses.OTHER_LETTER;
import static dev.nautil.tokenizer.UnicodeClasses.PUNCTUATION;
import static dev.nautil.tokenizer.UnicodeClasses.SPACE;
import static dev.nautil.tokenizer.UnicodeClasses.UPPER;

/**
 * Cuts text into the pieces that byte-pair merging never crosses.
 *
 * <p>Each is published as a regular expression and written here by hand: {@link java.util.regex}
 * follows the JDK's version of Unicode, and backtracks on hostile text. A scanner looks at each
 * character a bounded number of times.
 */
enum PreTokenizer {
  /**
   * Mistral's Tekken, with U = {@code [\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]} and W = {@code
   * [\p{Ll}\p{Lm}\p{Lo}\p{M}]}:
   *
   * <pre>
   * [^\r\n\p{L}\p{N}]?U*W+|[^\r\n\p{L}\p{N}]?U+W*|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+
   * |\s+(?!\S)|\s+
   * </pre>
   */
  TEKKEN {
    @Override
    int next(char[] text, int from, int to) {
      int first = classAt(text, from, to);
      int end = tekkenWord(text, from, to, first);
      if (end > 0) {
        return end;
      }
      if (first == NUMBER) {
        return after(text, from, to);
      }
      end = symbols(text, from, to, '/');
      return end > 0 ? end : spacesAndNewlines(text, from, to);
    }
  },

  /**
   * Llama 3's: {@code (?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|
   * ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+}.
   */
  LLAMA_BPE {
    @Override
    int next(char[] text, int from, int to) {
      return wordsNumbersAndRest(text, from, to, 3);
    }
  },

  /** Qwen 2's: as Llama 3's, with {@code \p{N}} in place of {@code \p{N}{1,3}}. */
  QWEN2 {
    @Override
    int next(char[] text, int from, int to) {
      return wordsNumbersAndRest(text, from, to, 1);
    }
  },

  /**
   * GPT-2's: {@code 's|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+}.
   */
  GPT2 {
    @Override
    int next(char[] text, int from, int to) {
      int contraction = contraction(text, from, to, false);
      if (contraction > 0) {
        return contraction;
      }
      int start = text[from] == ' ' && from + 1 < to ? from + 1 : from;
      return switch (classAt(text, start, to)) {
        case SPACE -> spaces(text, from, to, skip(text, from, to, SPACE) == to);
        case NUMBER -> skip(text, start, to, NUMBER);
        case UPPER, LOWER, OTHER_LETTER -> skip(text, start, to, LETTER);
        default -> skipSymbols(text, start, to);
      };
    }
  },

  /** SmolLM's: each {@code \p{N}} alone, and GPT-2's on what lies between them. */
  SMOLLM {
    @Override
    int next(char[] text, int from, int to) {
      int start = text[from] == ' ' && from + 1 < to ? from + 1 : from;
      int type = classAt(text, start, to);
      if (type == NUMBER) {
        return start > from ? start : after(text, start, to);
      }
      if (type == SPACE) {
        int end = skip(text, from, to, SPACE);
        return spaces(text, from, to, end == to || classAt(text, end, to) == NUMBER);
      }
      return GPT2.next(text, from, to);
    }
  },

  /**
   * That of files which name none: runs of {@code [\p{P}$+<=>^~|]} alone; on what lies between them
   * GPT-2's, with numbers apart from a space before them; then three ASCII digits at a time.
   */
  DEFAULT {
    @Override
    int next(char[] text, int from, int to) {
      if (isPunctuation(text, from, to)) {
        int end = from;
        while (end < to && isPunctuation(text, end, to)) {
          end = after(text, end, to);
        }
        return end;
      }
      int start =
          text[from] == ' ' && from + 1 < to && !isPunctuation(text, from + 1, to)
              ? from + 1
              : from;
      switch (classAt(text, start, to)) {
        case SPACE:
          int spacesEnd = skip(text, from, to, SPACE);
          return spaces(text, from, to, spacesEnd == to || isPunctuation(text, spacesEnd, to));
        case NUMBER:
          return start > from ? start : threeDigits(text, from, to);
        case UPPER:
        case LOWER:
        case OTHER_LETTER:
          return skip(text, start, to, LETTER);
        default:
          int end = start;
          while (end < to
              && (classAt(text, end, to) & (SPACE | LETTER | NUMBER)) == 0
              && !isPunctuation(text, end, to)) {
            end = after(text, end, to);
          }
          return end;
      }
    }

    private boolean isPunctuation(char[] text, int at, int to) {
      return classAt(text, at, to) == PUNCTUATION || "$+<=>^~|".indexOf(text[at]) >= 0;
    }

    /** Three ASCII digits, or what comes before the next three of this run of numbers. */
    private int threeDigits(char[] text, int from, int to) {
      if (digits(text, from, to)) {
        return from + 3;
      }
      int end = after(text, from, to);
      while (end < to && classAt(text, end, to) == NUMBER && !digits(text, end, to)) {
        end = after(text, end, to);
      }
      return end;
    }

    private boolean digits(char[] text, int from, int to) {
      return from + 3 <= to && digit(text[from]) && digit(text[from + 1]) && digit(text[from + 2]);
    }

    private boolean digit(char c) {
      return c >= '0' && c <= '9';
    }
  };

  /**
   * The end of the piece that starts at {@code from}.
   *
   * @param text UTF-16; a lone surrogate counts as a symbol, as the U+FFFD that it becomes does
   * @param from less than {@code to}; a piece's end, or the start of the text
   * @param to the end of the text: characters after it are not looked at
   */
  abstract int next(char[] text, int from, int to);

  private static int wordsNumbersAndRest(char[] text, int from, int to, int digits) {
    int contraction = contraction(text, from, to, true);
    if (contraction > 0) {
      return contraction;
    }
    int first = classAt(text, from, to);
    int end = after(text, from, to);
    if ((first & LETTER) != 0) {
      return skip(text, end, to, LETTER);
    }
    if (first == NUMBER) {
      for (int i = 1; i < digits && end < to && classAt(text, end, to) == NUMBER; i++) {
        end = after(text, end, to);
      }
      return end;
    }
    if (!isNewline(text[from]) && end < to && (classAt(text, end, to) & LETTER) != 0) {
      return skip(text, end, to, LETTER);
    }
    end = symbols(text, from, to, '\n');
    return end > 0 ? end : spacesAndNewlines(text, from, to);
  }

  /**
   * The end of {@code [^\r\n\p{L}\p{N}]?U*W+|[^\r\n\p{L}\p{N}]?U+W*} at {@code from}, or −1.
   *
   * <p>A mark is the hard case: it may be the prefix or, being in U and W, the word itself. The
   * prefix is tried first.
   */
  private static int tekkenWord(char[] text, int from, int to, int first) {
    boolean letter = (first & LETTER) != 0;
    if (!letter && (first == NUMBER || isNewline(text[from]))) {
      return -1;
    }
    int start = letter ? from : after(text, from, to);
    int lastCaseless = -1; // end of the last character of the run that is in both U and W
    int end = start;
    int type = 0;
    for (; end < to; end = after(text, end, to)) {
      type = classAt(text, end, to);
      if ((type & (UPPER | OTHER_LETTER | MARK)) == 0) {
        break;
      }
      if (type != UPPER) {
        lastCaseless = after(text, end, to);
      }
    }
    if (end < to && type == LOWER) {
      return skip(text, end, to, LOWER | OTHER_LETTER | MARK);
    }
    if (lastCaseless > 0) {
      return lastCaseless; // W+ takes one character back from U*
    }
    if (first == MARK) {
      return start; // no W follows the prefix, but the mark on its own is a word
    }
    return end > start ? end : -1;
  }

  /** The end of {@code 's|'t|'re|'ve|'m|'ll|'d} at {@code from}, or −1. */
  private static int contraction(char[] text, int from, int to, boolean anyCase) {
    if (text[from] != '\'' || from + 1 == to) {
      return -1;
    }
    int a = fold(text[from + 1], anyCase);
    if (a == 's' || a == 't' || a == 'm' || a == 'd') {
      return from + 2;
    }
    if (from + 2 == to) {
      return -1;
    }
    int b = fold(text[from + 2], anyCase);
    return (a == 'r' || a == 'v') && b == 'e' || a == 'l' && b == 'l' ? from + 3 : -1;
  }

  private static int fold(char c, boolean anyCase) {
    if (!anyCase) {
      return c;
    }
    // The long s is the one letter beyond ASCII whose case folding is among those of contractions.
    return c == '\u017F' ? 's' : c >= 'A' && c <= 'Z' ? c + 32 : c;
  }

  /**
   * The end of {@code ?[^\s\p{L}\p{N}]+[\r\n]*} at {@code from}, or −1; {@code alsoAfter} is one
   * more character of the last class.
   */
  private static int symbols(char[] text, int from, int to, char alsoAfter) {
    int start = text[from] == ' ' ? from + 1 : from;
    int end = skipSymbols(text, start, to);
    if (end == start) {
      return -1;
    }
    while (end < to && (isNewline(text[end]) || text[end] == alsoAfter)) {
      end++;
    }
    return end;
  }

  /** The end of {@code \s*[\r\n]+|\s+(?!\S)|\s+} at {@code from}, where white space is. */
  private static int spacesAndNewlines(char[] text, int from, int to) {
    int end = skip(text, from, to, SPACE);
    for (int i = end; i > from; i--) {
      if (isNewline(text[i - 1])) {
        return i;
      }
    }
    return end == to || end == from + 1 ? end : end - 1;
  }

  /** The end of {@code \s+(?!\S)|\s+} at {@code from}, where white space is. */
  private static int spaces(char[] text, int from, int to, boolean nothingFollows) {
    int end = skip(text, from, to, SPACE);
    return nothingFollows || end == from + 1 ? end : end - 1;
  }

  private static int skip(char[] text, int from, int to, int classes) {
    int i = from;
    while (i < to && (classAt(text, i, to) & classes) != 0) {
      i = after(text, i, to);
    }
    return i;
  }

  private static int skipSymbols(char[] text, int from, int to) {
    int i = from;
    while (i < to && (classAt(text, i, to) & (SPACE | LETTER | NUMBER)) == 0) {
      i = after(text, i, to);
    }
    return i;
  }

  private static boolean isNewline(char c) {
    return c == '\n' || c == '\r';
  }

  private static int classAt(char[] text, int at, int to) {
    return UnicodeClasses.of(Character.codePointAt(text, at, to));
  }

  /** The index after the character at {@code at}. */
  private static int after(char[] text, int at, int to) {
    return at + Character.charCount(Character.codePointAt(text, at, to));
  }
}
