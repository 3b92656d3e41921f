package dev.nautil.schema;

import dev.nautil.grammar.CharSet;
import dev.nautil.grammar.Rule;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How one character of a set may be written within a JSON string (RFC 8259, section 7): as it is,
 * by a short escape such as {@code \n}, or as {@code \}{@code uXXXX}, beyond the basic plane twice
 * that. Two characters have no spelling in common, and no spelling begins another, so that what
 * holds for texts holds for their spellings.
 */
final class CharacterSpelling {
  private static final CharSet CONTROLS = CharSet.range(0, 0x1f);
  private static final CharSet RAW = CONTROLS.union(CharSet.of("\"\\")).complement();

  /** Letters of the short escapes, and the characters that they stand for. */
  private static final String SHORT_LETTERS = "\"\\/bfnrt";

  private static final String SHORT_CHARACTERS = "\"\\/\b\f\n\r\t";

  private static final int FIRST_SUPPLEMENTARY = 0x10000;

  /** Four hexadecimal digits; their number. */
  private static final int DIGITS = 4;

  private static final int DIGIT_VALUES = 16;

  /** Of what is spelled by its number too. */
  private final CharSet numbered;

  private final RuleSet rules;
  private final Map<CharSet, Rule> known = new HashMap<>();
  private final Map<CharSet, Rule> knownNumbers = new HashMap<>();

  /**
   * @param numbered the characters that may be written by number
   */
  CharacterSpelling(RuleSet rules, CharSet numbered) {
    this.rules = rules;
    this.numbered = numbered;
  }

  /** Every spelling of the characters of a set. */
  Rule of(CharSet set) {
    return known.computeIfAbsent(set, this::spell);
  }

  private Rule spell(CharSet set) {
    CharSet raw = set.intersection(RAW);
    List<Rule> escapes = new ArrayList<>();
    StringBuilder letters = new StringBuilder();
    for (int i = 0; i < SHORT_LETTERS.length(); i++) {
      if (set.contains(SHORT_CHARACTERS.charAt(i))) {
        letters.append(SHORT_LETTERS.charAt(i));
      }
    }
    if (letters.length() > 0) {
      escapes.add(Rule.chars(CharSet.of(letters.toString())));
    }
    CharSet byNumber = set.intersection(numbered);
    if (!byNumber.isEmpty()) {
      Rule numbers =
          knownNumbers.computeIfAbsent(byNumber, n -> rules.define("escape", numbers(n)));
      escapes.add(Rule.sequence(Rule.text("u"), numbers));
    }
    if (escapes.isEmpty()) {
      return Rule.chars(raw);
    }
    Rule escape = Rule.sequence(Rule.text("\\"), new Rule.Choice(escapes));
    return raw.isEmpty() ? escape : Rule.choice(Rule.chars(raw), escape);
  }

  /** What comes after the first {@code \}{@code u}. */
  private static Rule numbers(CharSet set) {
    List<int[]> basic = new ArrayList<>();
    // Ranges of second halves, by which the first halves that have them are told apart.
    Map<String, List<int[]>> firstHalves = new LinkedHashMap<>();
    Map<String, List<int[]>> secondHalves = new LinkedHashMap<>();
    int[] ranges = set.ranges();
    for (int i = 0; i < ranges.length; i += 2) {
      if (ranges[i] < FIRST_SUPPLEMENTARY) {
        basic.add(new int[] {ranges[i], Math.min(ranges[i + 1], FIRST_SUPPLEMENTARY - 1)});
      }
    }
    surrogates(set, firstHalves, secondHalves);
    List<Rule> alternatives = new ArrayList<>();
    if (!basic.isEmpty()) {
      alternatives.add(hexadecimal(basic, DIGITS));
    }
    firstHalves.forEach(
        (key, first) ->
            alternatives.add(
                Rule.sequence(
                    hexadecimal(first, DIGITS),
                    Rule.text("\\u"),
                    hexadecimal(secondHalves.getOrDefault(key, List.of()), DIGITS))));
    return alternatives.size() == 1 ? alternatives.get(0) : new Rule.Choice(alternatives);
  }

  /** Groups the first halves of a set's surrogate pairs by the second halves that follow them. */
  private static void surrogates(
      CharSet set, Map<String, List<int[]>> firstHalves, Map<String, List<int[]>> secondHalves) {
    CharSet pairs = set.intersection(CharSet.range(FIRST_SUPPLEMENTARY, Character.MAX_CODE_POINT));
    if (pairs.isEmpty()) {
      return;
    }
    Map<Integer, List<int[]>> byFirst = new LinkedHashMap<>();
    int[] ranges = pairs.ranges();
    for (int i = 0; i < ranges.length; i += 2) {
      int from = ranges[i];
      while (from <= ranges[i + 1]) {
        int last = Math.min(from | 0x3ff, ranges[i + 1]);
        byFirst
            .computeIfAbsent((int) Character.highSurrogate(from), k -> new ArrayList<>())
            .add(new int[] {Character.lowSurrogate(from), Character.lowSurrogate(last)});
        from = last + 1;
      }
    }
    byFirst.forEach(
        (first, second) -> {
          String key = key(second);
          List<int[]> same = firstHalves.computeIfAbsent(key, k -> new ArrayList<>());
          if (!same.isEmpty() && same.get(same.size() - 1)[1] == first - 1) {
            same.get(same.size() - 1)[1] = first;
          } else {
            same.add(new int[] {first, first});
          }
          secondHalves.put(key, second);
        });
  }

  private static String key(List<int[]> ranges) {
    StringBuilder key = new StringBuilder();
    ranges.forEach(r -> key.append(r[0]).append('-').append(r[1]).append(' '));
    return key.toString();
  }

  /** Numbers within ranges, as so many hexadecimal digits. */
  private static Rule hexadecimal(List<int[]> ranges, int digits) {
    int place = 1;
    for (int i = 1; i < digits; i++) {
      place *= DIGIT_VALUES;
    }
    Map<String, StringBuilder> digitsByRest = new LinkedHashMap<>();
    Map<String, List<int[]>> rests = new LinkedHashMap<>();
    for (int digit = 0; digit < DIGIT_VALUES; digit++) {
      List<int[]> rest = new ArrayList<>();
      for (int[] range : ranges) {
        int first = Math.max(range[0] - digit * place, 0);
        int last = Math.min(range[1] - digit * place, place - 1);
        if (first <= last) {
          rest.add(new int[] {first, last});
        }
      }
      if (!rest.isEmpty()) {
        String hex = Integer.toHexString(digit);
        digitsByRest
            .computeIfAbsent(key(rest), k -> new StringBuilder())
            .append(hex)
            .append(hex.toUpperCase(Locale.ROOT));
        rests.put(key(rest), rest);
      }
    }
    List<Rule> alternatives = new ArrayList<>();
    rests.forEach(
        (key, rest) -> {
          Rule first = Rule.chars(CharSet.of(String.valueOf(digitsByRest.get(key))));
          alternatives.add(
              digits == 1 ? first : Rule.sequence(first, hexadecimal(rest, digits - 1)));
        });
    return alternatives.size() == 1 ? alternatives.get(0) : new Rule.Choice(alternatives);
  }
}
