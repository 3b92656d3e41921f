package dev.nautil.schema;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** Follows $ref and allOf, and takes anyOf and oneOf apart into cases. */
final class Expansion {
  /** Cases of one value: anyOf beside anyOf multiplies them. */
  private static final int MAX_CASES = 256;

  private final SchemaDocument document;
  private final Map<Location, Keywords> read = new HashMap<>();

  /** Schemas from which no schema leads back to itself. */
  private final Set<Location> checked = new HashSet<>();

  Expansion(SchemaDocument document) {
    this.document = document;
  }

  Keywords keywords(Location schema) {
    Keywords keywords = read.get(schema);
    if (keywords == null) {
      keywords = KeywordReader.read(document, schema);
      read.put(schema, keywords);
    }
    return keywords;
  }

  /** What a value matches in one of the cases: the keywords of several schemas. */
  private static final class Case {
    final Map<Location, Keywords> met;
    final Deque<Location> pending;
    int types;
    boolean isNever;

    Case(Map<Location, Keywords> met, Deque<Location> pending, int types) {
      this.met = met;
      this.pending = pending;
      this.types = types;
    }

    Case with(Location alternative) {
      Case copy = new Case(new LinkedHashMap<>(met), new ArrayDeque<>(pending), types);
      copy.pending.push(alternative);
      return copy;
    }
  }

  /**
   * The cases in which a value matches all of these schemas: in each, the keywords that it must
   * match, those under $ref, allOf, anyOf and oneOf left aside.
   */
  List<List<Keywords>> cases(List<Location> schemas) {
    schemas.forEach(this::requireNoLoop);
    Deque<Case> open = new ArrayDeque<>();
    open.push(new Case(new LinkedHashMap<>(), new ArrayDeque<>(schemas), ValueType.ALL));
    List<List<Keywords>> closed = new ArrayList<>();
    while (!open.isEmpty()) {
      Case current = open.pop();
      List<List<Location>> choices = new ArrayList<>();
      follow(current, choices);
      if (current.isNever || current.types == 0) {
        continue;
      }
      if (choices.isEmpty()) {
        closed.add(current.met.values().stream().filter(k -> k.hasAssertions).toList());
      } else {
        open.addAll(split(current, choices));
      }
      if (closed.size() + open.size() > MAX_CASES) {
        throw schemas
            .get(0)
            .error("anyOf beside anyOf make more than " + MAX_CASES + " cases; write them out");
      }
    }
    return closed;
  }

  /** Meets all that certainly counts, and collects what there is a choice of. */
  private void follow(Case current, List<List<Location>> choices) {
    while (!current.pending.isEmpty()) {
      Location schema = current.pending.pop();
      if (schema.node.isBoolean()) {
        current.isNever |= !schema.node.asBoolean();
      } else if (!current.met.containsKey(schema)) {
        Keywords keywords = keywords(schema);
        current.met.put(schema, keywords);
        current.types &= keywords.types;
        keywords.all.forEach(current.pending::push);
        choices.addAll(keywords.any);
      }
    }
  }

  private static List<Case> split(Case current, List<List<Location>> choices) {
    List<Case> cases = List.of(current);
    for (List<Location> choice : choices) {
      List<Case> more = new ArrayList<>();
      for (Case each : cases) {
        choice.forEach(alternative -> more.add(each.with(alternative)));
        if (more.size() > MAX_CASES) {
          return more;
        }
      }
      cases = more;
    }
    return cases;
  }

  /** Refuses a schema that leads back to itself by $ref, allOf, anyOf and oneOf alone. */
  void requireNoLoop(Location start) {
    Set<Location> open = new HashSet<>();
    Deque<Location> path = new ArrayDeque<>();
    Deque<Deque<Location>> left = new ArrayDeque<>();
    enter(start, open, path, left);
    while (!path.isEmpty()) {
      Location at = path.peek();
      if (left.peek().isEmpty()) {
        left.pop();
        path.pop();
        open.remove(at);
        checked.add(at);
        continue;
      }
      Location next = left.peek().pop();
      if (open.contains(next)) {
        throw next.error(
            "leads back to itself by way of '#"
                + at.pointer()
                + "', with no value in between, so that it never says what matches");
      }
      if (!checked.contains(next)) {
        enter(next, open, path, left);
      }
    }
  }

  private void enter(
      Location schema, Set<Location> open, Deque<Location> path, Deque<Deque<Location>> left) {
    Deque<Location> next = new ArrayDeque<>();
    if (schema.node.isObject() && !checked.contains(schema)) {
      Keywords keywords = keywords(schema);
      next.addAll(keywords.all);
      keywords.any.forEach(next::addAll);
    }
    open.add(schema);
    path.push(schema);
    left.push(next);
  }
}
