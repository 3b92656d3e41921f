package dev.nautil.template;

import java.math.BigDecimal;
import java.math.BigInteger;

/**
 * {@code format % values}. What a number becomes has the origin of its conversion: a template that
 * writes {@code '<|image_%d|>' % 1} wrote the whole token.
 */
final class PercentFormat {
  private final Run run;
  private final Str format;
  private final Object values;
  private final StrBuilder out;
  private int pos;
  private int taken;

  private boolean left;
  private boolean plus;
  private boolean space;
  private boolean alternate;
  private boolean zero;
  private long width;
  private long precision;

  private PercentFormat(Run run, Str format, Object values) {
    this.run = run;
    this.format = format;
    this.values = values;
    this.out = new StrBuilder(run);
  }

  static Str format(Run run, Str format, Object values) {
    PercentFormat f = new PercentFormat(run, format, values);
    f.all();
    return f.out.toStr(format.markup);
  }

  private void all() {
    String text = format.text;
    int from = 0;
    for (int at = text.indexOf('%'); at >= 0; at = text.indexOf('%', pos)) {
      out.append(format, from, at);
      pos = at + 1;
      conversion(at);
      from = pos;
    }
    out.append(format, from, text.length());
    run.scan(text.length());
    boolean mapping = values instanceof DictValue || values instanceof Seq.ListValue;
    int available = values instanceof Seq.TupleValue t ? t.size() : mapping ? 0 : 1;
    boolean undefined = values instanceof Undefined;
    if (taken < available && !undefined) {
      throw new Fail("not all arguments converted during string formatting");
    }
  }

  private char current() {
    if (pos >= format.units()) {
      throw new Fail("incomplete format");
    }
    return format.text.charAt(pos);
  }

  private Object nextValue() {
    taken++;
    if (values instanceof Seq.TupleValue t) {
      if (taken > t.size()) {
        throw new Fail("not enough arguments for format string");
      }
      return t.get(taken - 1);
    }
    if (taken > 1) {
      throw new Fail("not enough arguments for format string");
    }
    return values;
  }

  private void conversion(int start) {
    run.steps(8); // the time of about so many
    Object keyed = current() == '(' ? keyed() : null;
    flags();
    width = size(0);
    precision = -1;
    if (current() == '.') {
      pos++;
      precision = size(0);
    }
    if ("hlL".indexOf(current()) >= 0) {
      pos++;
    }
    char type = current();
    pos++;
    if (type == '%') {
      out.append(format, pos - 1, pos);
      return;
    }
    if ("diouxXeEfFgGcrsa".indexOf(type) < 0) {
      throw new Fail("unsupported format character '" + type + "'");
    }
    Object value = keyed != null ? keyed : nextValue();
    boolean trusted = Str.cut(format.spans, start, pos).length == 2;
    convert(type, value, trusted);
  }

  private Object keyed() {
    int open = 1;
    int start = ++pos;
    while (open > 0) {
      open += current() == '(' ? 1 : current() == ')' ? -1 : 0;
      pos++;
    }
    if (!(values instanceof DictValue d)) {
      throw new Fail("format requires a mapping");
    }
    Object value = d.get(format.sub(start, pos - 1));
    if (value == null) {
      throw new Fail("no value for the format's key");
    }
    return value;
  }

  private void flags() {
    left = plus = space = alternate = zero = false;
    while (true) {
      switch (current()) {
        case '-' -> left = true;
        case '+' -> plus = true;
        case ' ' -> space = true;
        case '#' -> alternate = true;
        case '0' -> zero = true;
        default -> {
          return;
        }
      }
      pos++;
    }
  }

  private long size(long otherwise) {
    if (current() == '*') {
      pos++;
      Object value = nextValue();
      long n = Numbers.index(value, "* wants int");
      if (n < 0) {
        left = true;
      }
      return Math.abs(n);
    }
    long n = otherwise;
    while (current() >= '0' && current() <= '9') {
      n = n * 10 + (current() - '0');
      if (n > Integer.MAX_VALUE) {
        throw new Fail("width or precision too big");
      }
      pos++;
    }
    return n;
  }

  private void convert(char type, Object value, boolean trusted) {
    switch (type) {
      case 's', 'r', 'a' -> {
        Str text = type == 's' ? Text.str(run, value) : Text.repr(run, value);
        text = type == 'a' ? ascii(text) : text;
        if (format.markup) {
          text = Escape.markup(run, text);
        }
        if (precision >= 0 && precision < text.length()) {
          text = text.sub(0, text.offset((int) precision));
        }
        pad(text, "", false, trusted);
      }
      case 'c' -> pad(character(value, trusted), "", false, trusted);
      case 'e', 'E', 'f', 'F', 'g', 'G' -> real(type, value, trusted);
      default -> integer(type, value, trusted);
    }
  }

  private Str ascii(Str text) {
    StrBuilder ascii = new StrBuilder(run);
    for (int i = 0; i < text.units(); ) {
      int c = text.text.codePointAt(i);
      int end = i + Character.charCount(c);
      if (c < 128) {
        ascii.append(text, i, end);
      } else {
        ascii.append(
            c < 256
                ? String.format("\\x%02x", c)
                : String.format(c < 0x10000 ? "\\u%04x" : "\\U%08x", c));
      }
      i = end;
    }
    return ascii.toStr();
  }

  private static Str character(Object value, boolean trusted) {
    if (value instanceof Str s && s.length() == 1) {
      return s;
    }
    if (Numbers.isInt(value)) {
      String c = StringMethods.codePoint(value);
      return trusted ? Str.trusted(c) : Str.plain(c);
    }
    throw new Fail("%c requires int or char");
  }

  private void real(char type, Object value, boolean trusted) {
    if (value instanceof Undefined u) {
      throw u.fail();
    }
    if (!Numbers.isNumber(value)) {
      throw new Fail("must be real number, not " + Types.name(value));
    }
    double d = Numbers.dbl(value);
    long digits = precision < 0 ? 6 : precision;
    run.string(digits);
    String text = NumberFormat.real(d, type, digits, alternate);
    boolean negative = d < 0 || d == 0 && 1 / d < 0;
    number(sign(negative), text, trusted);
  }

  private String sign(boolean negative) {
    return negative ? "-" : plus ? "+" : space ? " " : "";
  }

  private void integer(char type, Object value, boolean trusted) {
    BigInteger n;
    if (value instanceof Undefined u) {
      throw u.fail();
    } else if (Numbers.isInt(value)) {
      n = Numbers.big(value);
    } else if (value instanceof Double d && "diu".indexOf(type) >= 0) {
      if (d.isNaN() || d.isInfinite()) {
        throw new Fail("cannot convert float NaN or infinity to integer");
      }
      n = new BigDecimal(d).toBigInteger();
    } else {
      throw new Fail("%" + type + " format: a number is required, not " + Types.name(value));
    }
    String digits = NumberFormat.integer(n.abs(), type);
    run.string(Math.max(0, precision));
    if (precision > digits.length()) {
      digits = "0".repeat((int) precision - digits.length()) + digits;
    }
    String prefix =
        alternate ? (type == 'o' ? "0o" : type == 'x' || type == 'X' ? "0" + type : "") : "";
    number(sign(n.signum() < 0) + prefix, digits, trusted);
  }

  private void number(String prefix, String digits, boolean trusted) {
    pad(trusted ? Str.trusted(digits) : Str.plain(digits), prefix, zero, trusted);
  }

  private void pad(Str text, String prefix, boolean zeros, boolean trusted) {
    long missing = width - prefix.length() - text.length();
    Str fill = character(zeros && !left ? "0" : " ", trusted);
    if (!left && !zeros) {
      out.repeat(fill, missing);
    }
    out.append(prefix, trusted);
    if (!left && zeros) {
      out.repeat(fill, missing);
    }
    out.append(text);
    if (left) {
      out.repeat(fill, missing);
    }
  }

  private static Str character(String c, boolean trusted) {
    return trusted ? Str.trusted(c) : Str.plain(c);
  }
}
