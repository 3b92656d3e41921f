package dev.nautil.schema;

import dev.nautil.SchemaException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * Finds schemas that no value matches. What several schemas together make impossible is left out of
 * the grammar; a schema that is impossible by itself, or that requires itself within itself, is
 * taken to be a mistake.
 */
final class Contradictions {
  private static final int MAX_NAMED = 20;

  private final List<Conjunction> all;

  Contradictions(List<Conjunction> all) {
    this.all = all;
  }

  /**
   * @throws SchemaException if the document's root, or any other schema by itself, is impossible
   */
  void refuse(Conjunction root, Location document) {
    if (!root.isProductive && root.number < 0) {
      throw document.error("no value matches it");
    }
    for (Conjunction conjunction : all) {
      if (!conjunction.isProductive && (conjunction == root || conjunction.schemas.size() == 1)) {
        throw explain(conjunction);
      }
    }
  }

  /** A part that keeps a value from matching, and how the value has it. */
  private record Cause(Conjunction part, String way) {}

  private static SchemaException explain(Conjunction impossible) {
    Map<Conjunction, String> path = new LinkedHashMap<>();
    Conjunction at = impossible;
    while (true) {
      Optional<Cause> cause = cause(at);
      if (cause.isEmpty()) {
        return location(at).error("no value matches it: " + reason(at));
      }
      path.put(at, cause.get().way);
      at = cause.get().part;
      if (at.number < 0) {
        Conjunction last = new ArrayList<>(path.keySet()).get(path.size() - 1);
        return location(last).error("no value matches it: " + path.get(last) + " may not be there");
      }
      if (path.containsKey(at)) {
        return cycle(path, at);
      }
    }
  }

  private static SchemaException cycle(Map<Conjunction, String> path, Conjunction start) {
    List<Conjunction> met = new ArrayList<>(path.keySet());
    List<String> ways =
        met.subList(met.indexOf(start), met.size()).stream().map(path::get).toList();
    String named = String.join(", then ", ways.subList(0, Math.min(ways.size(), MAX_NAMED)));
    return location(start)
        .error(
            "no finite value matches it: it requires itself by way of "
                + named
                + (ways.size() > MAX_NAMED ? ", and so on" : "")
                + "; let the cycle end somewhere, by a property that is not required or by null");
  }

  private static Location location(Conjunction conjunction) {
    return conjunction.schemas.get(0);
  }

  private static Optional<Cause> cause(Conjunction conjunction) {
    if (!conjunction.alternatives.isEmpty()) {
      return Optional.of(new Cause(conjunction.alternatives.get(0), "an alternative"));
    }
    for (Shape shape : conjunction.shapes) {
      if (shape.properties() != null) {
        for (String name : shape.properties().required()) {
          if (!shape.properties().value(name).isProductive) {
            String way = "the property '" + name + "'";
            return Optional.of(new Cause(shape.properties().value(name), way));
          }
        }
      }
      if (shape.items() != null) {
        Shape.Items items = shape.items();
        int most = items.most();
        boolean isBounded = items.max() != Keywords.UNBOUNDED && most == items.max();
        if (!isBounded && most < items.min()) {
          Conjunction item = most < items.prefix().size() ? items.prefix().get(most) : items.rest();
          return Optional.of(new Cause(item, "item " + most));
        }
      }
    }
    return Optional.empty();
  }

  private static String reason(Conjunction conjunction) {
    if (conjunction.shapes.isEmpty()) {
      return "what it asks for excludes one another";
    }
    Shape shape = conjunction.shapes.get(0);
    if (shape.types() == 0) {
      return "none of the values that it lists matches what else it says";
    }
    return switch (Integer.lowestOneBit(shape.types())) {
      case ValueType.NUMBER -> "no number is within its bounds and a multiple as it says";
      case ValueType.STRING -> "no string has its length, pattern and format at once";
      case ValueType.ARRAY -> "it asks for more items than there may be";
      default -> "it asks for more properties than there may be";
    };
  }
}
