package dev.nautil.template;

import java.util.AbstractList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Attributes, elements and slices, with the sandbox's rules of what may be reached. */
final class Access {
  private Access() {}

  /** {@code object.name}: an attribute, else an element. */
  static Object attribute(Run run, Object object, Str name) {
    Object found = pythonAttribute(object, name.text);
    if (found != null) {
      return found;
    }
    found = element(run, object, name);
    return found != null ? found : missing(object, name);
  }

  /** {@code object[key]}: an element, else an attribute. */
  static Object item(Run run, Object object, Object key) {
    Object found = element(run, object, key);
    if (found == null && key instanceof Str name) {
      found = pythonAttribute(object, name.text);
    }
    return found != null ? found : missing(object, key);
  }

  private static Undefined missing(Object object, Object key) {
    if (object instanceof None) {
      return new Undefined("'None' has no attribute '" + Text.brief(key) + "'");
    }
    if (key instanceof Str s) {
      return new Undefined(
          "'" + Types.name(object) + " object' has no attribute '" + Text.brief(s) + "'");
    }
    return new Undefined(Types.name(object) + " object has no element " + Text.brief(key));
  }

  private static @Nullable Object element(Run run, Object object, Object key) {
    if (object instanceof Undefined u) {
      throw u.fail();
    } else if (object instanceof DictValue d) {
      return DictValue.isHashable(key) ? d.get(key) : null;
    } else if (object instanceof Seq s && Numbers.isInt(key)) {
      long i = Numbers.index(key, "index");
      i = i < 0 ? i + s.size() : i;
      return i >= 0 && i < s.size() ? s.get((int) i) : null;
    } else if (object instanceof Str s && Numbers.isInt(key)) {
      return character(run, s, Numbers.index(key, "index"));
    }
    return null;
  }

  private static @Nullable Str character(Run run, Str s, long index) {
    long i = index < 0 ? index + s.length() : index;
    if (i < 0 || i >= s.length()) {
      return null;
    }
    if (s.length() != s.units()) {
      run.scan(4L * s.units());
    }
    int at = s.offset((int) i);
    return s.sub(at, at + Character.charCount(s.text.codePointAt(at)));
  }

  /** What Python's getattr finds, within the sandbox, or null. */
  private static @Nullable Object pythonAttribute(Object object, String name) {
    if (object instanceof Undefined u) {
      throw u.fail();
    }
    if (name.startsWith("__") && name.endsWith("__") && name.length() > 4) {
      return new Undefined(
          "access to attribute '" + name + "' of '" + Types.name(object) + "' object is unsafe.");
    }
    Function method = null;
    if (object instanceof Str) {
      method = StringMethods.ALL.get(name);
    } else if (object instanceof DictValue d) {
      if (Methods.CHANGES_DICT.contains(name)) {
        return unsafe(object, name);
      }
      method = Methods.DICT.get(name);
    } else if (object instanceof Seq.ListValue) {
      if (Methods.CHANGES_LIST.contains(name)) {
        return unsafe(object, name);
      }
      method = Methods.SEQUENCE.get(name);
      method = method == null && name.equals("copy") ? Methods.LIST_COPY : method;
    } else if (object instanceof Seq.GroupValue g
        && (name.equals("grouper") || name.equals("list"))) {
      return g.get(name.equals("grouper") ? 0 : 1);
    } else if (object instanceof Seq) {
      method = Methods.SEQUENCE.get(name);
    } else if (object instanceof Namespace n) {
      return n.attributes.get(name);
    } else if (object instanceof Loop l) {
      return l.attribute(name);
    } else if (object instanceof Stmt.Macro.Value m) {
      return Methods.ofMacro(m, name);
    } else if (object instanceof Globals.Cycler c) {
      return c.attribute(name);
    } else if (Numbers.isNumber(object) && name.equals("real")) {
      return object;
    } else if (Numbers.isNumber(object)) {
      method = Methods.number(object, name);
    } else if (object instanceof Globals.Attributes a) {
      return a.attribute(name);
    }
    return method == null ? null : new Method(object, method);
  }

  private static Undefined unsafe(Object object, String name) {
    return new Undefined(
        "access to attribute '" + name + "' of '" + Types.name(object) + "' object is unsafe.");
  }

  /** {@code attr}: an attribute and never an element. */
  static Object attributeOnly(Object object, Object name) {
    if (object instanceof Undefined) {
      return missing(object, name);
    }
    if (!(name instanceof Str s)) {
      throw new Fail("attribute name must be string, not '" + Types.name(name) + "'");
    }
    Object found = pythonAttribute(object, s.text);
    return found != null ? found : missing(object, name);
  }

  // ---- slices

  static Object slice(Run run, Object object, Object start, Object stop, Object step) {
    if (object instanceof Undefined u) {
      throw u.fail();
    }
    if (!(object instanceof Str) && !(object instanceof Seq)) {
      throw new Fail(
          object instanceof DictValue
              ? "unhashable type: 'slice'"
              : "'" + Types.name(object) + "' object is not subscriptable");
    }
    long by = step instanceof None ? 1 : Numbers.index(step, "slice step");
    if (by == 0) {
      throw new Fail("slice step cannot be zero");
    }
    long size = Ops.knownLength(object);
    long first = bound(start, by < 0 ? size - 1 : 0, size, by);
    long last = bound(stop, by < 0 ? -1 : size, size, by);
    long count =
        by > 0
            ? Math.max(0, (last - first + by - 1) / by)
            : Math.max(0, (first - last - by - 1) / -by);
    if (object instanceof Str s) {
      return slice(run, s, first, by, count);
    }
    Seq s = (Seq) object;
    if (s instanceof Seq.RangeValue r) {
      return new Seq.RangeValue(r.start + first * r.step, (int) count, r.step * by);
    }
    run.items(count);
    List<Object> view =
        new AbstractList<>() {
          @Override
          public Object get(int i) {
            return s.get((int) (first + i * by));
          }

          @Override
          public int size() {
            return (int) count;
          }
        };
    return s.like(List.copyOf(view));
  }

  private static long bound(Object value, long otherwise, long size, long step) {
    if (value instanceof None) {
      return otherwise;
    }
    if (!Numbers.isInt(value)) {
      throw new Fail("slice indices must be integers or None");
    }
    long i = Numbers.index(value, "slice index");
    if (i < 0) {
      return Math.max(i + size, step < 0 ? -1 : 0);
    }
    return Math.min(i, step < 0 ? size - 1 : size);
  }

  private static Str slice(Run run, Str s, long first, long by, long count) {
    if (count == 0) {
      return Str.EMPTY.withMarkup(s.markup);
    }
    run.scan(s.length() == s.units() ? 0 : 4L * s.units());
    if (by == 1) {
      run.string(count);
      int from = s.offset((int) first);
      int to = s.length() == s.units() ? from + (int) count : s.offset((int) (first + count));
      return s.sub(from, to);
    }
    run.steps(count / 4);
    StrBuilder out = new StrBuilder(run);
    boolean direct = s.length() == s.units();
    int[] points = direct ? null : s.text.codePoints().toArray();
    int[] offsets = direct ? null : offsets(points);
    for (long i = 0; i < count; i++) {
      int p = (int) (first + i * by);
      int at = direct ? p : offsets[p];
      out.append(s, at, at + (direct ? 1 : Character.charCount(points[p])));
    }
    return out.toStr(s.markup);
  }

  private static int[] offsets(int[] points) {
    int[] offsets = new int[points.length];
    for (int i = 1; i < points.length; i++) {
      offsets[i] = offsets[i - 1] + Character.charCount(points[i - 1]);
    }
    return offsets;
  }
}
