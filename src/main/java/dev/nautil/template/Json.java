package dev.nautil.template;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * {@code tojson}: Python's json.dumps. The characters of a string keep their origin; the
 * punctuation is nobody's, so that no special token begins or ends in it.
 */
final class Json {
  private final Run run;
  private final StrBuilder out;
  private final boolean ascii;
  private final boolean sortKeys;
  private final @Nullable Str indent;
  private final Str itemSeparator;
  private final Str keySeparator;

  private Json(
      Run run,
      boolean ascii,
      @Nullable Str indent,
      Str itemSeparator,
      Str keySeparator,
      boolean sortKeys) {
    this.run = run;
    this.out = new StrBuilder(run);
    this.ascii = ascii;
    this.indent = indent;
    this.itemSeparator = itemSeparator;
    this.keySeparator = keySeparator;
    this.sortKeys = sortKeys;
  }

  static Str dumps(
      Run run,
      Object value,
      @Nullable Object ascii,
      @Nullable Object indent,
      @Nullable Object separators,
      @Nullable Object sortKeys) {
    Str indentation = null;
    if (indent instanceof Str s) {
      indentation = s;
    } else if (indent != null && !(indent instanceof None)) {
      long width = Numbers.index(indent, "indent");
      indentation = new StrBuilder(run).repeat(Str.plain(" "), width).toStr();
    }
    Str item = Str.plain(indentation == null ? ", " : ",");
    Str key = Str.plain(": ");
    if (separators != null && !(separators instanceof None)) {
      List<Object> pair = Ops.list(run, separators);
      if (pair.size() != 2 || !(pair.get(0) instanceof Str i) || !(pair.get(1) instanceof Str k)) {
        throw new Fail("separators must be two strings");
      }
      item = i;
      key = k;
    }
    Json json =
        new Json(
            run,
            ascii != null && Ops.truth(ascii),
            indentation,
            item,
            key,
            sortKeys != null && Ops.truth(sortKeys));
    json.write(value, 0);
    return json.out.toStr();
  }

  private void write(Object value, int level) {
    run.step();
    if (value instanceof Str s) {
      string(s);
    } else if (value instanceof DictValue d) {
      dict(d, level);
    } else if (value instanceof Seq s && !(s instanceof Seq.RangeValue)) {
      list(s, level);
    } else {
      String scalar = scalar(value);
      if (scalar == null) {
        if (value instanceof Undefined) {
          throw new Fail("Object of type Undefined is not JSON serializable");
        }
        throw new Fail("Object of type " + Types.name(value) + " is not JSON serializable");
      }
      out.append(scalar);
    }
  }

  private static @Nullable String scalar(Object value) {
    if (value instanceof Boolean b) {
      return b ? "true" : "false";
    } else if (value instanceof None) {
      return "null";
    } else if (value instanceof Double d) {
      return d.isNaN()
          ? "NaN"
          : d.isInfinite() ? (d > 0 ? "Infinity" : "-Infinity") : PythonFloat.repr(d);
    }
    return Numbers.isInt(value) ? Numbers.intText(value) : null;
  }

  private void newline(int level) {
    if (indent != null) {
      out.append('\n').repeat(indent, level);
    }
  }

  private void list(Seq items, int level) {
    if (items.isEmpty()) {
      out.append("[]");
      return;
    }
    out.append('[');
    for (int i = 0; i < items.size(); i++) {
      if (i > 0) {
        out.append(itemSeparator);
      }
      newline(level + 1);
      write(items.get(i), level + 1);
    }
    newline(level);
    out.append(']');
  }

  private void dict(DictValue dict, int level) {
    if (dict.size() == 0) {
      out.append("{}");
      return;
    }
    out.append('{');
    boolean first = true;
    for (DictValue.Entry e : entries(dict)) {
      if (!first) {
        out.append(itemSeparator);
      }
      first = false;
      newline(level + 1);
      key(e.key());
      out.append(keySeparator);
      write(e.value(), level + 1);
    }
    newline(level);
    out.append('}');
  }

  private List<DictValue.Entry> entries(DictValue dict) {
    List<DictValue.Entry> entries = new ArrayList<>(dict.entries());
    return sortKeys ? Sort.sorted(run, entries, DictValue.Entry::key, false) : entries;
  }

  private void key(Object key) {
    if (key instanceof Str s) {
      string(s);
      return;
    }
    String scalar = scalar(key);
    if (scalar == null) {
      throw new Fail("keys must be str, int, float, bool or None, not " + Types.name(key));
    }
    out.append('"').append(scalar).append('"');
  }

  private void string(Str s) {
    run.scan(8L * s.units());
    out.append('"');
    int plainFrom = 0;
    for (int i = 0; i < s.units(); i++) {
      char c = s.text.charAt(i);
      if (c >= ' ' && c != '"' && c != '\\' && (c < 127 || !ascii)) {
        continue;
      }
      run.step();
      boolean trusted = s.isTrusted(i);
      out.append(s, plainFrom, i).append(escape(c), trusted);
      plainFrom = i + 1;
    }
    out.append(s, plainFrom, s.units()).append('"');
  }

  private static String escape(char c) {
    return switch (c) {
      case '"' -> "\\\"";
      case '\\' -> "\\\\";
      case '\n' -> "\\n";
      case '\r' -> "\\r";
      case '\t' -> "\\t";
      case '\f' -> "\\f";
      case '\b' -> "\\b";
      default -> String.format("\\u%04x", (int) c);
    };
  }
}
