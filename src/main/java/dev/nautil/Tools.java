package dev.nautil;

import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;

/** The tools that a model may call, each with a name of its own. Immutable. */
public final class Tools {
  private static final Tools NONE = new Tools(Map.of());

  private final Map<String, Tool> byName;

  private Tools(Map<String, Tool> byName) {
    this.byName = byName;
  }

  /** No tools. */
  public static Tools none() {
    return NONE;
  }

  /**
   * The tools in some objects, in order.
   *
   * @param objects each a {@link Tool}, {@link Tools}, or one with methods that are annotated as
   *     {@link dev.nautil.annotation.Tool}. A class of a named module must be exported, or opened
   *     to dev.nautil
   * @throws InvalidToolException if an object has no such methods, if two tools have the same name,
   *     if the name of a parameter is not known or is another's, or if a method cannot be called or
   *     returns a future
   * @throws UnsupportedTypeException if a parameter's type cannot be described
   */
  public static Tools of(Object... objects) {
    Map<String, Tool> byName = new LinkedHashMap<>();
    for (Object object : objects) {
      Objects.requireNonNull(object, "a tool is null");
      for (Tool tool : toolsIn(object)) {
        if (byName.putIfAbsent(tool.name(), tool) != null) {
          throw new InvalidToolException("two tools have the name " + tool.name());
        }
      }
    }
    return new Tools(byName);
  }

  private static Collection<Tool> toolsIn(Object object) {
    return object instanceof Tool tool
        ? List.of(tool)
        : object instanceof Tools tools ? tools.byName.values() : AnnotatedTools.in(object);
  }

  /** These and other tools. */
  public Tools and(Tools others) {
    return of(this, others);
  }

  /** In order; unmodifiable. */
  public List<Tool> list() {
    return List.copyOf(new ArrayList<>(byName.values()));
  }

  /** The tool of a name, if there is one. */
  public Optional<Tool> get(String name) {
    return Optional.ofNullable(byName.get(name));
  }

  /** Whether there are none. */
  public boolean isEmpty() {
    return byName.isEmpty();
  }

  @Override
  public String toString() {
    return byName.values().toString();
  }
}
