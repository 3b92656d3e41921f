package dev.nautil.template;

import java.math.BigInteger;
import org.jspecify.annotations.Nullable;

/** Values as Python prints them: {@code str} and {@code repr}. */
final class Text {
  private Text() {}

  /**
   * A value as text.
   *
   * <p>The digits of an int count as the template's own. Alone they are no special token, and a
   * template numbers placeholders with them: {@code <|image_{{ loop.index }}|>}.
   */
  static Str str(Run run, Object o) {
    if (o instanceof Str s) {
      return s;
    } else if (o instanceof Undefined) {
      return Str.EMPTY;
    } else if (o instanceof Long || o instanceof BigInteger) {
      return Str.trusted(Numbers.intText(o));
    }
    StrBuilder out = new StrBuilder(run);
    repr(run, o, out);
    return out.toStr();
  }

  static Str repr(Run run, Object o) {
    StrBuilder out = new StrBuilder(run);
    repr(run, o, out);
    return out.toStr();
  }

  /** A value in a message of an error: short, and safe for any value. */
  static String brief(Object o) {
    if (o instanceof Str s) {
      return s.units() > 40 ? s.text.substring(0, 40) + "…" : s.text;
    }
    return o instanceof Long || o instanceof Double || o instanceof Boolean
        ? o.toString()
        : Types.name(o);
  }

  static void repr(Run run, Object o, StrBuilder out) {
    run.step();
    if (o instanceof Str s) {
      quote(run, s, out);
    } else if (o instanceof Boolean b) {
      out.append(b ? "True" : "False");
    } else if (Numbers.isInt(o)) {
      out.append(Numbers.intText(o));
    } else if (o instanceof Double d) {
      out.append(PythonFloat.repr(d));
    } else if (o instanceof None) {
      out.append("None");
    } else if (o instanceof Undefined) {
      out.append("Undefined");
    } else if (o instanceof Seq.RangeValue r) {
      out.append("range(" + r.start + ", " + r.stop());
      out.append(r.step == 1 ? ")" : ", " + r.step + ")");
    } else if (o instanceof Seq s) {
      boolean tuple = s instanceof Seq.TupleValue;
      out.append(tuple ? "(" : "[");
      items(run, s, out);
      out.append(tuple ? (s.size() == 1 ? ",)" : ")") : "]");
    } else if (o instanceof DictValue d) {
      dict(run, d, out);
    } else if (o instanceof DictView v) {
      out.append(Types.name(v) + "([");
      items(run, v, out);
      out.append("])");
    } else if (o instanceof Namespace n) {
      namespace(run, n, out);
    } else if (o instanceof Stmt.Macro.Value m) {
      out.append("<Macro '" + m.signature().name() + "'>");
    } else if (o instanceof Loop l) {
      out.append("<LoopContext " + l.attribute("index") + "/" + l.size() + ">");
    } else {
      out.append("<" + Types.name(o) + " object>");
    }
  }

  private static void items(Run run, Iterable<Object> items, StrBuilder out) {
    boolean first = true;
    for (Object item : items) {
      if (!first) {
        out.append(", ");
      }
      first = false;
      repr(run, item, out);
    }
  }

  private static void dict(Run run, DictValue dict, StrBuilder out) {
    out.append('{');
    boolean first = true;
    for (DictValue.Entry e : dict.entries()) {
      if (!first) {
        out.append(", ");
      }
      first = false;
      repr(run, e.key(), out);
      out.append(": ");
      repr(run, e.value(), out);
    }
    out.append('}');
  }

  /** The one value that can hold itself. */
  private static void namespace(Run run, Namespace namespace, StrBuilder out) {
    int frames = 8;
    run.enter(frames);
    DictValue dict = new DictValue();
    namespace.attributes.forEach((name, value) -> dict.put(Str.plain(name), value));
    out.append("<Namespace ");
    dict(run, dict, out);
    out.append('>');
    run.leave(frames);
  }

  private static void quote(Run run, Str s, StrBuilder out) {
    run.scan(8L * s.units());
    if (s.markup) {
      out.append("Markup(");
    }
    char quote = s.text.indexOf('\'') >= 0 && s.text.indexOf('"') < 0 ? '"' : '\'';
    out.append(quote);
    int plainFrom = 0;
    for (int i = 0; i < s.units(); ) {
      int c = s.text.codePointAt(i);
      int end = i + Character.charCount(c);
      String escaped = escaped(c, quote);
      if (escaped != null) {
        run.step();
        boolean trusted = s.isTrusted(i);
        out.append(s, plainFrom, i).append(escaped, trusted);
        plainFrom = end;
      }
      i = end;
    }
    out.append(s, plainFrom, s.units()).append(quote);
    if (s.markup) {
      out.append(')');
    }
  }

  private static @Nullable String escaped(int c, char quote) {
    if (c == quote || c == '\\') {
      return "\\" + (char) c;
    } else if (c == '\n') {
      return "\\n";
    } else if (c == '\r') {
      return "\\r";
    } else if (c == '\t') {
      return "\\t";
    } else if (c >= ' ' && c < 127 || c > 127 && Chars.isPrintable(c)) {
      return null;
    } else if (c < 256) {
      return String.format("\\x%02x", c);
    }
    return c < 0x10000 ? String.format("\\u%04x", c) : String.format("\\U%08x", c);
  }
}
