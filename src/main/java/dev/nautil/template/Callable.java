package dev.nautil.template;

import java.util.List;
import java.util.Map;

/** Anything that a template can call. */
interface Callable {
  /** The arguments of a call. */
  record Args(List<Object> positional, Map<String, Object> named) {}

  Object call(Run run, Args args);
}
