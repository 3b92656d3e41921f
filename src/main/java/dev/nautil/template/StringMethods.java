package dev.nautil.template;

import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.Iterator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.function.UnaryOperator;
import org.jspecify.annotations.Nullable;

/**
 * The methods of strings. Each keeps track of which characters of its result the template wrote.
 */
final class StringMethods {
  static final Map<String, Function> ALL = new HashMap<>();

  private StringMethods() {}

  private static void method(String name, String parameters, Function.Body body) {
    ALL.put(name, new Function(name, parameters, body));
  }

  static {
    method("upper", "/self", (run, a) -> upper(run, self(a)));
    method("lower", "/self", (run, a) -> lower(run, self(a)));
    method(
        "casefold",
        "/self",
        (run, a) -> cased(run, self(a), s -> s.toUpperCase(Locale.ROOT).toLowerCase(Locale.ROOT)));
    method("title", "/self", (run, a) -> title(run, self(a)));
    method("capitalize", "/self", (run, a) -> capitalize(run, self(a)));
    method("swapcase", "/self", (run, a) -> swapcase(run, self(a)));
    method("strip", "/self chars=", (run, a) -> strip(run, self(a), a[1], true, true));
    method("lstrip", "/self chars=", (run, a) -> strip(run, self(a), a[1], true, false));
    method("rstrip", "/self chars=", (run, a) -> strip(run, self(a), a[1], false, true));
    method("split", "self sep= maxsplit=", (run, a) -> split(run, self(a), a[1], a[2], false));
    method("rsplit", "self sep= maxsplit=", (run, a) -> split(run, self(a), a[1], a[2], true));
    method("splitlines", "self keepends=", (run, a) -> splitLines(run, self(a), flag(a[1])));
    method("partition", "/self sep", (run, a) -> partition(run, self(a), str(a[1]), false));
    method("rpartition", "/self sep", (run, a) -> partition(run, self(a), str(a[1]), true));
    method("join", "/self items", (run, a) -> join(run, self(a), a[1]));
    method(
        "replace",
        "/self old new count=",
        (run, a) -> replace(run, self(a), str(a[1]), markup(run, a, str(a[2])), count(a[3])));
    method("startswith", "/self prefix start= end=", (run, a) -> affix(run, a, true));
    method("endswith", "/self suffix start= end=", (run, a) -> affix(run, a, false));
    method("find", "/self sub start= end=", (run, a) -> find(run, a, false));
    method("rfind", "/self sub start= end=", (run, a) -> find(run, a, true));
    method("index", "/self sub start= end=", (run, a) -> index(run, a, false));
    method("rindex", "/self sub start= end=", (run, a) -> index(run, a, true));
    method("count", "/self sub start= end=", StringMethods::count);
    method("removeprefix", "/self prefix", (run, a) -> removePrefix(self(a), str(a[1])));
    method("removesuffix", "/self suffix", (run, a) -> removeSuffix(self(a), str(a[1])));
    method("center", "/self width fillchar=", (run, a) -> center(run, self(a), a[1], a[2]));
    method("ljust", "/self width fillchar=", (run, a) -> justify(run, a, false));
    method("rjust", "/self width fillchar=", (run, a) -> justify(run, a, true));
    method("zfill", "/self width", StringMethods::zfill);
    method("expandtabs", "self tabsize=", StringMethods::expandTabs);
    method("encode", "self encoding= errors=", (run, a) -> unsupported("bytes"));
    method("translate", "/self table", StringMethods::translate);
    ALL.put(
        "format",
        new Function(
            "format",
            (run, args) ->
                BraceFormat.format(
                    run,
                    (Str) args.positional().get(0),
                    args.positional().subList(1, args.positional().size()),
                    args.named())));
    method("format_map", "/self mapping", (run, a) -> BraceFormat.formatMap(run, self(a), a[1]));
    predicate("isalpha", Character::isLetter);
    predicate("isdigit", Chars::isDigit);
    predicate("isdecimal", Chars::isDecimal);
    predicate("isnumeric", Chars::isNumeric);
    predicate("isalnum", Chars::isAlnum);
    predicate("isspace", Chars::isSpace);
    method("isascii", "/self", (run, a) -> all(run, self(a), c -> c < 128));
    method("isprintable", "/self", (run, a) -> all(run, self(a), Chars::isPrintable));
    method("isidentifier", "/self", (run, a) -> isIdentifier(run, self(a)));
    method("islower", "/self", (run, a) -> isLower(run, self(a)));
    method("isupper", "/self", (run, a) -> isUpper(run, self(a)));
    method("istitle", "/self", (run, a) -> isTitle(run, self(a)));
  }

  private static void predicate(String name, IntPredicate test) {
    method(name, "/self", (run, a) -> !self(a).isEmpty() && all(run, self(a), test));
  }

  private static boolean all(Run run, Str s, IntPredicate test) {
    run.visit(s.units());
    return s.text.codePoints().allMatch(test);
  }

  private static Object unsupported(String what) {
    throw new Fail(what + " are not supported");
  }

  private static Str self(@Nullable Object[] a) {
    return (Str) a[0];
  }

  static Str str(@Nullable Object o) {
    if (o instanceof Str s) {
      return s;
    }
    throw new Fail("expected a string, got '" + Types.name(o) + "'");
  }

  private static boolean flag(@Nullable Object o) {
    return o != null && Ops.truth(o);
  }

  static long count(@Nullable Object o) {
    return o == null ? -1 : Numbers.index(o, "count");
  }

  /** An argument of a method of markup is escaped on its way in. */
  private static Str markup(Run run, @Nullable Object[] a, Str s) {
    return self(a).markup ? Escape.markup(run, s) : s;
  }

  // ---- case

  static Str upper(Run run, Str s) {
    return cased(run, s, t -> t.toUpperCase(Locale.ROOT));
  }

  static Str lower(Run run, Str s) {
    return cased(run, s, t -> t.toLowerCase(Locale.ROOT));
  }

  /** Changes case; where that changes the length, span by span, so that origins stay right. */
  private static Str cased(Run run, Str s, UnaryOperator<String> change) {
    run.string(s.units());
    run.visit(s.units());
    String whole = change.apply(s.text);
    if (whole.length() == s.units()) {
      return s.withText(whole);
    }
    StrBuilder out = new StrBuilder(run);
    int from = 0;
    for (int i = 0; i <= s.spans.length; i++) {
      int to = i < s.spans.length ? s.spans[i] : s.units();
      out.append(change.apply(s.text.substring(from, to)), i % 2 == 1);
      from = to;
    }
    return out.toStr(s.markup);
  }

  /** Maps code points one by one, with what was seen before as state. */
  private static Str mapped(Run run, Str s, CaseMap map) {
    run.steps(s.units());
    StrBuilder out = new StrBuilder(run);
    boolean afterCased = false;
    for (int i = 0; i < s.units(); ) {
      int c = s.text.codePointAt(i);
      int end = i + Character.charCount(c);
      out.append(map.apply(c, i == 0, afterCased), s.isTrusted(i));
      afterCased = isCased(c);
      i = end;
    }
    return out.toStr(s.markup);
  }

  private interface CaseMap {
    String apply(int c, boolean first, boolean afterCased);
  }

  private static boolean isCased(int c) {
    return Character.isUpperCase(c) || Character.isLowerCase(c) || Character.isTitleCase(c);
  }

  private static String titleCase(int c) {
    int t = Character.toTitleCase(c);
    String upper = Character.toString(c).toUpperCase(Locale.ROOT);
    // Only ligatures and the like grow: "ﬁ" becomes "Fi".
    return t == c && upper.length() > Character.charCount(c)
        ? upper.charAt(0) + upper.substring(1).toLowerCase(Locale.ROOT)
        : Character.toString(t);
  }

  private static String lowerCase(int c) {
    return Character.toString(c).toLowerCase(Locale.ROOT);
  }

  private static Str title(Run run, Str s) {
    return mapped(run, s, (c, first, afterCased) -> afterCased ? lowerCase(c) : titleCase(c));
  }

  static Str capitalize(Run run, Str s) {
    return mapped(run, s, (c, first, afterCased) -> first ? titleCase(c) : lowerCase(c));
  }

  private static Str swapcase(Run run, Str s) {
    return mapped(
        run,
        s,
        (c, first, afterCased) ->
            Character.isUpperCase(c)
                ? lowerCase(c)
                : Character.toString(c).toUpperCase(Locale.ROOT));
  }

  static boolean isLower(Run run, Str s) {
    run.visit(2L * s.units());
    return s.text.codePoints().anyMatch(Character::isLowerCase)
        && s.text.codePoints().noneMatch(c -> Character.isUpperCase(c) || Character.isTitleCase(c));
  }

  static boolean isUpper(Run run, Str s) {
    run.visit(2L * s.units());
    return s.text.codePoints().anyMatch(Character::isUpperCase)
        && s.text.codePoints().noneMatch(c -> Character.isLowerCase(c) || Character.isTitleCase(c));
  }

  private static boolean isTitle(Run run, Str s) {
    run.visit(2L * s.units());
    run.string(4L * s.units());
    boolean cased = false;
    boolean afterCased = false;
    for (int c : s.text.codePoints().toArray()) {
      boolean upper = Character.isUpperCase(c) || Character.isTitleCase(c);
      boolean lower = Character.isLowerCase(c);
      if (upper && afterCased || lower && !afterCased) {
        return false;
      }
      afterCased = upper || lower;
      cased |= afterCased;
    }
    return cased;
  }

  private static boolean isIdentifier(Run run, Str s) {
    return !s.isEmpty()
        && Chars.isNameStart(s.text.codePointAt(0))
        && all(run, s, Chars::isNamePart);
  }

  // ---- strip and split

  static Str strip(Run run, Str s, @Nullable Object chars, boolean left, boolean right) {
    IntPredicate drop;
    if (chars == null || chars instanceof None) {
      drop = Chars::isSpace;
    } else {
      String set = str(chars).text;
      run.scan(set.length());
      drop = c -> set.indexOf(c) >= 0;
    }
    int from = 0;
    int to = s.units();
    while (left && from < to) {
      int c = s.text.codePointAt(from);
      if (!drop.test(c)) {
        break;
      }
      from += Character.charCount(c);
    }
    while (right && to > from) {
      int c = s.text.codePointBefore(to);
      if (!drop.test(c)) {
        break;
      }
      to -= Character.charCount(c);
    }
    long passed = s.units() - (to - from);
    run.visit(passed * (chars instanceof Str set ? 1L + set.units() / 16 : 1));
    if (passed > 0) {
      run.string(to - from);
    }
    return s.sub(from, to);
  }

  private static Object split(
      Run run, Str s, @Nullable Object separator, @Nullable Object max, boolean right) {
    long limit = max == null ? -1 : Numbers.index(max, "maxsplit");
    limit = limit < 0 ? Long.MAX_VALUE : limit;
    run.string(s.units());
    List<Object> parts = new ArrayList<>();
    if (separator == null || separator instanceof None) {
      splitSpace(run, s, limit, right, parts);
    } else {
      Str by = str(separator);
      if (by.isEmpty()) {
        throw new Fail("empty separator");
      }
      splitBy(run, s, by.text, limit, right, parts);
    }
    if (right) {
      Collections.reverse(parts);
    }
    return new Seq.ListValue(parts);
  }

  private static void splitBy(
      Run run, Str s, String by, long limit, boolean right, List<Object> parts) {
    int from = 0;
    int to = s.units();
    while (parts.size() < limit) {
      int at =
          right
              ? Search.findLast(run, s.text, by, from, to)
              : Search.find(run, s.text, by, from, to);
      if (at < 0) {
        break;
      }
      run.items(2);
      if (right) {
        parts.add(s.sub(at + by.length(), to));
        to = at;
      } else {
        parts.add(s.sub(from, at));
        from = at + by.length();
      }
    }
    parts.add(s.sub(from, to));
  }

  private static void splitSpace(Run run, Str s, long limit, boolean right, List<Object> parts) {
    run.visit(s.units());
    String text = s.text;
    int from = 0;
    int to = text.length();
    while (true) {
      while (from < to && Chars.isSpace(text.charAt(from)) && !right) {
        from++;
      }
      while (to > from && Chars.isSpace(text.charAt(to - 1)) && right) {
        to--;
      }
      if (from == to) {
        return;
      }
      run.items(2);
      if (parts.size() == limit) {
        parts.add(s.sub(from, to));
        return;
      }
      int at = right ? to : from;
      while (right
          ? at > from && !Chars.isSpace(text.charAt(at - 1))
          : at < to && !Chars.isSpace(text.charAt(at))) {
        at += right ? -1 : 1;
      }
      parts.add(right ? s.sub(at, to) : s.sub(from, at));
      if (right) {
        to = at;
      } else {
        from = at;
      }
    }
  }

  static Seq.ListValue splitLines(Run run, Str s, boolean keepEnds) {
    run.string(s.units());
    run.visit(s.units());
    List<Object> lines = new ArrayList<>();
    int from = 0;
    for (int i = 0; i < s.units(); i++) {
      if (!Chars.isLineBreak(s.text.charAt(i))) {
        continue;
      }
      int end = i;
      if (s.text.startsWith("\r\n", i)) {
        i++;
      }
      run.items(2);
      lines.add(s.sub(from, keepEnds ? i + 1 : end));
      from = i + 1;
    }
    if (from < s.units()) {
      lines.add(s.sub(from, s.units()));
    }
    return new Seq.ListValue(lines);
  }

  private static Object partition(Run run, Str s, Str by, boolean right) {
    if (by.isEmpty()) {
      throw new Fail("empty separator");
    }
    run.string(s.units());
    int at =
        right
            ? Search.findLast(run, s.text, by.text, 0, s.units())
            : Search.find(run, s.text, by.text, 0, s.units());
    if (at < 0) {
      Str none = Str.EMPTY.withMarkup(s.markup);
      return right ? Seq.TupleValue.of(none, none, s) : Seq.TupleValue.of(s, none, none);
    }
    int end = at + by.units();
    return Seq.TupleValue.of(s.sub(0, at), s.sub(at, end), s.sub(end, s.units()));
  }

  // ---- building

  private static Str join(Run run, Str separator, Object items) {
    StrBuilder out = new StrBuilder(run);
    Iterator<Object> all = Ops.iterate(run, items);
    for (int i = 0; all.hasNext(); i++) {
      Object item = all.next();
      if (!(item instanceof Str s)) {
        throw new Fail(
            "sequence item " + i + ": expected str instance, " + Types.name(item) + " found");
      }
      if (i > 0) {
        out.append(separator);
      }
      out.append(separator.markup ? Escape.markup(run, s) : s);
    }
    return out.toStr(separator.markup);
  }

  static Str replace(Run run, Str s, Str old, Str replacement, long count) {
    long left = count < 0 ? Long.MAX_VALUE : count;
    if (old.isEmpty()) {
      return intersperse(run, s, replacement, left);
    }
    int at = left == 0 ? -1 : Search.find(run, s.text, old.text, 0, s.units());
    if (at < 0) {
      return s;
    }
    StrBuilder out = new StrBuilder(run);
    int from = 0;
    for (; at >= 0 && left > 0; left--) {
      out.append(s, from, at).append(replacement);
      from = at + old.units();
      at = Search.find(run, s.text, old.text, from, s.units());
    }
    return out.append(s, from, s.units()).toStr(s.markup);
  }

  /** The empty string lies before each character and at the end. */
  private static Str intersperse(Run run, Str s, Str replacement, long count) {
    StrBuilder out = new StrBuilder(run);
    long left = count;
    int i = 0;
    while (left > 0) {
      run.step();
      out.append(replacement);
      left--;
      if (i == s.units()) {
        break;
      }
      int end = i + Character.charCount(s.text.codePointAt(i));
      out.append(s, i, end);
      i = end;
    }
    return out.append(s, i, s.units()).toStr(s.markup);
  }

  private static Str fill(@Nullable Object fill) {
    if (fill == null) {
      return Str.plain(" ");
    }
    Str s = str(fill);
    if (s.length() != 1) {
      throw new Fail("The fill character must be exactly one character long");
    }
    return s;
  }

  static Str center(Run run, Str s, Object width, @Nullable Object fill) {
    long w = Numbers.index(width, "width");
    long pad = w - s.length();
    if (pad <= 0) {
      return s;
    }
    // CPython puts the odd one out on the left where the width is odd.
    long left = pad / 2 + (pad & w & 1);
    Str by = fill(fill);
    StrBuilder out = new StrBuilder(run).repeat(by, left).append(s).repeat(by, pad - left);
    return out.toStr(s.markup);
  }

  private static Str justify(Run run, @Nullable Object[] a, boolean right) {
    Str s = self(a);
    long pad = Numbers.index(a[1], "width") - s.length();
    Str by = fill(a[2]);
    StrBuilder out = new StrBuilder(run);
    if (pad <= 0) {
      return s;
    }
    if (right) {
      out.repeat(by, pad);
    }
    out.append(s);
    return (right ? out : out.repeat(by, pad)).toStr(s.markup);
  }

  private static Object zfill(Run run, @Nullable Object[] a) {
    Str s = self(a);
    long pad = Numbers.index(a[1], "width") - s.length();
    if (pad <= 0) {
      return s;
    }
    int sign = s.text.startsWith("-") || s.text.startsWith("+") ? 1 : 0;
    return new StrBuilder(run)
        .append(s, 0, sign)
        .repeat(Str.plain("0"), pad)
        .append(s, sign, s.units())
        .toStr(s.markup);
  }

  private static Object expandTabs(Run run, @Nullable Object[] a) {
    Str s = self(a);
    long size = a[1] == null ? 8 : Numbers.index(a[1], "tabsize");
    StrBuilder out = new StrBuilder(run);
    long column = 0;
    for (int i = 0; i < s.units(); ) {
      run.step();
      int end = i + Character.charCount(s.text.codePointAt(i));
      char c = s.text.charAt(i);
      if (c == '\t') {
        long pad = size <= 0 ? 0 : size - column % size;
        out.repeat(Str.plain(" "), pad);
        column += pad;
      } else {
        out.append(s, i, end);
        column = c == '\n' || c == '\r' ? 0 : column + 1;
      }
      i = end;
    }
    return out.toStr(s.markup);
  }

  private static Object translate(Run run, @Nullable Object[] a) {
    Str s = self(a);
    StrBuilder out = new StrBuilder(run);
    for (int i = 0; i < s.units(); ) {
      int c = s.text.codePointAt(i);
      int end = i + Character.charCount(c);
      Object to = Access.item(run, a[1], (long) c);
      if (to instanceof Undefined) {
        out.append(s, i, end);
      } else if (to instanceof Str replacement) {
        out.append(replacement);
      } else if (Numbers.isInt(to)) {
        out.append(codePoint(to));
      } else if (!(to instanceof None)) {
        throw new Fail("character mapping must return integer, None or str");
      }
      i = end;
    }
    return out.toStr(s.markup);
  }

  static String codePoint(Object o) {
    long c = Numbers.index(o, "code point");
    if (c < 0 || c > Character.MAX_CODE_POINT) {
      throw new Fail("character mapping must be in range(0x110000)");
    }
    return Character.toString((int) c);
  }

  // ---- search

  private static Object affix(Run run, @Nullable Object[] a, boolean prefix) {
    Str s = self(a);
    int[] range = range(s, a[2], a[3]);
    List<Object> candidates = a[1] instanceof Seq.TupleValue t ? t : List.of(a[1]);
    for (Object candidate : candidates) {
      Str part = str(candidate);
      run.scan(part.units());
      if (range == null || part.units() > range[1] - range[0]) {
        continue;
      }
      if (s.text.startsWith(part.text, prefix ? range[0] : range[1] - part.units())) {
        return true;
      }
    }
    return false;
  }

  /** UTF-16 bounds of the part to look in, or null where it begins beyond the end. */
  private static int @Nullable [] range(Str s, @Nullable Object start, @Nullable Object end) {
    long n = s.length();
    long from = start == null || start instanceof None ? 0 : Numbers.index(start, "start");
    long to = end == null || end instanceof None ? n : Numbers.index(end, "end");
    from = from < 0 ? Math.max(0, from + n) : from;
    to = to < 0 ? Math.max(0, to + n) : Math.min(n, to);
    return from > n || from > to ? null : new int[] {s.offset((int) from), s.offset((int) to)};
  }

  private static Object find(Run run, @Nullable Object[] a, boolean last) {
    Str s = self(a);
    Str part = str(a[1]);
    int[] range = range(s, a[2], a[3]);
    if (range == null) {
      return -1L;
    }
    int at =
        last
            ? Search.findLast(run, s.text, part.text, range[0], range[1])
            : Search.find(run, s.text, part.text, range[0], range[1]);
    return at < 0 ? -1L : (long) s.point(at);
  }

  private static Object index(Run run, @Nullable Object[] a, boolean last) {
    Object at = find(run, a, last);
    if (at.equals(-1L)) {
      throw new Fail("substring not found");
    }
    return at;
  }

  private static Object count(Run run, @Nullable Object[] a) {
    Str s = self(a);
    Str part = str(a[1]);
    int[] range = range(s, a[2], a[3]);
    if (range == null) {
      return 0L;
    }
    if (part.isEmpty()) {
      return s.point(range[1]) - s.point(range[0]) + 1L;
    }
    long n = 0;
    int at = Search.find(run, s.text, part.text, range[0], range[1]);
    while (at >= 0) {
      n++;
      at = Search.find(run, s.text, part.text, at + part.units(), range[1]);
    }
    return n;
  }

  private static Str removePrefix(Str s, Str prefix) {
    return s.text.startsWith(prefix.text) ? s.sub(prefix.units(), s.units()) : s;
  }

  private static Str removeSuffix(Str s, Str suffix) {
    return s.text.endsWith(suffix.text) ? s.sub(0, s.units() - suffix.units()) : s;
  }
}
