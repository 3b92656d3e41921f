package dev.nautil.template;

import java.math.BigInteger;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Splits a template into tokens, with white space as Hugging Face's transformers treats it: the
 * newline after a tag goes (trim_blocks), and so does the indentation before one (lstrip_blocks).
 */
final class Lexer {
  /** What a token is; operators and names are told apart by their text. */
  enum Kind {
    DATA,
    PRINT_BEGIN,
    PRINT_END,
    TAG_BEGIN,
    TAG_END,
    NAME,
    STRING,
    NUMBER,
    OPERATOR,
    END
  }

  /** A token; {@code value} is what a string or number literal stands for. */
  record Token(Kind kind, String text, Object value, int line) {}

  private static final String[] OPERATORS = {
    "//", "**", "==", "!=", ">=", "<=", "+", "-", "/", "*", "%", "~", "[", "]", "(", ")", "{", "}",
    ">", "<", "=", ".", ":", "|", ",", ";"
  };

  private final String source;
  private final List<Token> tokens = new ArrayList<>();
  private final Deque<Character> open = new ArrayDeque<>();
  private int pos;
  private int line = 1;
  private int counted;

  private Lexer(String source) {
    this.source = source;
  }

  /**
   * @throws TemplateException naming the line of what is no token
   */
  static List<Token> tokens(String template) {
    String unix = template.replace("\r\n", "\n").replace('\r', '\n');
    if (unix.endsWith("\n")) {
      unix = unix.substring(0, unix.length() - 1);
    }
    Lexer lexer = new Lexer(unix);
    try {
      lexer.template();
    } catch (Fail e) {
      throw new TemplateException(lexer.line, e.getMessage(), false);
    }
    return lexer.tokens;
  }

  private int line() {
    for (; counted < pos; counted++) {
      if (source.charAt(counted) == '\n') {
        line++;
      }
    }
    return line;
  }

  private void add(Kind kind, String text, Object value) {
    tokens.add(new Token(kind, text, value, line()));
  }

  private boolean at(String s) {
    return source.startsWith(s, pos);
  }

  private char charAt(int i) {
    return i < source.length() ? source.charAt(i) : 0;
  }

  private void template() {
    while (pos < source.length()) {
      int tag = nextTag();
      if (tag < 0) {
        data(pos, source.length());
        pos = source.length();
        break;
      }
      char kind = source.charAt(tag + 1);
      char sign = charAt(tag + 2);
      data(pos, endOfData(pos, tag, kind, sign));
      pos = tag + 2 + (sign == '-' || sign == '+' ? 1 : 0);
      if (kind == '#') {
        comment();
      } else if (kind == '{') {
        add(Kind.PRINT_BEGIN, "{{", None.NONE);
        code(false);
      } else if (!raw()) {
        add(Kind.TAG_BEGIN, "{%", None.NONE);
        code(true);
      }
    }
    add(Kind.END, "end of template", None.NONE);
  }

  private int nextTag() {
    for (int i = source.indexOf('{', pos); i >= 0; i = source.indexOf('{', i + 1)) {
      char c = charAt(i + 1);
      if (c == '{' || c == '%' || c == '#') {
        return i;
      }
    }
    return -1;
  }

  /** Where the text before a tag ends, once the white space that the tag takes away is gone. */
  private int endOfData(int from, int tag, char kind, char sign) {
    int end = tag;
    if (sign == '-') {
      while (end > from && Chars.isSpace(source.charAt(end - 1))) {
        end--;
      }
    } else if (sign != '+' && kind != '{') {
      int indent = tag;
      while (indent > from
          && source.charAt(indent - 1) != '\n'
          && Chars.isSpace(source.charAt(indent - 1))) {
        indent--;
      }
      boolean lineStart = indent == 0 || source.charAt(indent - 1) == '\n';
      return lineStart ? indent : tag;
    }
    return end;
  }

  private void data(int from, int to) {
    if (to > from) {
      add(Kind.DATA, source.substring(from, to), None.NONE);
    }
  }

  private void skipSpace() {
    while (pos < source.length() && Chars.isSpace(source.charAt(pos))) {
      pos++;
    }
  }

  private void comment() {
    int end = source.indexOf("#}", pos);
    if (end < 0 && pos == source.length()) {
      // jinja2 lets the last characters of a template open a comment or a raw block.
      return;
    }
    if (end < 0) {
      line();
      throw new Fail("Missing end of comment tag");
    }
    boolean inside = end > pos;
    char before = inside ? source.charAt(end - 1) : 0;
    pos = end + 2;
    afterTag(before == '-', before == '+');
  }

  /** Takes away the white space that the end of a tag does. */
  private void afterTag(boolean minus, boolean plus) {
    if (minus) {
      skipSpace();
    } else if (!plus && charAt(pos) == '\n') {
      pos++;
    }
  }

  /** After "{%": a raw block, whose text is not looked into, or false. */
  private boolean raw() {
    int start = pos;
    skipSpace();
    if (at("raw")) {
      pos += 3;
      skipSpace();
      boolean minus = at("-%}");
      if (minus || at("%}")) {
        pos += minus ? 3 : 2;
        if (minus) {
          skipSpace();
        }
        rawText();
        return true;
      }
    }
    pos = start;
    return false;
  }

  private void rawText() {
    int from = pos;
    for (int tag = source.indexOf("{%", pos); tag >= 0; tag = source.indexOf("{%", tag + 1)) {
      char sign = charAt(tag + 2);
      pos = tag + 2 + (sign == '-' || sign == '+' ? 1 : 0);
      skipSpace();
      if (!at("endraw")) {
        continue;
      }
      pos += 6;
      skipSpace();
      boolean signed = at("-%}") || at("+%}");
      if (signed || at("%}")) {
        char end = source.charAt(pos);
        int after = pos + (signed ? 3 : 2);
        pos = from;
        data(from, endOfData(from, tag, '%', sign));
        pos = after;
        afterTag(end == '-', end == '+');
        return;
      }
    }
    if (from < source.length()) {
      throw new Fail("Missing end of raw directive");
    }
    pos = from;
  }

  /** The tokens of a print statement or tag, up to its end. */
  private void code(boolean tag) {
    open.clear();
    while (pos < source.length()) {
      if (open.isEmpty() && end(tag)) {
        return;
      }
      char c = source.charAt(pos);
      if (Chars.isSpace(c)) {
        skipSpace();
      } else if (c >= '0' && c <= '9') {
        number();
      } else if (c == '\'' || c == '"') {
        string(c);
      } else if (Chars.isNamePart(source.codePointAt(pos))) {
        name();
      } else {
        operator();
      }
    }
  }

  private boolean end(boolean tag) {
    String close = tag ? "%}" : "}}";
    boolean signed = at("-" + close) || tag && at("+" + close);
    if (!signed && !at(close)) {
      return false;
    }
    char sign = source.charAt(pos);
    add(tag ? Kind.TAG_END : Kind.PRINT_END, close, None.NONE);
    pos += signed ? 3 : 2;
    if (tag || sign == '-') {
      afterTag(sign == '-', sign == '+');
    }
    return true;
  }

  private void name() {
    int start = pos;
    int first = source.codePointAt(pos);
    while (pos < source.length() && Chars.isNamePart(source.codePointAt(pos))) {
      pos += Character.charCount(source.codePointAt(pos));
    }
    if (!Chars.isNameStart(first)) {
      throw new Fail("Invalid character in identifier");
    }
    add(Kind.NAME, source.substring(start, pos), None.NONE);
  }

  private void operator() {
    for (String op : OPERATORS) {
      if (at(op)) {
        balance(op.charAt(0));
        add(Kind.OPERATOR, op, None.NONE);
        pos += op.length();
        return;
      }
    }
    line();
    throw new Fail("unexpected char '" + Character.toString(source.codePointAt(pos)) + "'");
  }

  private void balance(char c) {
    switch (c) {
      case '{' -> open.push('}');
      case '(' -> open.push(')');
      case '[' -> open.push(']');
      case '}', ')', ']' -> {
        line();
        if (open.isEmpty()) {
          throw new Fail("unexpected '" + c + "'");
        }
        char expected = open.pop();
        if (expected != c) {
          throw new Fail("unexpected '" + c + "', expected '" + expected + "'");
        }
      }
      default -> {}
    }
  }

  /** The end of a run of digits in which underscores may stand between two. */
  private int digits(int from, int radix) {
    int i = from;
    while (isDigit(charAt(i), radix)
        || i > from && charAt(i) == '_' && isDigit(charAt(i + 1), radix)) {
      i++;
    }
    return i;
  }

  private static boolean isDigit(char c, int radix) {
    return c < 128 && Character.digit(c, radix) >= 0;
  }

  private void number() {
    int start = pos;
    int end = digits(pos, 10);
    boolean afterDot = start > 0 && source.charAt(start - 1) == '.';
    boolean isFloat = false;
    if (!afterDot) {
      if (charAt(end) == '.' && isDigit(charAt(end + 1), 10)) {
        end = digits(end + 1, 10);
        isFloat = true;
      }
      if (charAt(end) == 'e' || charAt(end) == 'E') {
        int e = end + (charAt(end + 1) == '-' || charAt(end + 1) == '+' ? 2 : 1);
        if (isDigit(charAt(e), 10)) {
          end = digits(e, 10);
          isFloat = true;
        }
      }
    }
    if (isFloat) {
      String text = source.substring(start, end);
      add(Kind.NUMBER, text, Double.parseDouble(text.replace("_", "")));
      pos = end;
    } else {
      integer(start, end);
    }
  }

  private void integer(int start, int decimalEnd) {
    int radix = 10;
    int from = start;
    int end = decimalEnd;
    if (source.charAt(start) == '0') {
      int prefixed =
          switch (charAt(start + 1)) {
            case 'x', 'X' -> 16;
            case 'o', 'O' -> 8;
            case 'b', 'B' -> 2;
            default -> 0;
          };
      int first = start + 2 + (charAt(start + 2) == '_' ? 1 : 0);
      if (prefixed != 0 && isDigit(charAt(first), prefixed)) {
        radix = prefixed;
        from = first;
        end = digits(first, prefixed);
      } else {
        // A decimal number does not begin with a zero: 07 is two numbers, and then an error.
        end = start + 1;
        while (charAt(end) == '0' || charAt(end) == '_' && charAt(end + 1) == '0') {
          end++;
        }
      }
    }
    String digits = source.substring(from, end).replace("_", "");
    if (digits.length() > Numbers.MAX_DIGITS) {
      throw new Fail("an integer literal of more than " + Numbers.MAX_DIGITS + " digits");
    }
    Object value = Numbers.normal(new BigInteger(digits, radix));
    add(Kind.NUMBER, source.substring(start, end), value);
    pos = end;
  }

  private void string(char quote) {
    int i = pos + 1;
    while (i < source.length() && source.charAt(i) != quote) {
      i += source.charAt(i) == '\\' ? 2 : 1;
    }
    if (i >= source.length()) {
      line();
      throw new Fail("unexpected char '" + quote + "'");
    }
    String body = source.substring(pos + 1, i);
    add(Kind.STRING, body, body.indexOf('\\') < 0 ? body : unescape(body));
    pos = i + 1;
  }

  private static String unescape(String s) {
    StringBuilder out = new StringBuilder(s.length());
    for (int i = 0; i < s.length(); ) {
      char c = s.charAt(i++);
      if (c != '\\') {
        out.append(c);
        continue;
      }
      c = s.charAt(i++);
      int simple = "\\'\"abfnrtv".indexOf(c);
      if (simple >= 0) {
        out.append("\\'\"\u0007\b\f\n\r\t\u000b".charAt(simple));
      } else if (c >= '0' && c <= '7') {
        int end = i;
        while (end < s.length() && end < i + 2 && isDigit(s.charAt(end), 8)) {
          end++;
        }
        out.append((char) Integer.parseInt(s, i - 1, end, 8));
        i = end;
      } else if (c == 'x' || c == 'u' || c == 'U') {
        int n = c == 'x' ? 2 : c == 'u' ? 4 : 8;
        out.appendCodePoint(hex(s, i, n));
        i += n;
      } else if (c == 'N') {
        int end = s.indexOf('}', i);
        if (end < 0 || s.charAt(i) != '{') {
          throw new Fail("malformed \\N character escape");
        }
        out.appendCodePoint(named(s.substring(i + 1, end)));
        i = end + 1;
      } else if (c != '\n') {
        out.append('\\').append(c < 128 ? String.valueOf(c) : asciiEscape(c));
      }
    }
    return out.toString();
  }

  /** Python writes a character beyond ASCII as an escape first, which its backslash then undoes. */
  private static String asciiEscape(char c) {
    return c < 256 ? String.format("x%02x", (int) c) : String.format("u%04x", (int) c);
  }

  private static int named(String name) {
    try {
      return Character.codePointOf(name);
    } catch (IllegalArgumentException e) {
      throw new Fail("unknown Unicode character name");
    }
  }

  private static int hex(String s, int from, int n) {
    int value = 0;
    for (int i = from; i < from + n; i++) {
      if (i >= s.length() || !isDigit(s.charAt(i), 16)) {
        throw new Fail("truncated \\" + s.charAt(from - 1) + " escape");
      }
      value = value * 16 + Character.digit(s.charAt(i), 16);
    }
    if (!Character.isValidCodePoint(value)) {
      throw new Fail("illegal Unicode character");
    }
    return value;
  }
}
