package dev.nautil.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.GrammarException;
import java.nio.charset.StandardCharsets;
import java.util.Random;
import java.util.regex.Pattern;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Against java.util.regex, where its language and ECMA-262's agree. */
class RegexTest {
  private static final String[] ATOMS = {
    "a",
    "b",
    "é",
    "😀",
    ".",
    "[ab]",
    "[^a]",
    "[^ab]",
    "[a-cé-ü]",
    "\\d",
    "\\w",
    "\\D",
    "\\W",
    "\\x61",
    "\\u0062",
    "\\-",
    "[\\w-]",
    "[\\d.]",
    "\\p{L}",
    "\\P{Lu}",
    "\\p{Nd}",
    "1"
  };
  private static final String[] QUANTIFIERS = {
    "*", "+", "?", "*?", "+?", "??", "{2}", "{1,}", "{0,2}", "{2,3}?"
  };
  private static final String[] CHARACTERS = {"a", "b", "é", "😀", "1", "-", "Z"};

  @Test
  void agreesWithJavaOnRandomPatterns() {
    Random random = new Random(7);
    int matched = 0;
    for (int i = 0; i < 1000; i++) {
      String pattern = alternatives(random, 3, true);
      Pattern java = Pattern.compile(pattern);
      Machine search = machine(Regex.search(pattern));
      Machine full = machine(Regex.full(pattern));
      for (int j = 0; j < 20; j++) {
        StringBuilder text = new StringBuilder();
        for (int n = random.nextInt(6); n > 0; n--) {
          text.append(CHARACTERS[random.nextInt(CHARACTERS.length)]);
        }
        String message = pattern + " on '" + text + "'";
        boolean found = java.matcher(text).find();
        matched += found ? 1 : 0;
        assertEquals(found, matches(search, text.toString()), "search " + message);
        assertEquals(
            java.matcher(text).matches(), matches(full, text.toString()), "full " + message);
      }
    }
    assertTrue(matched > 4_000 && matched < 18_000, matched + " texts matched");
  }

  private static String alternatives(Random random, int depth, boolean anchors) {
    StringBuilder pattern = new StringBuilder();
    for (int n = random.nextInt(3); n >= 0; n--) {
      for (int k = random.nextInt(4); k > 0; k--) {
        pattern.append(part(random, depth, anchors));
      }
      pattern.append(n > 0 ? "|" : "");
    }
    return pattern.toString();
  }

  private static String part(Random random, int depth, boolean anchors) {
    if (anchors && random.nextInt(6) == 0) {
      return random.nextBoolean() ? "^" : "$";
    }
    if (depth > 0 && anchors && random.nextInt(6) == 0) {
      return "(" + alternatives(random, depth - 1, true) + ")" + (random.nextBoolean() ? "?" : "");
    }
    String atom =
        depth > 0 && random.nextInt(4) == 0
            ? (random.nextBoolean() ? "(" : "(?:") + alternatives(random, depth - 1, false) + ")"
            : ATOMS[random.nextInt(ATOMS.length)];
    return random.nextInt(3) == 0 ? atom + QUANTIFIERS[random.nextInt(QUANTIFIERS.length)] : atom;
  }

  /** Null for the expression that no text matches. */
  private static Machine machine(Rule rule) {
    Program program = GrammarCompiler.compileOrNull(Grammar.of(rule));
    return program == null ? null : new Machine(program);
  }

  private static boolean matches(Machine machine, String text) {
    if (machine == null) {
      return false;
    }
    Config config = machine.initial();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      config = machine.next(config, b & 0xff);
    }
    return config.isComplete;
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "[^],x,true",
        "[],x,false",
        "\\cJ,`\n`,true",
        "\\u{1F600},😀,true",
        "\\uD83D\\uDE00,😀,true",
        "^\\s$,\u3000,true",
        "^\\s$,\u180e,false",
        "^.$,\u2028,false",
        "`a{,b}`,`a{,b}`,true",
        "x{1,`x{1,`,true",
        "(?<name>a)\\/,a/,true",
        "^\\p{Script=Greek}$,λ,true",
        "^\\p{L}$,1,false",
        "^\\p{gc=Uppercase_Letter}$,A,true",
        "^\\p{Zs}$,` `,true",
        "^\\p{Pd}$,-,true",
        "^[\\b]$,`\b`,true",
        "]},]},true",
      })
  void readsWhatOnlyEcmaHas(String pattern, String text, boolean matches) {
    assertEquals(matches, matches(machine(Regex.search(pattern)), text));
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "(a)\\1,a back-reference,4",
        "(?<n>a)\\k<n>,a back-reference,8",
        "a(?=b),a look-ahead,2",
        "a(?!b),a look-ahead,2",
        "(?<=b)a,a look-behind,1",
        "\\bword,a word boundary,1",
        "(a,a group without an end,1",
        "a),an unmatched ')',2",
        "[a,a class without an end,1",
        "[z-a],a range whose ends are out of order,2",
        "[a-\\d],a range that begins or ends with a class,2",
        "*a,nothing for '*' to repeat,1",
        "a**,nothing for '*' to repeat,3",
        "a++,nothing for '+' to repeat,3",
        "^*,an anchor that is repeated,1",
        "(^a|b)*,an anchor in a repetition,2",
        "`a{3,2}`,a repetition whose numbers are out of order,2",
        "`a{99999999999}`,a repetition of more than 2147483647,2",
        "\\p{Klingon},the property 'Klingon',1",
        "\\pL,a property without braces,1",
        "\\xg1,an escape without its hexadecimal digits,1",
        "\\ud800,half of a surrogate pair,1",
        "\\y,the unknown escape \\y,1",
        "(?i)a,a kind of group that is not supported,1",
        "\\,a backslash at the end,1",
      })
  void saysWhatItDoesNotUnderstandAndWhere(String pattern, String what, int character) {
    GrammarException e = assertThrows(GrammarException.class, () -> Regex.search(pattern));
    assertTrue(e.getMessage().contains("'" + pattern + "' has " + what), e.getMessage());
    assertTrue(e.getMessage().contains("at character " + character), e.getMessage());
  }

  @Test
  void refusesGroupsThatAreTooDeepWithoutOverflow() {
    String pattern = "(".repeat(100_000) + "a" + ")".repeat(100_000);
    GrammarException e = assertThrows(GrammarException.class, () -> Regex.search(pattern));
    assertTrue(e.getMessage().contains("more than 100 groups within each other"));
  }

  @ParameterizedTest
  @CsvSource(
      quoteCharacter = '`',
      value = {
        "(a*)*b",
        "(a|a)*b",
        "(a|aa)+$",
        "`((a{0,1000}){0,1000}){0,1000}b`",
        "(a|b)*a(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)(a|b)",
        "`(a|b)*a(a|b){1000}b`",
        "`.{0,2000000}b`",
        "`(((a?){100}){100}){100}b`"
      })
  void readsHostilePatternsInTime(String pattern) {
    Machine machine = machine(Regex.full(pattern));
    Config config = machine.initial();
    long start = System.nanoTime();
    for (int i = 0; i < 3000; i++) {
      config = machine.next(config, 'a');
      assertTrue(!config.isDead());
    }
    double seconds = (System.nanoTime() - start) / 1e9;
    assertTrue(seconds < 5, seconds + " s for 3,000 characters");
  }
}
