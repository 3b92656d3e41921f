package dev.nautil.grammar;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;

/** Grammars over the characters a, b and é, with all kinds of rules. */
final class RandomGrammars {
  static final String[] ALPHABET = {"a", "b", "é"};

  private final Random random;
  private int rules;

  RandomGrammars(long seed) {
    random = new Random(seed);
  }

  Grammar next() {
    rules = 1 + random.nextInt(4);
    Map<String, Rule> map = new HashMap<>();
    for (int i = 0; i < rules; i++) {
      map.put("r" + i, rule(3, true));
    }
    return new Grammar(map, "r0");
  }

  Rule regular() {
    return rule(4, false);
  }

  private Rule rule(int depth, boolean references) {
    int kind = depth == 0 ? random.nextInt(2) : random.nextInt(references ? 12 : 7);
    return switch (kind) {
      case 0 -> Rule.text(random.nextInt(8) == 0 ? "" : text());
      case 1 -> Rule.chars(set());
      case 2, 3 -> new Rule.Sequence(several(depth, references));
      case 4, 5 -> new Rule.Choice(several(depth, references));
      case 6 -> repeat(depth, references);
      case 7, 8, 9 -> Rule.reference("r" + random.nextInt(rules));
      case 10 -> members(depth);
      default -> new Rule.Intersection(List.of(rule(depth - 1, false), rule(depth - 1, false)));
    };
  }

  private String text() {
    return ALPHABET[random.nextInt(3)] + (random.nextBoolean() ? ALPHABET[random.nextInt(3)] : "");
  }

  private CharSet set() {
    return switch (random.nextInt(4)) {
      case 0 -> CharSet.of("a").complement();
      case 1 -> CharSet.of("aé");
      case 2 -> CharSet.of("b");
      default -> CharSet.of("ab");
    };
  }

  private List<Rule> several(int depth, boolean references) {
    List<Rule> parts = new ArrayList<>();
    for (int n = random.nextInt(4); n >= 0; n--) {
      parts.add(rule(depth - 1, references));
    }
    return parts;
  }

  private Rule repeat(int depth, boolean references) {
    int min = random.nextInt(3);
    int max = random.nextBoolean() ? Rule.UNBOUNDED : min + random.nextInt(3);
    // Counted, not copied, where a hundred is out of reach of the texts.
    boolean high = random.nextInt(3) == 0 && max != Rule.UNBOUNDED;
    return new Rule.Repeat(rule(depth - 1, references), min, high ? max + 100 : max);
  }

  private Rule members(int depth) {
    List<Rule.Member> members = new ArrayList<>();
    for (int n = random.nextInt(3); n >= 0; n--) {
      Rule rest = rule(depth - 1, true);
      members.add(
          new Rule.Member(Rule.sequence(Rule.text(ALPHABET[n]), rest), random.nextInt(3) == 0));
    }
    Optional<Rule> additional =
        random.nextInt(3) == 0
            ? Optional.of(Rule.sequence(Rule.text(text()), rule(1, true)))
            : Optional.empty();
    int min = random.nextInt(3) == 0 ? 1 + random.nextInt(2) : 0;
    int max = random.nextBoolean() ? Rule.UNBOUNDED : min + random.nextInt(3);
    Rule separator = random.nextBoolean() ? Rule.text("b") : rule(1, false);
    return new Rule.Members(members, additional, separator, min, max);
  }
}
