package dev.nautil.template;

import java.math.BigInteger;
import java.util.Locale;

/** Python's names of types, for messages. */
final class Types {
  private Types() {}

  static String name(Object o) {
    if (o instanceof Str s) {
      return s.markup ? "Markup" : "str";
    } else if (o instanceof Boolean) {
      return "bool";
    } else if (o instanceof Long || o instanceof BigInteger) {
      return "int";
    } else if (o instanceof Double) {
      return "float";
    } else if (o instanceof None) {
      return "NoneType";
    } else if (o instanceof Undefined) {
      return "Undefined";
    } else if (o instanceof Seq.ListValue) {
      return "list";
    } else if (o instanceof Seq.TupleValue) {
      return "tuple";
    } else if (o instanceof Seq.RangeValue) {
      return "range";
    } else if (o instanceof DictValue) {
      return "dict";
    } else if (o instanceof DictView v) {
      return "dict_" + v.kind.name().toLowerCase(Locale.ROOT);
    } else if (o instanceof IterValue i) {
      return i.typeName;
    } else if (o instanceof Namespace) {
      return "Namespace";
    } else if (o instanceof Loop) {
      return "LoopContext";
    } else if (o instanceof Stmt.Macro.Value) {
      return "Macro";
    }
    return "function";
  }
}
