package dev.nautil.grammar;

import dev.nautil.GrammarException;
import dev.nautil.tokenizer.Utf8;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What is known of a grammar's rules before they are compiled: those that its root leads to. */
final class RuleFacts {
  /** Rules within rules, which are walked recursively. */
  private static final int MAX_DEPTH = 1_000;

  /** What a rule matches: any text at all, the empty one, another one. */
  record Facts(boolean productive, boolean nullable, boolean nonEmpty) {
    static final Facts NOTHING = new Facts(false, false, false);
    static final Facts EMPTY = new Facts(true, true, false);
    static final Facts NON_EMPTY = new Facts(true, false, true);
  }

  private final Map<String, Rule> rules;

  /** Rules that the root leads to; each after those that it refers to, but for cycles. */
  private final List<String> order = new ArrayList<>();

  private final Set<String> recursive = new HashSet<>();
  private final Set<String> leadsToRecursive = new HashSet<>();
  private final Map<String, Facts> facts = new HashMap<>();

  /** Facts that don't change any more, since those of all rules are found. */
  private final Map<Rule, Facts> factsOfParts = new IdentityHashMap<>();

  private boolean areFound;
  private final Map<Rule.Intersection, Product> products = new IdentityHashMap<>();

  /** The rule that is being looked at. */
  private String at = "";

  RuleFacts(Grammar grammar) {
    rules = grammar.rules();
    Map<String, Set<String>> references = references(grammar.root());
    findCycles(references);
    checkIntersections();
    findFacts(references);
    areFound = true;
  }

  Rule rule(String name) {
    Rule rule = rules.get(name);
    if (rule == null) {
      throw new GrammarException("there is no rule '" + name + "'");
    }
    return rule;
  }

  List<String> order() {
    return order;
  }

  boolean isRecursive(String name) {
    return recursive.contains(name);
  }

  Facts of(String name) {
    return facts.getOrDefault(name, Facts.NOTHING);
  }

  private Map<String, Set<String>> references(String root) {
    Map<String, Set<String>> references = new LinkedHashMap<>();
    Deque<String> waiting = new ArrayDeque<>(List.of(root));
    references.put(root, new HashSet<>());
    for (String name; (name = waiting.poll()) != null; ) {
      String user = name;
      Set<String> found = references.get(name);
      walk(
          rule(name),
          name,
          0,
          rule -> {
            if (rule instanceof Rule.Text literal && Utf8.loneSurrogate(literal.text()) >= 0) {
              throw new GrammarException("rule '" + user + "' has half of a surrogate pair");
            }
            if (rule instanceof Rule.Reference reference) {
              if (!rules.containsKey(reference.name())) {
                throw new GrammarException(
                    "rule '" + user + "' refers to '" + reference.name() + "', which is no rule");
              }
              if (found != null) {
                found.add(reference.name());
              }
              if (!references.containsKey(reference.name())) {
                references.put(reference.name(), new HashSet<>());
                waiting.add(reference.name());
              }
            }
          });
    }
    return references;
  }

  /** Every rule in a rule, itself the first. */
  private static void walk(Rule rule, String name, int depth, Consumer<Rule> visitor) {
    if (depth > MAX_DEPTH) {
      throw new GrammarException(
          "rule '" + name + "' nests more than " + MAX_DEPTH + " levels of groups");
    }
    visitor.accept(rule);
    for (Rule part : parts(rule)) {
      walk(part, name, depth + 1, visitor);
    }
  }

  private static List<Rule> parts(Rule rule) {
    if (rule instanceof Rule.Sequence sequence) {
      return sequence.parts();
    } else if (rule instanceof Rule.Choice choice) {
      return choice.alternatives();
    } else if (rule instanceof Rule.Repeat repeat) {
      return List.of(repeat.rule());
    } else if (rule instanceof Rule.Intersection intersection) {
      return intersection.rules();
    } else if (rule instanceof Rule.Members members) {
      List<Rule> parts = new ArrayList<>();
      members.members().forEach(m -> parts.add(m.rule()));
      members.additional().ifPresent(parts::add);
      parts.add(members.separator());
      return parts;
    }
    return List.of();
  }

  private void findCycles(Map<String, Set<String>> references) {
    List<String> names = List.copyOf(references.keySet());
    Map<String, Integer> numbers = new HashMap<>();
    for (String name : names) {
      numbers.put(name, numbers.size());
    }
    int[][] next = new int[names.size()][];
    for (int i = 0; i < next.length; i++) {
      next[i] = references.get(names.get(i)).stream().mapToInt(name -> numbers.get(name)).toArray();
    }
    for (int[] component : Graph.components(next)) {
      boolean cycle = Graph.isCycle(component, next);
      for (int i : component) {
        order.add(names.get(i));
        if (cycle) {
          recursive.add(names.get(i));
        }
        if (cycle
            || Arrays.stream(next[i]).anyMatch(n -> leadsToRecursive.contains(names.get(n)))) {
          leadsToRecursive.add(names.get(i));
        }
      }
    }
  }

  private void checkIntersections() {
    Set<Rule> checked = Collections.newSetFromMap(new IdentityHashMap<>());
    for (String name : order) {
      walk(
          rule(name),
          name,
          0,
          rule -> {
            if (rule instanceof Rule.Intersection intersection) {
              checkRegular(intersection, name, checked);
            }
          });
    }
  }

  private void checkRegular(Rule rule, String name, Set<Rule> checked) {
    walk(
        rule,
        name,
        0,
        part -> {
          if (part instanceof Rule.Token) {
            throw new GrammarException("rule '" + name + "' has a token in an intersection");
          }
          if (part instanceof Rule.Reference reference) {
            if (leadsToRecursive.contains(reference.name())) {
              throw new GrammarException(
                  "rule '"
                      + name
                      + "' intersects with '"
                      + reference.name()
                      + "', which leads back to itself: only what is regular can be intersected");
            }
            Rule referred = rule(reference.name());
            if (checked.add(referred)) {
              checkRegular(referred, name, checked);
            }
          }
        });
  }

  /** Adds what is known to be matched until nothing more is. */
  private void findFacts(Map<String, Set<String>> references) {
    Map<String, List<String>> users = new HashMap<>();
    references.forEach(
        (user, used) ->
            used.forEach(name -> users.computeIfAbsent(name, n -> new ArrayList<>()).add(user)));
    Deque<String> waiting = new ArrayDeque<>(order);
    Set<String> isWaiting = new HashSet<>(order);
    for (String name; (name = waiting.poll()) != null; ) {
      isWaiting.remove(name);
      at = name;
      Facts now = of(rule(name));
      if (!now.equals(facts.put(name, now))) {
        for (String user : users.getOrDefault(name, List.of())) {
          if (isWaiting.add(user)) {
            waiting.add(user);
          }
        }
      }
    }
  }

  Facts of(Rule rule) {
    if (!areFound) {
      return newFacts(rule);
    }
    Facts known = factsOfParts.get(rule);
    if (known == null) {
      known = newFacts(rule);
      factsOfParts.put(rule, known);
    }
    return known;
  }

  private Facts newFacts(Rule rule) {
    if (rule instanceof Rule.Text text) {
      return text.text().isEmpty() ? Facts.EMPTY : Facts.NON_EMPTY;
    } else if (rule instanceof Rule.Chars chars) {
      return chars.set().isEmpty() ? Facts.NOTHING : Facts.NON_EMPTY;
    } else if (rule instanceof Rule.Token) {
      return Facts.NON_EMPTY;
    } else if (rule instanceof Rule.Reference reference) {
      return of(reference.name());
    } else if (rule instanceof Rule.Sequence sequence) {
      return ofSequence(sequence.parts());
    } else if (rule instanceof Rule.Choice choice) {
      return ofChoice(choice.alternatives());
    } else if (rule instanceof Rule.Repeat repeat) {
      return ofRepeat(repeat);
    } else if (rule instanceof Rule.Members members) {
      return ofMembers(members);
    }
    return product(at, (Rule.Intersection) rule).facts();
  }

  private Facts ofSequence(List<Rule> parts) {
    boolean nullable = true;
    boolean nonEmpty = false;
    for (Rule part : parts) {
      Facts f = of(part);
      if (!f.productive) {
        return Facts.NOTHING;
      }
      nullable &= f.nullable;
      nonEmpty |= f.nonEmpty;
    }
    return new Facts(true, nullable, nonEmpty);
  }

  private Facts ofChoice(List<Rule> alternatives) {
    boolean nullable = false;
    boolean nonEmpty = false;
    for (Rule alternative : alternatives) {
      Facts f = of(alternative);
      nullable |= f.nullable;
      nonEmpty |= f.nonEmpty;
    }
    return new Facts(nullable || nonEmpty, nullable, nonEmpty);
  }

  private Facts ofRepeat(Rule.Repeat repeat) {
    Facts f = of(repeat.rule());
    boolean nullable = repeat.min() == 0 || f.nullable;
    boolean nonEmpty = repeat.max() != 0 && f.nonEmpty;
    return new Facts(nullable || nonEmpty, nullable, nonEmpty);
  }

  private Facts ofMembers(Rule.Members rule) {
    MemberSet members = memberSet(rule);
    if (members == null || !members.isProductive()) {
      return Facts.NOTHING;
    }
    return new Facts(true, members.initial().isComplete(), members.initial().mayGoOn());
  }

  /** The members that can come; null if one is required that cannot. */
  @Nullable MemberSet memberSet(Rule.Members rule) {
    int count = rule.members().size();
    long[] members = MemberSet.bits(count + 1);
    long[] required = MemberSet.bits(count + 1);
    for (int i = 0; i < count; i++) {
      Rule.Member member = rule.members().get(i);
      boolean comes = of(member.rule()).nonEmpty;
      if (comes) {
        members[i / 64] |= 1L << i;
      }
      if (member.required()) {
        if (!comes) {
          return null;
        }
        required[i / 64] |= 1L << i;
      }
    }
    if (rule.additional().isPresent() && of(rule.additional().get()).nonEmpty) {
      members[count / 64] |= 1L << count;
    }
    int most = of(rule.separator()).productive ? rule.max() : 1;
    int max = rule.max() == 0 ? 0 : most;
    return new MemberSet(members, required, count, rule.min(), max);
  }

  /** The machines of an intersection. */
  Product product(String name, Rule.Intersection intersection) {
    Product product = products.get(intersection);
    if (product == null) {
      product = Product.of(name, intersection, rules);
      products.put(intersection, product);
    }
    return product;
  }

  /** The rule that is why another one matches nothing. */
  String culprit(String name) {
    Set<String> seen = new HashSet<>();
    String at = name;
    while (seen.add(at)) {
      List<String> broken = new ArrayList<>();
      walk(
          rule(at),
          at,
          0,
          rule -> {
            if (rule instanceof Rule.Reference reference && !of(reference.name()).productive) {
              broken.add(reference.name());
            }
          });
      if (broken.isEmpty()) {
        return at;
      }
      at = broken.get(0);
    }
    return at;
  }
}
