package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.grammar.Grammar;
import dev.nautil.grammar.Rule;
import java.math.BigDecimal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * Makes a schema's grammar. Schemas that one value must match together ({@code $ref} beside others,
 * {@code allOf}, a property of several of them) make a {@link Conjunction}, which has one rule
 * however often it is met; so recursion ends, and the grammar grows with the schema.
 */
final class SchemaCompiler {
  /** Conjunctions, so that a hostile schema cannot take all memory. */
  private static final int MAX_CONJUNCTIONS = 100_000;

  private final SchemaDocument document;
  private final Expansion expansion;
  private final RuleSet rules = new RuleSet();
  private final JsonText json = new JsonText(rules);
  private final NumberRules numbers = new NumberRules(rules);
  private final StringRules strings = new StringRules(rules, json);
  private final ValueRules values = new ValueRules(rules, json);
  private final ValueCheck check;

  private final Map<List<Integer>, Conjunction> known = new HashMap<>();
  private final List<Conjunction> all = new ArrayList<>();
  private final Deque<Conjunction> pending = new ArrayDeque<>();

  /** What no value matches. */
  private final Conjunction never = new Conjunction(-1, List.of());

  SchemaCompiler(JsonNode schema) {
    document = new SchemaDocument(schema);
    expansion = new Expansion(document);
    check = new ValueCheck(expansion, strings);
  }

  Grammar compile() {
    Conjunction root = conjunction(List.of(document.root));
    while (!pending.isEmpty()) {
      build(pending.pop());
    }
    findProductive();
    new Contradictions(all).refuse(root, document.root);
    for (Conjunction conjunction : all) {
      if (conjunction.isProductive) {
        rules.defineAs(conjunction.ruleName(), values.of(conjunction));
      }
    }
    Rule value = Rule.reference(root.ruleName());
    return rules.grammar(Rule.sequence(json.whitespace, value, json.whitespace));
  }

  /** The conjunction of these schemas, which is built later if it is new. */
  private Conjunction conjunction(List<Location> schemas) {
    Map<Integer, Location> byNumber = new TreeMap<>();
    for (Location schema : schemas) {
      Location target = throughReferences(schema);
      if (target.node.isBoolean() && !target.node.asBoolean()) {
        return never;
      }
      if (target.node.isObject()) {
        byNumber.put(target.id, target);
      }
    }
    return known.computeIfAbsent(
        List.copyOf(byNumber.keySet()),
        k -> {
          Conjunction added = new Conjunction(all.size(), List.copyOf(byNumber.values()));
          if (all.size() >= MAX_CONJUNCTIONS) {
            throw document.root.error(
                "makes more than " + MAX_CONJUNCTIONS + " combinations of schemas");
          }
          all.add(added);
          pending.push(added);
          return added;
        });
  }

  /** What a schema that says nothing but $ref leads to. */
  private Location throughReferences(Location schema) {
    Location at = schema;
    Set<Location> met = new LinkedHashSet<>();
    while (at.node.isObject()) {
      Keywords keywords = expansion.keywords(at);
      boolean onlyLeadsOn =
          !keywords.hasAssertions && keywords.any.isEmpty() && keywords.all.size() == 1;
      if (!onlyLeadsOn || !met.add(at)) {
        break;
      }
      at = keywords.all.get(0);
    }
    return at;
  }

  private void build(Conjunction conjunction) {
    if (conjunction.schemas.size() == 1) {
      Keywords only = expansion.keywords(conjunction.schemas.get(0));
      if (!only.hasAssertions && only.all.isEmpty() && only.any.size() == 1) {
        expansion.requireNoLoop(conjunction.schemas.get(0));
        List<Conjunction> alternatives = new ArrayList<>();
        only.any.get(0).forEach(a -> alternatives.add(conjunction(List.of(a))));
        conjunction.alternatives = alternatives.stream().distinct().toList();
        conjunction.alternatives.forEach(a -> a.users.add(conjunction));
        return;
      }
    }
    List<Shape> shapes = new ArrayList<>();
    for (List<Keywords> each : expansion.cases(conjunction.schemas)) {
      Shape shape = shape(each);
      parts(shape).forEach(part -> part.users.add(conjunction));
      shapes.add(shape);
    }
    conjunction.shapes = shapes;
  }

  private static List<Conjunction> parts(Shape shape) {
    List<Conjunction> parts = new ArrayList<>();
    if (shape.items() != null) {
      parts.addAll(shape.items().prefix());
      parts.add(shape.items().rest());
    }
    if (shape.properties() != null) {
      parts.addAll(shape.properties().named().values());
      parts.add(shape.properties().additional());
    }
    return parts;
  }

  private Shape shape(List<Keywords> all) {
    int types = ValueType.ALL;
    List<JsonNode> listed = null;
    for (Keywords keywords : all) {
      types &= keywords.types;
      if (!keywords.values.isEmpty() && listed == null) {
        listed = keywords.values.get(0).all();
      }
    }
    if (listed != null) {
      List<JsonNode> matching = listed.stream().filter(v -> check.matches(v, all)).toList();
      Location at = all.stream().filter(k -> !k.values.isEmpty()).findFirst().orElseThrow().at;
      Optional<Rule> rule = values.enumeration(matching, at);
      return new Shape(at, 0, rule, Optional.empty(), Optional.empty(), null, null);
    }
    return new Shape(
        all.isEmpty() ? document.root : all.get(0).at,
        types,
        Optional.empty(),
        (types & ValueType.NUMBER) != 0 ? number(all) : Optional.empty(),
        (types & ValueType.STRING) != 0 ? strings.of(all) : Optional.empty(),
        (types & ValueType.ARRAY) != 0 ? items(all) : null,
        (types & ValueType.OBJECT) != 0 ? properties(all) : null);
  }

  private Optional<Rule> number(List<Keywords> all) {
    List<NumberBound> bounds = new ArrayList<>();
    List<BigDecimal> divisors = new ArrayList<>();
    Location at = document.root;
    for (Keywords keywords : all) {
      bounds.addAll(keywords.bounds);
      divisors.addAll(keywords.multiplesOf);
      at = keywords.at.node.has("multipleOf") ? keywords.at : at;
    }
    try {
      return numbers.of(NumberRange.of(bounds, divisors));
    } catch (IllegalArgumentException e) {
      throw at.error("multipleOf", String.valueOf(e.getMessage()));
    }
  }

  private Shape.Items items(List<Keywords> all) {
    int min = 0;
    int max = Keywords.UNBOUNDED;
    int prefix = 0;
    for (Keywords keywords : all) {
      min = Math.max(min, keywords.minItems);
      max = smaller(max, keywords.maxItems);
      prefix = Math.max(prefix, keywords.prefixItems.size());
    }
    List<Conjunction> first = new ArrayList<>();
    for (int i = 0; i < prefix; i++) {
      int index = i;
      first.add(
          conjunction(all, k -> index < k.prefixItems.size() ? k.prefixItems.get(index) : k.items));
    }
    return new Shape.Items(first, conjunction(all, k -> k.items), min, max);
  }

  private Shape.Properties properties(List<Keywords> all) {
    int min = 0;
    int max = Keywords.UNBOUNDED;
    Location at = document.root;
    Set<String> required = new LinkedHashSet<>();
    Map<String, Conjunction> named = new LinkedHashMap<>();
    for (Keywords keywords : all) {
      at = keywords.minProperties > min ? keywords.at : at;
      min = Math.max(min, keywords.minProperties);
      max = smaller(max, keywords.maxProperties);
      required.addAll(keywords.required);
      keywords.properties.keySet().forEach(name -> named.put(name, never));
    }
    required.forEach(name -> named.put(name, never));
    named.replaceAll(
        (name, unset) ->
            conjunction(all, k -> k.properties.getOrDefault(name, k.additionalProperties)));
    Conjunction additional = conjunction(all, k -> k.additionalProperties);
    return new Shape.Properties(at, named, required, additional, min, max);
  }

  private Conjunction conjunction(
      List<Keywords> all, Function<Keywords, @Nullable Location> schemaOf) {
    List<Location> schemas = new ArrayList<>();
    for (Keywords keywords : all) {
      @Nullable Location schema = schemaOf.apply(keywords);
      if (schema != null) {
        schemas.add(schema);
      }
    }
    return conjunction(schemas);
  }

  private static int smaller(int a, int b) {
    return a == Keywords.UNBOUNDED || b == Keywords.UNBOUNDED ? Math.max(a, b) : Math.min(a, b);
  }

  /** Marks what some finite value matches, from what has no parts on. */
  private void findProductive() {
    Deque<Conjunction> changed = new ArrayDeque<>();
    all.forEach(c -> markProductive(c, changed));
    while (!changed.isEmpty()) {
      changed.pop().users.forEach(user -> markProductive(user, changed));
    }
  }

  private static void markProductive(Conjunction c, Deque<Conjunction> changed) {
    if (!c.isProductive
        && (c.alternatives.stream().anyMatch(a -> a.isProductive)
            || c.shapes.stream().anyMatch(Shape::isProductive))) {
      c.isProductive = true;
      changed.push(c);
    }
  }
}
