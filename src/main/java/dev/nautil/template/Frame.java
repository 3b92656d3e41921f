package dev.nautil.template;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What the parser learns of a block's variables.
 *
 * <p>Jinja decides while compiling where a name lives. A block that sets a variable which neither
 * it (earlier) nor any block around it mentions has a new local variable, undefined until set, even
 * if the context has one of that name: {@code {% set x %}{{ x }}{% endset %}} prints nothing. Such
 * names are hidden; every other name is looked up through the blocks around and then the context.
 */
final class Frame {
  final @Nullable Frame parent;
  private final Set<String> mentioned = new HashSet<>();
  private final List<String> setFirst = new ArrayList<>();
  private List<String> hidden = List.of();

  /** Inside an if, where a variable that is set may keep its outer value. */
  int branches;

  /**
   * Filters and tests that do not exist, used outside any condition: an error unless one follows.
   */
  final List<String> unknown = new ArrayList<>();

  Frame(@Nullable Frame parent) {
    this.parent = parent;
  }

  void load(String name) {
    mentioned.add(name);
  }

  void store(String name) {
    if (mentioned.add(name) && branches == 0) {
      setFirst.add(name);
    }
  }

  void parameter(String name) {
    mentioned.add(name);
  }

  List<String> hidden() {
    return hidden;
  }

  /** Once the frames around are complete. */
  void resolve() {
    hidden = setFirst.stream().filter(name -> !mentionedAround(name)).toList();
  }

  private boolean mentionedAround(String name) {
    for (Frame f = parent; f != null; f = f.parent) {
      if (f.mentioned.contains(name)) {
        return true;
      }
    }
    return false;
  }
}
