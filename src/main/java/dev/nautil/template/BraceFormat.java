package dev.nautil.template;

import java.math.BigInteger;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** {@code str.format} as the sandbox does it: fields are looked up under the sandbox's rules. */
final class BraceFormat {
  private final Run run;
  private final List<Object> positional;
  private final Map<String, Object> named;
  private final boolean markup;

  /** The next field without a number, or -1 once one had a number. */
  private int automatic;

  private BraceFormat(Run run, List<Object> positional, Map<String, Object> named, boolean markup) {
    this.run = run;
    this.positional = positional;
    this.named = named;
    this.markup = markup;
  }

  static Str format(Run run, Str format, List<Object> positional, Map<String, Object> named) {
    return new BraceFormat(run, positional, named, format.markup)
        .expand(format, 2)
        .withMarkup(format.markup);
  }

  static Str formatMap(Run run, Str format, Object mapping) {
    if (!(mapping instanceof DictValue dict)) {
      throw new Fail("format_map() needs a mapping, not " + Types.name(mapping));
    }
    Map<String, Object> named = new HashMap<>();
    for (DictValue.Entry e : dict.entries()) {
      if (e.key() instanceof Str s) {
        named.put(s.text, e.value());
      }
    }
    return format(run, format, List.of(), named);
  }

  /** Fields may hold fields in their specification, one level down. */
  private Str expand(Str format, int depth) {
    if (depth == 0) {
      throw new Fail("Max string recursion exceeded");
    }
    String text = format.text;
    StrBuilder out = new StrBuilder(run);
    run.scan(4L * text.length());
    int from = 0;
    for (int i = 0; i < text.length(); ) {
      char c = text.charAt(i);
      if (c != '{' && c != '}') {
        i++;
        continue;
      }
      out.append(format, from, i);
      if (text.startsWith(c == '{' ? "{{" : "}}", i)) {
        out.append(format, i, i + 1);
        i += 2;
      } else if (c == '}') {
        throw new Fail("Single '}' encountered in format string");
      } else {
        int end = closing(text, i);
        run.step();
        field(format, i + 1, end, depth, out);
        i = end + 1;
      }
      from = i;
    }
    return out.append(format, from, text.length()).toStr();
  }

  private static int closing(String text, int open) {
    int depth = 0;
    for (int i = open; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c == '[' && depth == 1) {
        int bracket = text.indexOf(']', i);
        i = bracket < 0 ? i : bracket;
      } else if (c == '{') {
        depth++;
      } else if (c == '}' && --depth == 0) {
        return i;
      }
    }
    throw new Fail("expected '}' before end of string");
  }

  private void field(Str format, int from, int to, int depth, StrBuilder out) {
    String text = format.text;
    int end = from;
    while (end < to && text.charAt(end) != ':' && text.charAt(end) != '!') {
      int bracket = text.charAt(end) == '[' ? text.indexOf(']', end) : -1;
      end = bracket >= 0 && bracket < to ? bracket + 1 : end + 1;
    }
    Object value = lookup(text.substring(from, end));
    int specFrom = end;
    if (end < to && text.charAt(end) == '!') {
      if (end + 1 >= to) {
        throw new Fail("end of string while looking for conversion specifier");
      }
      value = converted(value, text.charAt(end + 1));
      specFrom = end + 2;
      if (specFrom < to && text.charAt(specFrom) != ':') {
        throw new Fail("expected ':' after conversion specifier");
      }
    }
    Str spec = specFrom < to ? expand(format.sub(specFrom + 1, to), depth - 1) : Str.EMPTY;
    boolean trusted =
        Str.cut(format.spans, from, to).length == 2 || from == to && format.isTrusted(from - 1);
    Str result = new FormatSpec(run, spec, trusted).format(value);
    out.append(markup ? Escape.markup(run, result) : result);
  }

  private Object converted(Object value, char conversion) {
    return switch (conversion) {
      case 's' -> Text.str(run, value);
      case 'r' -> Text.repr(run, value);
      case 'a' -> PercentFormat.format(run, Str.trusted("%a"), Seq.TupleValue.of(value));
      default -> throw new Fail("Unknown conversion specifier " + conversion);
    };
  }

  private Object lookup(String name) {
    int end = 0;
    while (end < name.length() && name.charAt(end) != '.' && name.charAt(end) != '[') {
      end++;
    }
    Object value = argument(name.substring(0, end));
    while (end < name.length()) {
      if (name.charAt(end) == '.') {
        int next = end + 1;
        while (next < name.length() && name.charAt(next) != '.' && name.charAt(next) != '[') {
          next++;
        }
        requireNonEmpty(next > end + 1);
        value = Access.attribute(run, value, Str.plain(name.substring(end + 1, next)));
        end = next;
      } else if (name.charAt(end) == '[') {
        int close = name.indexOf(']', end);
        if (close < 0) {
          throw new Fail("Missing ']' in format string");
        }
        requireNonEmpty(close > end + 1);
        value = Access.item(run, value, key(name.substring(end + 1, close)));
        end = close + 1;
      } else {
        throw new Fail("Only '.' or '[' may follow ']' in format field specifier");
      }
    }
    return value;
  }

  private static void requireNonEmpty(boolean nonEmpty) {
    if (!nonEmpty) {
      throw new Fail("Empty attribute in format string");
    }
  }

  private static Object key(String key) {
    return isIndex(key) ? (Object) Long.parseLong(key) : Str.plain(key);
  }

  private static boolean isIndex(String s) {
    return !s.isEmpty() && s.length() < 10 && s.chars().allMatch(c -> c >= '0' && c <= '9');
  }

  private Object argument(String name) {
    if (!name.isEmpty() && !isIndex(name)) {
      Object value = named.get(name);
      if (value == null) {
        throw new Fail("no argument '" + name + "' for the format string");
      }
      return value;
    }
    if (name.isEmpty() != (automatic >= 0) && automatic != 0) {
      throw new Fail("cannot mix automatic field numbering and manual field specification");
    }
    int index = name.isEmpty() ? automatic++ : Integer.parseInt(name);
    automatic = name.isEmpty() ? automatic : -1;
    if (index >= positional.size()) {
      throw new Fail("Replacement index " + index + " out of range for positional args tuple");
    }
    return positional.get(index);
  }

  /** A format specification: {@code [[fill]align][sign][z][#][0][width][,][.precision][type]}. */
  private static final class FormatSpec {
    private final Run run;
    private final Str spec;
    private final boolean trusted;
    private Str fill;
    private char align;
    private char sign = '-';
    private boolean alternate;
    private long width;
    private char grouping;
    private long precision = -1;
    private char type;

    FormatSpec(Run run, Str spec, boolean trusted) {
      this.run = run;
      this.spec = spec;
      this.trusted = trusted;
      this.fill = own(" ");
      parse();
    }

    private Str own(String s) {
      return trusted ? Str.trusted(s) : Str.plain(s);
    }

    private char at(int i) {
      return i < spec.units() ? spec.text.charAt(i) : 0;
    }

    private static boolean isAlign(char c) {
      return c == '<' || c == '>' || c == '=' || c == '^';
    }

    private void parse() {
      int i = 0;
      int first = spec.isEmpty() ? 1 : Character.charCount(spec.text.codePointAt(0));
      if (isAlign(at(first))) {
        fill = spec.sub(0, first);
        align = at(first);
        i = first + 1;
      } else if (isAlign(at(0))) {
        align = at(0);
        i = 1;
      }
      if (at(i) == '+' || at(i) == '-' || at(i) == ' ') {
        sign = at(i++);
      }
      if (at(i) == 'z') {
        i++;
      }
      if (at(i) == '#') {
        alternate = true;
        i++;
      }
      if (at(i) == '0') {
        fill = i > 0 && isAlign(at(first)) ? fill : own("0");
        align = align == 0 ? '=' : align;
        i++;
      }
      int start = i;
      i = digits(i);
      width = number(start, i);
      if (at(i) == ',' || at(i) == '_') {
        grouping = at(i++);
      }
      if (at(i) == '.') {
        start = ++i;
        i = digits(i);
        if (i == start) {
          throw new Fail("Format specifier missing precision");
        }
        precision = number(start, i);
      }
      type = at(i);
      if (i + 1 < spec.units()) {
        throw new Fail("Invalid format specifier");
      }
    }

    private int digits(int from) {
      int i = from;
      while (at(i) >= '0' && at(i) <= '9') {
        i++;
      }
      return i;
    }

    private long number(int from, int to) {
      if (to - from > 10) {
        throw new Fail("Too many decimal digits in format string");
      }
      return from == to ? 0 : Long.parseLong(spec.text, from, to, 10);
    }

    Str format(Object value) {
      if (spec.isEmpty()) {
        return Text.str(run, value);
      } else if (value instanceof Str s) {
        return string(s);
      } else if (Numbers.isInt(value) && "eEfFgG%".indexOf(type) < 0 || isIntLetter(value)) {
        return integer(value);
      } else if (Numbers.isNumber(value)) {
        return real(Numbers.dbl(value));
      }
      throw new Fail("unsupported format string passed to " + Types.name(value) + ".__format__");
    }

    private boolean isIntLetter(Object value) {
      return Numbers.isInt(value) && type == 0;
    }

    private Str string(Str s) {
      if (type != 0 && type != 's') {
        throw new Fail("Unknown format code '" + type + "' for object of type 'str'");
      }
      if (sign != '-' || align == '=' && !fill.text.equals("0") || grouping != 0 || alternate) {
        throw new Fail("format specifier not allowed for strings");
      }
      Str text = precision >= 0 && precision < s.length() ? s.sub(0, s.offset((int) precision)) : s;
      return pad("", text, '<');
    }

    private Str integer(Object value) {
      if (type != 0 && "bcdoxXn".indexOf(type) < 0) {
        throw new Fail("Unknown format code '" + type + "' for object of type 'int'");
      }
      if (precision >= 0) {
        throw new Fail("Precision not allowed in integer format specifier");
      }
      if (type == 'c') {
        return pad("", own(StringMethods.codePoint(value)), '<');
      }
      BigInteger n = Numbers.big(value);
      String digits = NumberFormat.integer(n.abs(), type);
      boolean decimal = type == 0 || type == 'd' || type == 'n';
      String prefix = alternate && !decimal ? "0" + type : "";
      return number(n.signum() < 0, prefix, digits, decimal ? 3 : 4);
    }

    private Str real(double d) {
      if (type != 0 && "eEfFgGn%".indexOf(type) < 0) {
        throw new Fail("Unknown format code '" + type + "' for object of type 'float'");
      }
      long digits = precision < 0 ? 6 : precision;
      run.string(digits);
      String text;
      if (type == 0) {
        text = withoutType(d);
      } else if (type == '%') {
        text = NumberFormat.real(d * 100, 'f', digits, alternate) + "%";
      } else {
        text = NumberFormat.real(d, type == 'n' ? 'g' : type, digits, alternate);
      }
      return number(d < 0 || d == 0 && 1 / d < 0, "", text, 3);
    }

    /** Like {@code g}, but always with a point or an exponent. */
    private String withoutType(double d) {
      if (precision < 0 || Double.isNaN(d) || Double.isInfinite(d)) {
        String s = PythonFloat.repr(d);
        return s.startsWith("-") ? s.substring(1) : s;
      }
      String s = NumberFormat.real(d, 'g', precision, alternate);
      if (s.contains(".") || s.contains("e")) {
        return s;
      }
      // A whole number whose digits fill the precision is written with an exponent instead.
      return s.length() >= Math.max(1, precision) && d != 0 || precision <= 1 && d == 0
          ? exponentialIfFull(d, s)
          : s + ".0";
    }

    private String exponentialIfFull(double d, String s) {
      if (precision <= 1 && d == 0) {
        return "0e+00".startsWith(s) && precision == 1 ? "0e+00" : s;
      }
      String e = NumberFormat.real(d, 'e', Math.max(0, precision - 1), false);
      int at = e.indexOf('e');
      String mantissa = e.substring(0, at);
      if (mantissa.contains(".")) {
        mantissa = mantissa.replaceAll("0+$", "").replaceAll("\\.$", "");
      }
      return mantissa + e.substring(at);
    }

    private Str number(boolean negative, String prefix, String digits, int group) {
      String signed = (negative ? "-" : sign == '-' ? "" : String.valueOf(sign)) + prefix;
      String text = digits;
      if (grouping != 0) {
        if (align == '=' && fill.text.equals("0")) {
          text = zeroPaddedGroups(signed, digits, group);
        } else {
          text = NumberFormat.grouped(digits, grouping, group);
        }
      }
      return pad(signed, own(text), '>');
    }

    private String zeroPaddedGroups(String signed, String digits, int group) {
      run.string(width);
      String padded = digits;
      String result = NumberFormat.grouped(padded, grouping, group);
      while (signed.length() + result.length() < width && padded.length() < 10_000) {
        padded = "0" + padded;
        result = NumberFormat.grouped(padded, grouping, group);
        run.scan(result.length() * 16L);
      }
      return result;
    }

    private Str pad(String prefix, Str text, char natural) {
      char how = align == 0 ? natural : align;
      how = how == '=' && natural == '<' ? '<' : how;
      long missing = Math.max(0, width - prefix.length() - text.length());
      long before = how == '<' ? 0 : how == '^' ? missing / 2 : missing;
      StrBuilder out = new StrBuilder(run);
      if (how != '=') {
        out.repeat(fill, before);
      }
      out.append(prefix, trusted);
      if (how == '=') {
        out.repeat(fill, before);
      }
      return out.append(text).repeat(fill, missing - before).toStr();
    }
  }
}
