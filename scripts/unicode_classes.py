#!/usr/bin/env python3
"""Write src/main/java/dev/nautil/tokenizer/UnicodeClasses.java: the character classes that pre-tokenizers ask for.

Needs: pip install tiktoken==0.14.0      (it answers for Unicode 16.0, as does Hugging Face's tokenizers 0.23)

The classes are read out of tiktoken's own regular expressions rather than a Unicode data file, because a tokenizer's ids
are right when they are those of the engine that the models were trained with, down to the version of Unicode.
"""
import pathlib
import textwrap

import tiktoken

VERSION = "16.0"
CLASSES = {"u": r"[\p{Lu}\p{Lt}]", "l": r"\p{Ll}", "o": r"[\p{Lm}\p{Lo}]", "m": r"\p{M}", "n": r"\p{N}", "s": r"\s", "p": r"\p{P}"}
OUT = pathlib.Path(__file__).parent.parent / "src/main/java/dev/nautil/tokenizer/UnicodeClasses.java"

JAVA = '''package dev.nautil.tokenizer;

import java.util.Arrays;

/**
 * The class of every character, as pre-tokenizers see it: Unicode %(version)s, written by
 * scripts/unicode_classes.py.
 *
 * <p>{@link Character} would answer by the Unicode version of the JDK in use, and the same text would
 * give other ids on another JDK.
 */
final class UnicodeClasses {
  /** Lu and Lt. */
  static final int UPPER = 1;

  /** Ll. */
  static final int LOWER = 2;

  /** Lm and Lo. */
  static final int OTHER_LETTER = 4;

  /** M. */
  static final int MARK = 8;

  /** N. */
  static final int NUMBER = 16;

  /** White_Space, which is {@code \\s}. */
  static final int SPACE = 32;

  /** P. */
  static final int PUNCTUATION = 64;

  /** L. */
  static final int LETTER = UPPER | LOWER | OTHER_LETTER;

  private static final byte[] CLASSES = new byte[0x110000];

  private UnicodeClasses() {}

  /** The class bit of a code point (at most one is set), or 0 for symbols, controls, unassigned. */
  static int of(int codePoint) {
    return CLASSES[codePoint];
  }

  // Runs of one class in code point order: the class's letter, then the run's length in base 36
  // upper case (none: 1). "-" is class 0; what is left over at the end is class 0 too.
  private static final String RUNS =
%(runs)s;

  static {
    int codePoint = 0;
    for (int i = 0; i < RUNS.length(); ) {
      int value = "ulomnsp".indexOf(RUNS.charAt(i++));
      int start = i;
      while (i < RUNS.length() && RUNS.charAt(i) < 'a' && RUNS.charAt(i) != '-') {
        i++;
      }
      int length = i == start ? 1 : Integer.parseInt(RUNS, start, i, 36);
      if (value >= 0) {
        Arrays.fill(CLASSES, codePoint, codePoint + length, (byte) (1 << value));
      }
      codePoint += length;
    }
  }
}
'''


def base36(n):
    digits = ""
    while n:
        n, d = divmod(n, 36)
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"[d] + digits
    return digits


def members(pattern):
    """Code points that tiktoken's engine matches; it drops what a pattern does not cover."""
    encoding = tiktoken.Encoding("probe", pat_str=pattern, mergeable_ranks={bytes([i]): i for i in range(256)}, special_tokens={})
    everything = "".join(chr(c) for c in range(0x110000) if not 0xD800 <= c < 0xE000)
    return map(ord, bytes(encoding.encode_ordinary(everything)).decode())


def main():
    classes = ["-"] * 0x110000
    for letter, pattern in CLASSES.items():
        for c in members(pattern):
            assert classes[c] == "-", hex(c)
            classes[c] = letter
    runs, start = [], 0
    for c in range(1, 0x110001):
        if c == 0x110000 or classes[c] != classes[start]:
            runs.append(classes[start] + (base36(c - start) if c - start > 1 else ""))
            start = c
    if runs[-1][0] == "-":
        runs.pop()
    lines = textwrap.wrap("".join(runs), 86, break_on_hyphens=False)
    java = "\n          + ".join(f'"{line}"' for line in lines)
    OUT.write_text(JAVA % {"version": VERSION, "runs": "      " + java})


if __name__ == "__main__":
    main()
