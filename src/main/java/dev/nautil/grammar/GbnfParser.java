package dev.nautil.grammar;

import dev.nautil.GrammarException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Reads GBNF, the notation of llama.cpp's grammars: {@code name ::= …}, of which {@code root} is
 * where a text begins.
 *
 * <p>A rule ends with its line, unless it goes on within parentheses or after {@code ::=} or {@code
 * |}. Names are letters, digits and hyphens. Comments run from {@code #} to the end of the line.
 */
final class GbnfParser {
  private static final int MAX_DEPTH = 200;

  private final int[] text;
  private final Map<String, Rule> rules = new LinkedHashMap<>();

  /** By rule that is referred to: where first. */
  private final Map<String, Integer> references = new LinkedHashMap<>();

  private int at;
  private int depth;

  private GbnfParser(String text) {
    this.text = text.codePoints().toArray();
  }

  static Grammar parse(String text) {
    return new GbnfParser(text).parse();
  }

  private Grammar parse() {
    skipSpace(true);
    while (at < text.length) {
      rule();
      skipSpace(true);
    }
    references.forEach(
        (name, position) -> {
          if (!rules.containsKey(name)) {
            throw error("there is no rule '" + name + "'", position);
          }
        });
    if (!rules.containsKey("root")) {
      throw new GrammarException("the grammar has no rule 'root', which is where a text begins");
    }
    return new Grammar(rules, "root");
  }

  private GrammarException error(String what, int position) {
    int line = 1;
    int column = 1;
    for (int i = 0; i < position && i < text.length; i++) {
      column = text[i] == '\n' ? 1 : column + 1;
      line += text[i] == '\n' ? 1 : 0;
    }
    return new GrammarException("line " + line + ", column " + column + ": " + what);
  }

  private String found() {
    if (at >= text.length) {
      return "the end of the grammar";
    }
    return text[at] == '\n' || text[at] == '\r'
        ? "the end of the line"
        : "'" + Character.toString(text[at]) + "'";
  }

  private boolean isNext(int c) {
    return at < text.length && text[at] == c;
  }

  private boolean skip(int c) {
    boolean next = isNext(c);
    at += next ? 1 : 0;
    return next;
  }

  private void skipSpace(boolean newlines) {
    while (at < text.length) {
      int c = text[at];
      if (c == '#') {
        while (at < text.length && text[at] != '\n' && text[at] != '\r') {
          at++;
        }
      } else if (c == ' ' || c == '\t' || newlines && (c == '\n' || c == '\r')) {
        at++;
      } else {
        return;
      }
    }
  }

  private static boolean isNameChar(int c) {
    return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-';
  }

  private String name() {
    int start = at;
    while (at < text.length && isNameChar(text[at])) {
      at++;
    }
    return new String(text, start, at - start);
  }

  private void rule() {
    int start = at;
    String name = name();
    if (name.isEmpty()) {
      throw error("a rule's name is expected, not " + found(), at);
    }
    skipSpace(false);
    if (!(skip(':') && skip(':') && skip('='))) {
      throw error("'::=' is expected after the name '" + name + "', not " + found(), at);
    }
    skipSpace(true);
    Rule rule = alternatives(false);
    if (at < text.length && !isNext('\n') && !isNext('\r')) {
      throw error("a part of rule '" + name + "' is expected, not " + found(), at);
    }
    if (rules.put(name, rule) != null) {
      throw error("the rule '" + name + "' is defined twice", start);
    }
  }

  private Rule alternatives(boolean inGroup) {
    List<Rule> alternatives = new ArrayList<>();
    alternatives.add(sequence(inGroup));
    while (skip('|')) {
      skipSpace(true);
      alternatives.add(sequence(inGroup));
    }
    return alternatives.size() == 1 ? alternatives.get(0) : new Rule.Choice(alternatives);
  }

  private Rule sequence(boolean inGroup) {
    List<Rule> parts = new ArrayList<>();
    while (at < text.length) {
      int start = at;
      int c = text[at];
      if (c == '"') {
        parts.add(literal());
      } else if (c == '[') {
        parts.add(Rule.chars(charClass()));
      } else if (c == '.') {
        at++;
        parts.add(Rule.chars(CharSet.ALL));
      } else if (c == '(') {
        parts.add(group());
      } else if (isNameChar(c)) {
        String name = name();
        references.putIfAbsent(name, start);
        parts.add(Rule.reference(name));
      } else if (c == '*' || c == '+' || c == '?' || c == '{') {
        throw error("there is nothing for '" + (char) c + "' to repeat", at);
      } else {
        break;
      }
      skipSpace(inGroup);
      repetitions(parts, inGroup);
    }
    return parts.size() == 1 ? parts.get(0) : new Rule.Sequence(parts);
  }

  private Rule group() {
    int start = at++;
    if (++depth > MAX_DEPTH) {
      throw error("more than " + MAX_DEPTH + " groups within each other", start);
    }
    skipSpace(true);
    Rule rule = alternatives(true);
    if (!skip(')')) {
      throw error("')' is expected for the group that begins here, not " + found(), start);
    }
    depth--;
    return rule;
  }

  /** Repeats the last part, several times over if there are several signs. */
  private void repetitions(List<Rule> parts, boolean inGroup) {
    for (int signs = 0; ; signs++) {
      int start = at;
      int min = 0;
      int max = Rule.UNBOUNDED;
      if (skip('+')) {
        min = 1;
      } else if (skip('?')) {
        max = 1;
      } else if (skip('{')) {
        min = number(start);
        skipSpace(false);
        max = skip(',') ? upperBound(start) : min;
        if (!skip('}')) {
          throw error("a repetition is {n}, {n,} or {n,m}; '}' is expected, not " + found(), at);
        }
      } else if (!skip('*')) {
        return;
      }
      if (max != Rule.UNBOUNDED && max < min) {
        throw error("a repetition from " + min + " to " + max, start);
      }
      if (signs == MAX_DEPTH) {
        throw error("more than " + MAX_DEPTH + " repetitions of one part", start);
      }
      parts.add(new Rule.Repeat(parts.remove(parts.size() - 1), min, max));
      skipSpace(inGroup);
    }
  }

  private int upperBound(int start) {
    skipSpace(false);
    return isNext('}') ? Rule.UNBOUNDED : number(start);
  }

  private int number(int start) {
    skipSpace(false);
    long number = -1;
    while (at < text.length && text[at] >= '0' && text[at] <= '9') {
      number = 10 * Math.max(0, number) + text[at++] - '0';
      if (number > Integer.MAX_VALUE) {
        throw error("a repetition of more than " + Integer.MAX_VALUE, start);
      }
    }
    if (number < 0) {
      throw error("a number is expected, not " + found(), at);
    }
    skipSpace(false);
    return (int) number;
  }

  private Rule literal() {
    int start = at++;
    StringBuilder literal = new StringBuilder();
    while (!isNext('"')) {
      literal.appendCodePoint(character(start, "the literal that begins here has no end"));
    }
    at++;
    return Rule.text(literal.toString());
  }

  private CharSet charClass() {
    int start = at++;
    String noEnd = "the class that begins here has no end";
    boolean negated = skip('^');
    CharSet set = CharSet.of("");
    while (!isNext(']')) {
      int position = at;
      int first = character(start, noEnd);
      int last = first;
      if (isNext('-') && at + 1 < text.length && text[at + 1] != ']') {
        at++;
        last = character(start, noEnd);
      }
      if (last < first) {
        throw error("a range whose ends are out of order", position);
      }
      set = set.union(CharSet.range(first, last));
    }
    at++;
    return negated ? set.complement() : set;
  }

  private int character(int start, String noEnd) {
    if (at >= text.length || text[at] == '\n' || text[at] == '\r') {
      throw error(noEnd, start);
    }
    int position = at;
    int c = text[at++];
    int value = c == '\\' ? escape(position) : c;
    if (value >= Character.MIN_SURROGATE && value <= Character.MAX_SURROGATE) {
      throw error("half of a surrogate pair", position);
    }
    return value;
  }

  private int escape(int position) {
    int c = at < text.length ? text[at++] : -1;
    return switch (c) {
      case 'n' -> '\n';
      case 'r' -> '\r';
      case 't' -> '\t';
      case '"', '\\', '[', ']', '-', '^', '/' -> c;
      case 'x' -> hex(2, position);
      case 'u' -> hex(4, position);
      case 'U' -> hex(8, position);
      default ->
          throw error(
              "unknown escape"
                  + (c < 0 ? "" : " \\" + Character.toString(c))
                  + "; there are \\n \\r \\t \\\" \\\\ \\[ \\] \\xHH \\uHHHH \\UHHHHHHHH",
              position);
    };
  }

  private int hex(int digits, int position) {
    long value = 0;
    for (int i = 0; i < digits; i++) {
      int digit = at < text.length && text[at] < 128 ? Character.digit(text[at], 16) : -1;
      if (digit < 0) {
        throw error("an escape without its " + digits + " hexadecimal digits", position);
      }
      value = 16 * value + digit;
      at++;
    }
    if (value > Character.MAX_CODE_POINT) {
      throw error("an escape past the last character", position);
    }
    return (int) value;
  }
}
