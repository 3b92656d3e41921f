package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.SchemaException;
import dev.nautil.grammar.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Rules of the values that match a {@link Conjunction}. */
final class ValueRules {
  private final RuleSet rules;
  private final JsonText json;
  private final NameRules names;
  private final LiteralRules literals;

  ValueRules(RuleSet rules, JsonText json) {
    this.rules = rules;
    this.json = json;
    names = new NameRules(rules, json);
    literals = new LiteralRules(json, names);
  }

  /** The texts of these values; empty if there are none. */
  Optional<Rule> enumeration(List<JsonNode> values, Location schema) {
    if (values.isEmpty()) {
      return Optional.empty();
    }
    List<Rule> texts = values.stream().map(v -> literals.of(v, schema)).toList();
    return Optional.of(new Rule.Choice(texts));
  }

  /** The texts of the values of what is productive. */
  Rule of(Conjunction conjunction) {
    List<Rule> alternatives = new ArrayList<>();
    for (Conjunction alternative : conjunction.alternatives) {
      if (alternative.isProductive) {
        alternatives.add(Rule.reference(alternative.ruleName()));
      }
    }
    conjunction.shapes.forEach(shape -> addTexts(shape, alternatives));
    return alternatives.size() == 1 ? alternatives.get(0) : new Rule.Choice(alternatives);
  }

  private void addTexts(Shape shape, List<Rule> alternatives) {
    shape.enumeration().ifPresent(alternatives::add);
    if (shape.has(ValueType.NULL)) {
      alternatives.add(Rule.text("null"));
    }
    if (shape.has(ValueType.BOOLEAN)) {
      alternatives.add(Rule.choice(Rule.text("true"), Rule.text("false")));
    }
    shape.numbers().ifPresent(alternatives::add);
    shape.strings().ifPresent(alternatives::add);
    if (shape.items() != null && shape.items().isProductive()) {
      alternatives.add(array(shape.items()));
    }
    if (shape.properties() != null && shape.properties().isProductive()) {
      alternatives.add(object(shape.properties()));
    }
  }

  private static Rule value(Conjunction conjunction) {
    return Rule.reference(conjunction.ruleName());
  }

  private Rule array(Shape.Items items) {
    int most = items.most();
    List<Conjunction> prefix = items.prefix();
    // From the last one on, so that no rule contains all that follow it.
    int last = Math.min(prefix.size(), most);
    Rule after = last == most ? Rule.text("") : rest(items, last);
    for (int i = last - 1; i >= 0; i--) {
      Rule next = Rule.sequence(item(prefix.get(i), i), after);
      after = i >= items.min() ? Rule.optional(next) : next;
      if (i > 0) {
        after = rules.define("items", after);
      }
    }
    return Rule.sequence(Rule.text("["), json.whitespace, after, Rule.text("]"));
  }

  /** An item and the whitespace after it, with a separator before it if it is not the first. */
  private Rule item(Conjunction item, int index) {
    Rule text = Rule.sequence(value(item), json.whitespace);
    return index == 0 ? text : Rule.sequence(json.separator, text);
  }

  /** As many more items as there may be after so many. */
  private Rule rest(Shape.Items items, int count) {
    int most = items.most();
    int min = Math.max(items.min() - count, 0);
    int max = most == Integer.MAX_VALUE ? Rule.UNBOUNDED : most - count;
    if (count > 0) {
      return new Rule.Repeat(item(items.rest(), count), min, max);
    }
    Rule more =
        new Rule.Repeat(
            item(items.rest(), 1), Math.max(min - 1, 0), max == Rule.UNBOUNDED ? max : max - 1);
    Rule some = Rule.sequence(item(items.rest(), 0), more);
    return min == 0 ? Rule.optional(some) : some;
  }

  private Rule object(Shape.Properties properties) {
    List<Rule.Member> members = new ArrayList<>();
    for (Map.Entry<String, Conjunction> property : properties.named().entrySet()) {
      String name = LiteralRules.requireCharacters(property.getKey(), properties.at());
      if (property.getValue().isProductive) {
        Rule member = json.member(names.name(name), value(property.getValue()));
        members.add(new Rule.Member(member, properties.required().contains(name)));
      }
    }
    Optional<Rule> additional = Optional.empty();
    if (properties.additional().isProductive) {
      requireExactCount(properties);
      properties.named().keySet().forEach(name -> requireShort(name, properties));
      Rule name = names.otherThan(properties.named().keySet());
      additional = Optional.of(json.member(name, value(properties.additional())));
    }
    return json.object(members, additional, properties.min(), properties.max());
  }

  /**
   * A name that is not listed may come twice, and then counts once. So a least number is certain
   * only where the properties that are required and one more make it.
   */
  private static void requireExactCount(Shape.Properties properties) {
    if (properties.min() > properties.required().size() + 1) {
      throw properties
          .at()
          .error(
              "minProperties",
              "cannot be enforced where there may be properties of any name: two could be of the"
                  + " same; list the names and set additionalProperties to false, or leave it out");
    }
  }

  /**
   * @throws SchemaException if a name is too long to keep others apart from it
   */
  private static void requireShort(String name, Shape.Properties properties) {
    if (name.length() > NameRules.MAX_LENGTH) {
      throw properties
          .at()
          .error(
              "has a property of more than "
                  + NameRules.MAX_LENGTH
                  + " characters beside properties of any name; set additionalProperties to false");
    }
  }
}
