package dev.nautil.template;

import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A built-in function, filter, test or method, with its parameters.
 *
 * <p>The specification lists parameter names; a trailing {@code =} makes one optional, and a
 * leading {@code /} says that none can be given by name. An optional argument that was not given
 * arrives as null.
 */
final class Function implements Callable {
  /** The work, on arguments in the order of the parameters. */
  interface Body {
    Object apply(Run run, @Nullable Object[] args);
  }

  private final String name;
  private final String[] parameters;
  private final int required;
  private final boolean positionalOnly;
  private final @Nullable Body body;
  private final @Nullable Callable raw;

  Function(String name, String specification, Body body) {
    this.name = name;
    this.positionalOnly = specification.startsWith("/");
    String spec = positionalOnly ? specification.substring(1) : specification;
    this.parameters = spec.isEmpty() ? new String[0] : spec.split(" ");
    int n = 0;
    for (int i = 0; i < parameters.length; i++) {
      if (parameters[i].endsWith("=")) {
        parameters[i] = parameters[i].substring(0, parameters[i].length() - 1);
      } else {
        n = i + 1;
      }
    }
    this.required = n;
    this.body = body;
    this.raw = null;
  }

  /** A function that takes its arguments as they come. */
  Function(String name, Callable raw) {
    this.name = name;
    this.positionalOnly = false;
    this.parameters = new String[0];
    this.required = 0;
    this.body = null;
    this.raw = raw;
  }

  String name() {
    return name;
  }

  @Override
  public Object call(Run run, Args args) {
    if (raw != null) {
      return raw.call(run, args);
    }
    return body.apply(run, bind(args));
  }

  private @Nullable Object[] bind(Args args) {
    int given = args.positional().size();
    if (given > parameters.length) {
      throw new Fail(name + "() takes at most " + parameters.length + " arguments, got " + given);
    }
    @Nullable Object[] bound = args.positional().toArray(new Object[parameters.length]);
    if (!args.named().isEmpty()) {
      bindNamed(args.named(), bound);
    }
    for (int i = given; i < required; i++) {
      if (bound[i] == null) {
        throw new Fail(name + "() misses its argument '" + parameters[i] + "'");
      }
    }
    return bound;
  }

  private void bindNamed(Map<String, Object> named, @Nullable Object[] bound) {
    Map<String, Object> left = new LinkedHashMap<>(named);
    for (int i = 0; i < parameters.length && !positionalOnly; i++) {
      Object value = left.remove(parameters[i]);
      if (value != null && bound[i] != null) {
        throw new Fail(name + "() got two values for its argument '" + parameters[i] + "'");
      }
      if (value != null) {
        bound[i] = value;
      }
    }
    if (!left.isEmpty()) {
      throw new Fail(name + "() takes no argument named '" + left.keySet().iterator().next() + "'");
    }
  }
}
