package dev.nautil.grammar;

import dev.nautil.GrammarException;
import java.util.ArrayList;
import java.util.List;

/** Reads a regular expression: ECMA-262, section 22.2.1, by recursive descent. */
final class RegexParser {
  private static final int MAX_DEPTH = 100;

  private static final CharSet LINE_TERMINATORS = CharSet.of("\n\r\u2028\u2029");

  private final String pattern;

  /** Code points of the pattern. */
  private final int[] text;

  private int at;
  private int depth;

  RegexParser(String pattern) {
    this.pattern = pattern;
    text = pattern.codePoints().toArray();
  }

  RegexNode parse() {
    RegexNode node = alternatives();
    if (at < text.length) {
      throw error("an unmatched ')'", at);
    }
    return node;
  }

  private GrammarException error(String what, int position) {
    return new GrammarException(
        "the pattern '" + pattern + "' has " + what + ", at character " + (position + 1));
  }

  private boolean isNext(String expected) {
    int[] wanted = expected.codePoints().toArray();
    for (int i = 0; i < wanted.length; i++) {
      if (at + i >= text.length || text[at + i] != wanted[i]) {
        return false;
      }
    }
    return true;
  }

  private boolean skip(String expected) {
    boolean next = isNext(expected);
    at += next ? expected.codePointCount(0, expected.length()) : 0;
    return next;
  }

  private RegexNode alternatives() {
    if (++depth > MAX_DEPTH) {
      throw error("more than " + MAX_DEPTH + " groups within each other", at);
    }
    List<RegexNode> alternatives = new ArrayList<>();
    do {
      alternatives.add(sequence());
    } while (skip("|"));
    depth--;
    return alternatives.size() == 1 ? alternatives.get(0) : new RegexNode.Choice(alternatives);
  }

  private RegexNode sequence() {
    List<RegexNode> parts = new ArrayList<>();
    while (at < text.length && text[at] != '|' && text[at] != ')') {
      int start = at;
      RegexNode atom = atom();
      parts.add(quantified(atom, start));
    }
    return parts.size() == 1 ? parts.get(0) : new RegexNode.Sequence(parts);
  }

  private RegexNode atom() {
    int start = at;
    int c = text[at++];
    return switch (c) {
      case '^' -> new RegexNode.Anchor(false, start);
      case '$' -> new RegexNode.Anchor(true, start);
      case '.' -> new RegexNode.Chars(LINE_TERMINATORS.complement());
      case '(' -> group(start);
      case '[' -> new RegexNode.Chars(charClass(start));
      case '\\' -> new RegexNode.Chars(escape(start, false));
      case '*', '+', '?' -> throw error("nothing for '" + (char) c + "' to repeat", start);
      default -> new RegexNode.Chars(single(c, start));
    };
  }

  private CharSet single(int c, int position) {
    if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
      throw error("half of a surrogate pair", position);
    }
    return CharSet.range(c, c);
  }

  private RegexNode group(int start) {
    if (skip("?=") || skip("?!")) {
      throw error("a look-ahead, which is not supported", start);
    }
    if (skip("?<=") || skip("?<!")) {
      throw error("a look-behind, which is not supported", start);
    }
    if (skip("?<")) {
      while (at < text.length && text[at] != '>') {
        at++;
      }
      if (!skip(">")) {
        throw error("a group's name without an end", start);
      }
    } else if (!skip("?:") && isNext("?")) {
      throw error("a kind of group that is not supported", start);
    }
    RegexNode node = alternatives();
    if (!skip(")")) {
      throw error("a group without an end", start);
    }
    return node;
  }

  private RegexNode quantified(RegexNode atom, int start) {
    int quantifier = at;
    int min;
    int max = Rule.UNBOUNDED;
    if (skip("*")) {
      min = 0;
    } else if (skip("+")) {
      min = 1;
    } else if (skip("?")) {
      min = 0;
      max = 1;
    } else {
      int[] bounds = bounds();
      if (bounds.length == 0) {
        return atom;
      }
      min = bounds[0];
      max = bounds[1];
    }
    // A lazy quantifier matches the same texts.
    skip("?");
    if (text[start] == '^' || text[start] == '$') {
      throw error("an anchor that is repeated", start);
    }
    if (isNext("*") || isNext("+") || isNext("?")) {
      throw error("nothing for '" + (char) text[at] + "' to repeat", at);
    }
    if (max != Rule.UNBOUNDED && max < min) {
      throw error("a repetition whose numbers are out of order", quantifier);
    }
    return new RegexNode.Repeat(atom, min, max);
  }

  /** Least and most, or nothing if there are no bounds: a brace then stands for itself. */
  private int[] bounds() {
    int start = at;
    if (!skip("{")) {
      return State.NONE;
    }
    int min = number(start);
    int max = min;
    if (min >= 0 && skip(",")) {
      max = isNext("}") ? Rule.UNBOUNDED : number(start);
      if (max < 0 && !isNext("}")) {
        min = -1;
      }
    }
    if (min < 0 || !skip("}")) {
      at = start;
      return State.NONE;
    }
    return new int[] {min, max};
  }

  private int number(int start) {
    long number = -1;
    while (at < text.length && text[at] >= '0' && text[at] <= '9') {
      number = 10 * Math.max(0, number) + text[at++] - '0';
      if (number > Integer.MAX_VALUE) {
        throw error("a repetition of more than " + Integer.MAX_VALUE, start);
      }
    }
    return (int) number;
  }

  private CharSet charClass(int start) {
    boolean negated = skip("^");
    CharSet set = CharSet.of("");
    while (!isNext("]")) {
      if (at >= text.length) {
        throw error("a class without an end", start);
      }
      int position = at;
      CharSet first = classAtom();
      if (!isNext("-") || at + 1 >= text.length || text[at + 1] == ']') {
        set = set.union(first);
        continue;
      }
      at++;
      CharSet last = classAtom();
      int low = only(first, position);
      int high = only(last, position);
      if (low > high) {
        throw error("a range whose ends are out of order", position);
      }
      set = set.union(CharSet.range(low, high));
    }
    at++;
    return negated ? set.complement() : set;
  }

  private int only(CharSet set, int position) {
    int[] ranges = set.ranges();
    if (ranges.length != 2 || ranges[0] != ranges[1]) {
      throw error("a range that begins or ends with a class", position);
    }
    return ranges[0];
  }

  private CharSet classAtom() {
    if (at >= text.length) {
      throw error("a class without an end", at);
    }
    int position = at;
    int c = text[at++];
    return c == '\\' ? escape(position, true) : single(c, position);
  }

  private CharSet escape(int start, boolean inClass) {
    if (at >= text.length) {
      throw error("a backslash at the end", start);
    }
    int c = text[at++];
    switch (c) {
      case 'd':
      case 'D':
      case 'w':
      case 'W':
      case 's':
      case 'S':
        CharSet set = UnicodeSets.ofEscape((char) Character.toLowerCase(c));
        return Character.isUpperCase(c) ? set.complement() : set;
      case 'p':
      case 'P':
        CharSet property = property(start);
        return c == 'P' ? property.complement() : property;
      case 'b':
        if (inClass) {
          return CharSet.of("\b");
        }
        throw error("a word boundary, which is not supported", start);
      case 'B':
        throw error("a word boundary, which is not supported", start);
      case 'k':
        throw error("a back-reference, which is not regular", start);
      default:
        if (c >= '1' && c <= '9') {
          throw error("a back-reference, which is not regular", start);
        }
        return single(character(c, start), start);
    }
  }

  private CharSet property(int start) {
    StringBuilder name = new StringBuilder();
    if (skip("{")) {
      while (at < text.length && text[at] != '}') {
        name.appendCodePoint(text[at++]);
      }
    }
    if (!skip("}")) {
      throw error("a property without braces", start);
    }
    CharSet set = UnicodeSets.ofProperty(name.toString());
    if (set == null) {
      throw error("the property '" + name + "', which is not supported", start);
    }
    return set;
  }

  private int character(int c, int start) {
    switch (c) {
      case 'n':
        return '\n';
      case 't':
        return '\t';
      case 'r':
        return '\r';
      case 'f':
        return '\f';
      case 'v':
        return 0x0b;
      case '0':
        if (at < text.length && text[at] >= '0' && text[at] <= '9') {
          throw error("an octal escape, which is not supported", start);
        }
        return 0;
      case 'c':
        if (at < text.length && isAsciiLetter(text[at])) {
          return text[at++] % 32;
        }
        throw error("\\c without a letter", start);
      case 'x':
        return hex(2, start);
      case 'u':
        return unicode(start);
      default:
        if (isAsciiLetter(c) || c >= '0' && c <= '9') {
          throw error("the unknown escape \\" + Character.toString(c), start);
        }
        return c;
    }
  }

  private static boolean isAsciiLetter(int c) {
    return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z';
  }

  private int unicode(int start) {
    if (skip("{")) {
      int value = 0;
      int digits = 0;
      for (; at < text.length && text[at] != '}'; digits++) {
        value = 16 * value + digit(start);
        if (value > Character.MAX_CODE_POINT) {
          throw error("an escape past the last character", start);
        }
      }
      if (digits == 0 || !skip("}")) {
        throw error("\\u{ without digits and a brace", start);
      }
      return value;
    }
    int value = hex(4, start);
    int before = at;
    if (value < Character.MIN_LOW_SURROGATE && value >= Character.MIN_SURROGATE && skip("\\u")) {
      int low = isNext("{") ? 0 : hex(4, start);
      if (Character.isLowSurrogate((char) low)) {
        return Character.toCodePoint((char) value, (char) low);
      }
      at = before;
    }
    return value;
  }

  private int hex(int digits, int start) {
    int value = 0;
    for (int i = 0; i < digits; i++) {
      value = 16 * value + digit(start);
    }
    return value;
  }

  private int digit(int start) {
    int digit = at < text.length && text[at] < 128 ? Character.digit(text[at], 16) : -1;
    if (digit < 0) {
      throw error("an escape without its hexadecimal digits", start);
    }
    at++;
    return digit;
  }
}
