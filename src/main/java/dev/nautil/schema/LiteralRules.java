package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.SchemaException;
import dev.nautil.grammar.Rule;
import dev.nautil.template.PythonFloat;
import dev.nautil.tokenizer.Utf8;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** Rules of the values that enum and const name. */
final class LiteralRules {
  private static final int MAX_DEPTH = 500;

  /** Digits of a number that is also written out with a point, or without an exponent. */
  private static final int MAX_PLAIN_DIGITS = 40;

  private final JsonText json;
  private final NameRules names;

  LiteralRules(JsonText json, NameRules names) {
    this.json = json;
    this.names = names;
  }

  /**
   * The texts of a value: with any whitespace, members in any order, and strings and numbers as
   * common writers spell them.
   *
   * @throws SchemaException if it is none that JSON has
   */
  Rule of(JsonNode value, Location schema) {
    return of(value, schema, 0);
  }

  private Rule of(JsonNode value, Location schema, int depth) {
    if (depth > MAX_DEPTH) {
      throw schema.error("names a value that is nested more than " + MAX_DEPTH + " deep");
    }
    return switch (ValueType.of(value)) {
      case ValueType.NULL, ValueType.BOOLEAN -> Rule.text(value.asText());
      case ValueType.NUMBER -> number(value, schema, depth > 0);
      case ValueType.STRING -> names.name(requireCharacters(value.asText(), schema));
      case ValueType.ARRAY -> array(value, schema, depth);
      case ValueType.OBJECT -> object(value, schema, depth);
      default -> throw schema.error("names a value that JSON does not have: " + value);
    };
  }

  /** Refuses halves of surrogate pairs, which are no characters. */
  static String requireCharacters(String text, Location schema) {
    if (Utf8.loneSurrogate(text) >= 0) {
      throw schema.error("has half a surrogate pair in a string");
    }
    return text;
  }

  private Rule array(JsonNode array, Location schema, int depth) {
    List<Rule> parts = new ArrayList<>();
    parts.add(Rule.text("["));
    parts.add(json.whitespace);
    for (int i = 0; i < array.size(); i++) {
      if (i > 0) {
        parts.add(json.separator);
      }
      parts.add(of(array.get(i), schema, depth + 1));
      parts.add(json.whitespace);
    }
    parts.add(Rule.text("]"));
    return new Rule.Sequence(parts);
  }

  private Rule object(JsonNode object, Location schema, int depth) {
    List<Rule.Member> members = new ArrayList<>();
    for (Map.Entry<String, JsonNode> member : object.properties()) {
      Rule name = names.name(requireCharacters(member.getKey(), schema));
      Rule value = of(member.getValue(), schema, depth + 1);
      members.add(new Rule.Member(json.member(name, value), true));
    }
    return json.object(members, Optional.empty(), 0, Rule.UNBOUNDED);
  }

  /**
   * @param isPart of an array or object, in which validators do not take 1.0 for 1
   */
  private static Rule number(JsonNode value, Location schema, boolean isPart) {
    @Nullable BigDecimal number = JsonNumbers.decimal(value);
    if (number == null) {
      throw schema.error("names a number that is not finite or has too many digits");
    }
    if (isPart && number.scale() <= 0 && number.scale() > -MAX_PLAIN_DIGITS) {
      return Rule.text(number.toPlainString());
    }
    List<Rule> texts = new ArrayList<>();
    spellings(number).forEach(text -> texts.add(Rule.text(text)));
    return new Rule.Choice(texts);
  }

  private static Set<String> spellings(BigDecimal number) {
    Set<String> spellings = new LinkedHashSet<>();
    int places = Math.max(number.scale(), 0);
    if (number.precision() + places + Math.abs(number.scale()) <= MAX_PLAIN_DIGITS) {
      String plain = number.toPlainString();
      spellings.add(plain);
      spellings.add(plain.contains(".") ? plain + "0" : plain + ".0");
    }
    addSpelling(number.toString(), spellings);
    double rounded = number.doubleValue();
    if (Double.isFinite(rounded) && BigDecimal.valueOf(rounded).compareTo(number) == 0) {
      addSpelling(Double.toString(rounded), spellings);
      addSpelling(PythonFloat.repr(rounded), spellings);
    }
    if (number.signum() == 0) {
      spellings.addAll(List.of("-0", "-0.0"));
    }
    return spellings;
  }

  private static void addSpelling(String text, Set<String> spellings) {
    spellings.add(text);
    spellings.add(text.replace('E', 'e'));
    spellings.add(text.replace('e', 'E'));
  }
}
