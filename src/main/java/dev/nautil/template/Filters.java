package dev.nautil.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.RoundingMode;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The filters: those on text and numbers here, those on sequences in {@link SequenceFilters}.
 *
 * <p>jinja2's {@code pprint}, {@code random} and {@code urlize} are left out: no prompt has a use
 * for them. A template that names one fails with a message that says so.
 */
final class Filters {
  static final Map<String, Function> ALL = new HashMap<>();

  private Filters() {}

  static void filter(String name, String parameters, Function.Body body) {
    ALL.put(name, new Function(name, parameters, body));
  }

  static {
    text();
    layout();
    numbers();
    SequenceFilters.register();
    ALL.put("d", ALL.get("default"));
    ALL.put("count", ALL.get("length"));
    ALL.put("e", ALL.get("escape"));
  }

  private static Str str(Run run, @Nullable Object o) {
    return Text.str(run, o);
  }

  private static boolean flag(@Nullable Object o) {
    return o != null && Ops.truth(o);
  }

  private static void text() {
    filter("string", "value", (run, a) -> str(run, a[0]));
    filter("upper", "s", (run, a) -> StringMethods.upper(run, str(run, a[0])));
    filter("lower", "s", (run, a) -> StringMethods.lower(run, str(run, a[0])));
    filter("capitalize", "s", (run, a) -> StringMethods.capitalize(run, str(run, a[0])));
    filter("title", "s", (run, a) -> title(run, str(run, a[0])));
    filter(
        "trim",
        "value chars=",
        (run, a) -> StringMethods.strip(run, str(run, a[0]), a[1], true, true));
    filter(
        "replace",
        "s old new count=",
        (run, a) ->
            StringMethods.replace(
                run,
                str(run, a[0]).withMarkup(false),
                str(run, a[1]),
                str(run, a[2]),
                a[3] instanceof None ? -1 : StringMethods.count(a[3])));
    ALL.put(
        "format",
        new Function(
            "format",
            (run, args) -> {
              Str format = str(run, args.positional().get(0));
              List<Object> rest = args.positional().subList(1, args.positional().size());
              if (args.named().isEmpty()) {
                return PercentFormat.format(run, format, new Seq.TupleValue(rest));
              }
              if (!rest.isEmpty()) {
                throw new Fail("can't handle positional and keyword arguments at the same time");
              }
              DictValue named = new DictValue();
              args.named().forEach((name, value) -> named.put(Str.trusted(name), value));
              return PercentFormat.format(run, format, named);
            }));
    filter("escape", "s", (run, a) -> Escape.markup(run, str(run, a[0])));
    filter("forceescape", "s", (run, a) -> Escape.always(run, str(run, a[0])));
    filter("safe", "s", (run, a) -> str(run, a[0]).withMarkup(true));
    filter("striptags", "s", (run, a) -> stripTags(run, str(run, a[0])));
    filter("urlencode", "value", (run, a) -> urlEncode(run, a[0]));
    filter("xmlattr", "d autospace=", Filters::xmlAttributes);
    filter("wordcount", "s", (run, a) -> wordCount(run, str(run, a[0])));
    filter(
        "tojson",
        "value ensure_ascii= indent= separators= sort_keys=",
        (run, a) -> Json.dumps(run, a[0], a[1], a[2], a[3], a[4]));
    filter(
        "default",
        "value default_value= boolean=",
        (run, a) ->
            a[0] instanceof Undefined || flag(a[2]) && !Ops.truth(a[0])
                ? a[1] == null ? Str.EMPTY : a[1]
                : a[0]);
    filter("attr", "obj name", (run, a) -> Access.attributeOnly(a[0], a[1]));
  }

  private static void layout() {
    filter(
        "center",
        "value width=",
        (run, a) ->
            StringMethods.center(run, str(run, a[0]), a[1] == null ? (Object) 80L : a[1], null));
    filter("indent", "s width= first= blank=", Filters::indent);
    filter("truncate", "s length= killwords= end= leeway=", Filters::truncate);
    filter(
        "wordwrap", "s width= break_long_words= wrapstring= break_on_hyphens=", WordWrap::filter);
    filter("filesizeformat", "value binary=", Filters::fileSize);
  }

  private static void numbers() {
    filter("abs", "/x", (run, a) -> abs(a[0]));
    filter("int", "value default= base=", Filters::toInt);
    filter("float", "value default=", Filters::toFloat);
    filter("round", "value precision= method=", Filters::round);
  }

  // ---- text

  /** Words begin after white space, hyphens and opening brackets. */
  private static Str title(Run run, Str s) {
    run.visit(s.units());
    StrBuilder out = new StrBuilder(run);
    int from = 0;
    boolean inWord = false;
    for (int i = 0; i <= s.units(); i++) {
      char c = i < s.units() ? s.text.charAt(i) : ' ';
      boolean breaks = Chars.isSpace(c) || "-({[<".indexOf(c) >= 0;
      if (breaks && inWord) {
        int first = from + Character.charCount(s.text.codePointAt(from));
        out.append(StringMethods.upper(run, s.sub(from, first)));
        out.append(StringMethods.lower(run, s.sub(first, i)));
        from = i;
      } else if (!breaks && !inWord) {
        out.append(s, from, i);
        from = i;
      }
      inWord = !breaks;
    }
    return out.append(s, from, s.units()).toStr();
  }

  private static Str stripTags(Run run, Str s) {
    run.string(2L * s.units());
    run.visit(2L * s.units());
    StringBuilder plain = new StringBuilder();
    String text = s.text;
    int from = 0;
    while (from < text.length()) {
      int open = text.indexOf('<', from);
      boolean comment = open >= 0 && text.startsWith("<!--", open);
      int close = open < 0 ? -1 : comment ? text.indexOf("-->", open) : text.indexOf('>', open);
      plain.append(text, from, close < 0 ? text.length() : open);
      from = close < 0 ? text.length() : close + (comment ? 3 : 1);
    }
    String spaced = String.join(" ", plain.toString().trim().split("\\s+"));
    String result =
        spaced
            .replace("&lt;", "<")
            .replace("&gt;", ">")
            .replace("&#34;", "\"")
            .replace("&quot;", "\"")
            .replace("&#39;", "'")
            .replace("&amp;", "&");
    return s.derive(result);
  }

  private static Object urlEncode(Run run, Object value) {
    if (value instanceof Str || !Ops.isIterable(value)) {
      return quoteUrl(run, str(run, value), false);
    }
    Object pairs = value instanceof DictValue d ? new DictView(d, DictView.Kind.ITEMS) : value;
    StrBuilder out = new StrBuilder(run);
    Iterator<Object> all = Ops.iterate(run, pairs);
    for (boolean first = true; all.hasNext(); first = false) {
      List<Object> pair = Ops.list(run, all.next());
      if (pair.size() != 2) {
        throw new Fail("urlencode needs pairs of key and value");
      }
      out.append(first ? "" : "&");
      out.append(quoteUrl(run, str(run, pair.get(0)), true)).append("=");
      out.append(quoteUrl(run, str(run, pair.get(1)), true));
    }
    return out.toStr();
  }

  private static Str quoteUrl(Run run, Str s, boolean query) {
    run.string(3L * s.units());
    run.visit(2L * s.units());
    StringBuilder out = new StringBuilder();
    for (byte b : s.text.getBytes(StandardCharsets.UTF_8)) {
      char c = (char) (b & 0xff);
      boolean safe = c < 128 && Character.isLetterOrDigit(c) || "_.-~".indexOf(c) >= 0;
      if (safe || c == '/' && !query) {
        out.append(c);
      } else if (c == ' ' && query) {
        out.append('+');
      } else {
        out.append(String.format("%%%02X", (int) c));
      }
    }
    return s.derive(out.toString());
  }

  private static Object xmlAttributes(Run run, @Nullable Object[] a) {
    if (!(a[0] instanceof DictValue dict)) {
      throw new Fail("xmlattr needs a mapping, not " + Types.name(a[0]));
    }
    StrBuilder out = new StrBuilder(run);
    boolean first = a[1] != null && !Ops.truth(a[1]);
    for (DictValue.Entry e : dict.entries()) {
      if (e.value() instanceof None || e.value() instanceof Undefined) {
        continue;
      }
      Str key = StringMethods.str(e.key());
      if (key.text.chars().anyMatch(c -> c < 128 && Chars.isSpace(c) || "/>=".indexOf(c) >= 0)) {
        throw new Fail("Invalid character in attribute name");
      }
      out.append(first ? "" : " ").append(Escape.markup(run, key)).append("=\"");
      out.append(Escape.markup(run, str(run, e.value()))).append("\"");
      first = false;
    }
    return out.toStr();
  }

  private static Object wordCount(Run run, Str s) {
    run.visit(s.units());
    long n = 0;
    boolean inWord = false;
    for (int i = 0; i < s.units(); ) {
      int c = s.text.codePointAt(i);
      boolean word = Chars.isWord(c);
      n += word && !inWord ? 1 : 0;
      inWord = word;
      i += Character.charCount(c);
    }
    return n;
  }

  // ---- layout

  private static Object indent(Run run, @Nullable Object[] a) {
    if (a[0] instanceof Undefined u) {
      throw u.fail();
    }
    Str s = StringMethods.str(a[0]);
    Str by =
        a[1] instanceof Str given
            ? given
            : new StrBuilder(run)
                .repeat(Str.plain(" "), a[1] == null ? 4 : Numbers.index(a[1], "width"))
                .toStr();
    boolean blank = flag(a[3]);
    List<Object> lines =
        StringMethods.splitLines(run, s.plus(Str.plain("\n").withMarkup(s.markup), run), false);
    StrBuilder out = new StrBuilder(run);
    if (flag(a[2])) {
      out.append(by);
    }
    for (int i = 0; i < lines.size(); i++) {
      Str line = (Str) lines.get(i);
      if (i > 0) {
        out.append('\n');
        if (blank || !line.isEmpty()) {
          out.append(by);
        }
      }
      out.append(line);
    }
    return out.toStr(s.markup);
  }

  private static Object truncate(Run run, @Nullable Object[] a) {
    long size = Ops.knownLength(a[0]);
    if (size < 0) {
      throw new Fail("object of type '" + Types.name(a[0]) + "' has no len()");
    }
    long length = a[1] == null ? 255 : Numbers.index(a[1], "length");
    Str end = a[3] == null ? Str.plain("...") : StringMethods.str(a[3]);
    long leeway = a[4] == null || a[4] instanceof None ? 5 : Numbers.index(a[4], "leeway");
    if (length < end.length() || leeway < 0) {
      throw new Fail("expected length >= " + end.length() + " and leeway >= 0");
    }
    if (size <= length + leeway) {
      return a[0];
    }
    Str s = StringMethods.str(a[0]);
    int to = s.offset((int) (length - end.length()));
    int space = flag(a[2]) ? -1 : s.text.lastIndexOf(' ', to - 1);
    return s.sub(0, space >= 0 ? space : to).plus(end, run);
  }

  private static Object fileSize(Run run, @Nullable Object[] a) {
    Object value = toFloat(run, new Object[] {a[0], None.NONE});
    if (!(value instanceof Double bytes)) {
      throw new Fail("could not convert to float: " + Text.brief(a[0]));
    }
    boolean binary = flag(a[1]);
    double base = binary ? 1024 : 1000;
    if (bytes == 1) {
      return Str.plain("1 Byte");
    } else if (bytes < base) {
      return Str.plain(bytes.longValue() + " Bytes");
    }
    String prefixes = binary ? "KMGTPEZY" : "kMGTPEZY";
    double unit = base;
    int i = -1;
    do {
      unit *= base;
      i++;
    } while (bytes >= unit && i < prefixes.length() - 1);
    return Str.plain(
        NumberFormat.real(base * bytes / unit, 'f', 1, false)
            + " "
            + prefixes.charAt(i)
            + (binary ? "iB" : "B"));
  }

  // ---- numbers

  private static Object abs(Object value) {
    if (value instanceof Double d) {
      return Math.abs(d);
    } else if (Numbers.isInt(value)) {
      return Numbers.normal(Numbers.big(value).abs());
    } else if (value instanceof Undefined u) {
      throw u.fail();
    }
    throw new Fail("bad operand type for abs(): '" + Types.name(value) + "'");
  }

  private static Object toInt(Run run, @Nullable Object[] a) {
    Object otherwise = a[1] == null ? (Object) 0L : a[1];
    if (a[0] instanceof Str s) {
      run.scan(s.units());
      long base = a[2] == null ? 10 : Numbers.index(a[2], "base");
      Object whole =
          base == 0 || base >= 2 && base <= 36 ? Numbers.parseInt(s.text, (int) base) : null;
      Double real = whole == null ? Numbers.parseFloat(s.text) : null;
      return whole != null
          ? whole
          : real == null || real.isNaN() || real.isInfinite() ? otherwise : truncated(real);
    } else if (a[0] instanceof Double d) {
      if (d.isInfinite()) {
        throw new Fail("cannot convert float infinity to integer");
      }
      return d.isNaN() ? otherwise : truncated(d);
    } else if (a[0] instanceof Undefined u) {
      throw u.fail();
    }
    return Numbers.isInt(a[0]) ? Numbers.normal(Numbers.big(a[0])) : otherwise;
  }

  private static Object truncated(double d) {
    return Numbers.normal(new BigDecimal(d).toBigInteger());
  }

  private static Object toFloat(Run run, @Nullable Object[] a) {
    Object otherwise = a[1] == null ? (Object) 0.0 : a[1];
    if (a[0] instanceof Str s) {
      run.scan(s.units());
      Double d = Numbers.parseFloat(s.text);
      return d == null ? otherwise : d;
    } else if (a[0] instanceof Undefined u) {
      throw u.fail();
    }
    return Numbers.isNumber(a[0]) ? (Object) Numbers.dbl(a[0]) : otherwise;
  }

  private static Object round(Run run, @Nullable Object[] a) {
    long precision = a[1] == null ? 0 : Numbers.index(a[1], "precision");
    String method = a[2] == null ? "common" : str(run, a[2]).text.toLowerCase(Locale.ROOT);
    if (a[0] instanceof Undefined u) {
      throw u.fail();
    } else if (!Numbers.isNumber(a[0])) {
      throw new Fail("type " + Types.name(a[0]) + " doesn't define __round__ method");
    } else if (method.equals("common")) {
      return a[0] instanceof Double d ? roundedReal(d, precision) : roundedInt(a[0], precision);
    } else if (!method.equals("ceil") && !method.equals("floor")) {
      throw new Fail("method must be common, ceil or floor");
    }
    Object scale = Numbers.arithmetic(Expr.Op.POW, 10L, precision, run);
    Object scaled = Numbers.arithmetic(Expr.Op.MUL, a[0], scale, run);
    Object whole = scaled;
    if (scaled instanceof Double d) {
      if (d.isNaN() || d.isInfinite()) {
        throw new Fail("cannot convert float NaN or infinity to integer");
      }
      whole = truncated(method.equals("ceil") ? Math.ceil(d) : Math.floor(d));
    }
    return Numbers.arithmetic(Expr.Op.DIV, whole, scale, run);
  }

  private static double roundedReal(double d, long precision) {
    if (Double.isNaN(d) || Double.isInfinite(d) || precision > 323) {
      return d;
    }
    if (precision < -308) {
      return Math.copySign(0.0, d);
    }
    double r = new BigDecimal(d).setScale((int) precision, RoundingMode.HALF_EVEN).doubleValue();
    return Math.copySign(r, d);
  }

  private static Object roundedInt(Object whole, long precision) {
    BigInteger n = Numbers.big(whole);
    if (precision >= 0) {
      return Numbers.normal(n);
    }
    if (precision < -Numbers.MAX_DIGITS) {
      return 0L;
    }
    return Numbers.normal(
        new BigDecimal(n).setScale((int) precision, RoundingMode.HALF_EVEN).toBigInteger());
  }
}
