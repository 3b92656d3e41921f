package dev.nautil.grammar;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * Sets of characters that regular expressions name: the classes of ECMA-262 (section 22.2.2.9) and,
 * of the properties that it takes over from Unicode, categories, scripts and a few more. What a
 * character's category is, the JDK's version of Unicode says.
 */
final class UnicodeSets {
  private static final CharSet DIGITS = CharSet.range('0', '9');
  private static final CharSet WORD =
      DIGITS.union(CharSet.range('a', 'z')).union(CharSet.range('A', 'Z')).union(CharSet.of("_"));

  /** White space and line terminators of ECMA-262. */
  private static final CharSet SPACE =
      CharSet.range('\t', '\r')
          .union(CharSet.of(" \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff"))
          .union(CharSet.range(0x2000, 0x200a));

  /**
   * Names of categories, long and short, and the values of Character.getType that they stand for.
   */
  private static final Map<String, String> CATEGORIES =
      Map.ofEntries(
          Map.entry("Letter", "L"),
          Map.entry("Cased_Letter", "LC"),
          Map.entry("Uppercase_Letter", "Lu"),
          Map.entry("Lowercase_Letter", "Ll"),
          Map.entry("Titlecase_Letter", "Lt"),
          Map.entry("Modifier_Letter", "Lm"),
          Map.entry("Other_Letter", "Lo"),
          Map.entry("Mark", "M"),
          Map.entry("Combining_Mark", "M"),
          Map.entry("Nonspacing_Mark", "Mn"),
          Map.entry("Spacing_Mark", "Mc"),
          Map.entry("Enclosing_Mark", "Me"),
          Map.entry("Number", "N"),
          Map.entry("Decimal_Number", "Nd"),
          Map.entry("digit", "Nd"),
          Map.entry("Letter_Number", "Nl"),
          Map.entry("Other_Number", "No"),
          Map.entry("Punctuation", "P"),
          Map.entry("punct", "P"),
          Map.entry("Connector_Punctuation", "Pc"),
          Map.entry("Dash_Punctuation", "Pd"),
          Map.entry("Open_Punctuation", "Ps"),
          Map.entry("Close_Punctuation", "Pe"),
          Map.entry("Initial_Punctuation", "Pi"),
          Map.entry("Final_Punctuation", "Pf"),
          Map.entry("Other_Punctuation", "Po"),
          Map.entry("Symbol", "S"),
          Map.entry("Math_Symbol", "Sm"),
          Map.entry("Currency_Symbol", "Sc"),
          Map.entry("Modifier_Symbol", "Sk"),
          Map.entry("Other_Symbol", "So"),
          Map.entry("Separator", "Z"),
          Map.entry("Space_Separator", "Zs"),
          Map.entry("Line_Separator", "Zl"),
          Map.entry("Paragraph_Separator", "Zp"),
          Map.entry("Other", "C"),
          Map.entry("Control", "Cc"),
          Map.entry("cntrl", "Cc"),
          Map.entry("Format", "Cf"),
          Map.entry("Private_Use", "Co"),
          Map.entry("Unassigned", "Cn"));

  /** Categories by the values of {@link Character#getType}, which leave one out. */
  private static final String SHORT =
      " Cn Lu Ll Lt Lm Lo Mn Me Mc Nd Nl No Zs Zl Zp Cc Cf .. Co Cs Pd Ps Pe Pc Po Sm Sc Sk So Pi"
          + " Pf";

  private static final Map<String, CharSet> KNOWN = new ConcurrentHashMap<>();

  private UnicodeSets() {}

  /** The class of a lower-case escape: d, w or s. */
  static CharSet ofEscape(char escape) {
    return switch (escape) {
      case 'd' -> DIGITS;
      case 'w' -> WORD;
      default -> SPACE;
    };
  }

  /** The set of a property as it is written in braces, or null if there is none of the name. */
  static @Nullable CharSet ofProperty(String property) {
    CharSet known = KNOWN.get(property);
    if (known == null) {
      IntPredicate predicate = predicate(property);
      if (predicate == null) {
        return null;
      }
      known = set(predicate);
      KNOWN.put(property, known);
    }
    return known;
  }

  private static @Nullable IntPredicate predicate(String property) {
    int equals = property.indexOf('=');
    if (equals >= 0) {
      String value = property.substring(equals + 1);
      return switch (property.substring(0, equals)) {
        case "General_Category", "gc" -> category(value);
        case "Script", "sc" -> script(value);
        default -> null;
      };
    }
    return switch (property) {
      case "Any" -> c -> true;
      case "ASCII" -> c -> c < 128;
      case "Assigned" -> c -> Character.getType(c) != Character.UNASSIGNED;
      case "Alphabetic", "Alpha" -> Character::isAlphabetic;
      case "Lowercase", "Lower" -> Character::isLowerCase;
      case "Uppercase", "Upper" -> Character::isUpperCase;
      case "Ideographic", "Ideo" -> Character::isIdeographic;
      default -> category(property);
    };
  }

  private static @Nullable IntPredicate category(String name) {
    String category = CATEGORIES.getOrDefault(name, name);
    if (category.equals("LC")) {
      return c -> Character.getType(c) >= 1 && Character.getType(c) <= 3;
    }
    // One letter is the group of those that begin with it.
    boolean exists = category.matches("[A-Z][a-z]?") && SHORT.contains(" " + category);
    return exists ? c -> SHORT.startsWith(category, 3 * Character.getType(c) + 1) : null;
  }

  private static @Nullable IntPredicate script(String name) {
    try {
      Character.UnicodeScript script = Character.UnicodeScript.forName(name);
      return c -> Character.UnicodeScript.of(c) == script;
    } catch (IllegalArgumentException e) {
      return null;
    }
  }

  private static CharSet set(IntPredicate predicate) {
    CharSet.Builder set = new CharSet.Builder();
    for (int c = 0; c <= Character.MAX_CODE_POINT; c++) {
      if (predicate.test(c)) {
        set.add(c);
      }
    }
    return set.build();
  }
}
