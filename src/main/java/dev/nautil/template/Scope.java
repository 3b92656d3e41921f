package dev.nautil.template;

import java.util.HashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** The variables of one block at run time, inside those of the block around it. */
final class Scope {
  /** Marks a variable that this block sets later: until then it hides any outer one. */
  static final Object MISSING = new Object();

  private final @Nullable Scope parent;
  private @Nullable Map<String, Object> variables;

  Scope(@Nullable Scope parent, Frame frame) {
    this.parent = parent;
    for (String name : frame.hidden()) {
      set(name, MISSING);
    }
  }

  void set(String name, Object value) {
    if (variables == null) {
      variables = new HashMap<>(8);
    }
    variables.put(name, value);
  }

  /** The value in this block or the nearest around it that has one, else null. */
  @Nullable Object get(String name) {
    for (Scope scope = this; scope != null; scope = scope.parent) {
      if (scope.variables != null) {
        Object value = scope.variables.get(name);
        if (value != null) {
          return value;
        }
      }
    }
    return null;
  }
}
