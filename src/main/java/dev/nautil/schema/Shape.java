package dev.nautil.schema;

import dev.nautil.grammar.Rule;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Values of one way to match a {@link Conjunction}, by type.
 *
 * @param at one of the schemas, for messages
 * @param types bits of {@link ValueType}; 0 if the values are enumerated
 * @param enumeration the texts of enumerated values
 * @param numbers the texts of numbers; empty if none match
 * @param strings the texts of strings; empty if none match
 */
record Shape(
    Location at,
    int types,
    Optional<Rule> enumeration,
    Optional<Rule> numbers,
    Optional<Rule> strings,
    @Nullable Items items,
    @Nullable Properties properties) {

  /**
   * Of arrays.
   *
   * @param max {@link Keywords#UNBOUNDED} or at least 0
   */
  record Items(List<Conjunction> prefix, Conjunction rest, int min, int max) {
    /** How many there may be, of which each has a value that matches. */
    int most() {
      int most = max == Keywords.UNBOUNDED ? Integer.MAX_VALUE : max;
      for (int i = 0; i < prefix.size() && i < most; i++) {
        if (!prefix.get(i).isProductive) {
          return i;
        }
      }
      return rest.isProductive ? most : Math.min(most, prefix.size());
    }

    boolean isProductive() {
      return min <= most();
    }
  }

  /**
   * Of objects.
   *
   * @param at the schema that has the least number of properties, for messages
   * @param named by name
   * @param additional of every other name
   */
  record Properties(
      Location at,
      Map<String, Conjunction> named,
      Set<String> required,
      Conjunction additional,
      int min,
      int max) {
    boolean isProductive() {
      for (String name : required) {
        if (!value(name).isProductive) {
          return false;
        }
      }
      if (max != Keywords.UNBOUNDED && required.size() > max) {
        return false;
      }
      return additional.isProductive || count() >= min;
    }

    private long count() {
      return named.values().stream().filter(c -> c.isProductive).count();
    }

    Conjunction value(String name) {
      Conjunction value = named.get(name);
      return value == null ? additional : value;
    }
  }

  boolean has(int type) {
    return (types & type) != 0;
  }

  boolean isProductive() {
    return enumeration.isPresent()
        || has(ValueType.NULL | ValueType.BOOLEAN)
        || numbers.isPresent()
        || strings.isPresent()
        || (items != null && items.isProductive())
        || (properties != null && properties.isProductive());
  }
}
