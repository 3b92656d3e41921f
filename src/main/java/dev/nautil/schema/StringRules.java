package dev.nautil.schema;

import dev.nautil.GrammarException;
import dev.nautil.grammar.CharSet;
import dev.nautil.grammar.Grammar;
import dev.nautil.grammar.Recognizer;
import dev.nautil.grammar.Regex;
import dev.nautil.grammar.Rule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Rules of strings: their lengths, patterns and formats, all at once. */
final class StringRules {
  /** How strings are restricted; equal ones share a rule. */
  private record Restrictions(int minLength, int maxLength, Set<Rule> contents) {}

  private final RuleSet rules;
  private final JsonText json;
  private final Map<String, Rule> patterns = new HashMap<>();
  private final Map<Restrictions, Optional<Rule>> known = new HashMap<>();
  private final Map<Restrictions, Optional<Recognizer>> recognizers = new HashMap<>();

  StringRules(RuleSet rules, JsonText json) {
    this.rules = rules;
    this.json = json;
  }

  /** The texts of the strings that match all of these; empty if none does. */
  Optional<Rule> of(List<Keywords> all) {
    Restrictions restrictions = restrictions(all);
    Optional<Rule> rule = known.get(restrictions);
    if (rule == null) {
      rule = spelled(restrictions, all);
      known.put(restrictions, rule);
    }
    return rule;
  }

  /** Whether a string's content matches. */
  boolean matches(String text, Keywords keywords) {
    int length = text.codePointCount(0, text.length());
    boolean fits =
        length >= keywords.minLength
            && (keywords.maxLength == Keywords.UNBOUNDED || length <= keywords.maxLength);
    Restrictions contents = new Restrictions(0, Keywords.UNBOUNDED, contents(List.of(keywords)));
    return fits
        && (contents.contents.isEmpty()
            || recognizer(contents, keywords).map(r -> r.matches(text)).orElse(false));
  }

  private Restrictions restrictions(List<Keywords> all) {
    int min = 0;
    int max = Keywords.UNBOUNDED;
    for (Keywords keywords : all) {
      min = Math.max(min, keywords.minLength);
      max = smaller(max, keywords.maxLength);
    }
    return new Restrictions(min, max, contents(all));
  }

  private static int smaller(int a, int b) {
    return a == Keywords.UNBOUNDED || b == Keywords.UNBOUNDED ? Math.max(a, b) : Math.min(a, b);
  }

  private Set<Rule> contents(List<Keywords> all) {
    Set<Rule> contents = new LinkedHashSet<>();
    for (Keywords keywords : all) {
      if (keywords.pattern != null) {
        contents.add(pattern(keywords.pattern, keywords));
      }
      if (keywords.format != null) {
        contents.add(Formats.of(keywords.format));
      }
    }
    return contents;
  }

  private Rule pattern(String pattern, Keywords keywords) {
    Rule known = patterns.get(pattern);
    if (known == null) {
      try {
        known = Regex.search(pattern);
      } catch (GrammarException e) {
        throw keywords.at.error("pattern", e.getMessage());
      }
      patterns.put(pattern, known);
    }
    return known;
  }

  private Optional<Rule> spelled(Restrictions restrictions, List<Keywords> all) {
    int min = restrictions.minLength;
    int max = restrictions.maxLength;
    boolean isEmpty = max != Keywords.UNBOUNDED && min > max;
    if (isEmpty || (!restrictions.contents.isEmpty() && isNever(restrictions, all))) {
      return Optional.empty();
    }
    Rule content = content(restrictions, json.character(CharSet.ALL), true);
    String name = restrictions.contents.isEmpty() && min == 0 && max < 0 ? "string" : "strings";
    return Optional.of(rules.define(name, json.string(content)));
  }

  private boolean isNever(Restrictions restrictions, List<Keywords> all) {
    return all.stream()
        .filter(k -> k.pattern != null || k.format != null)
        .findFirst()
        .map(k -> recognizer(restrictions, k).isEmpty())
        .orElse(false);
  }

  private Optional<Recognizer> recognizer(Restrictions restrictions, Keywords culprit) {
    Optional<Recognizer> recognizer = recognizers.get(restrictions);
    if (recognizer == null) {
      Rule content = content(restrictions, Rule.chars(CharSet.ALL), false);
      try {
        recognizer = Recognizer.of(Grammar.of(content));
      } catch (GrammarException e) {
        throw culprit.at.error(culprit.pattern != null ? "pattern" : "format", e.getMessage());
      }
      recognizers.put(restrictions, recognizer);
    }
    return recognizer;
  }

  /** What is between the quotes, as characters or spelled. */
  private Rule content(Restrictions restrictions, Rule character, boolean spelled) {
    List<Rule> parts = new ArrayList<>();
    restrictions.contents.forEach(c -> parts.add(spelled ? json.spelled(c) : c));
    boolean hasLength = restrictions.minLength > 0 || restrictions.maxLength >= 0;
    if (hasLength || parts.isEmpty()) {
      parts.add(new Rule.Repeat(character, restrictions.minLength, restrictions.maxLength));
    }
    return parts.size() == 1 ? parts.get(0) : new Rule.Intersection(parts);
  }
}
