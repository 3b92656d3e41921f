package dev.nautil.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.nautil.schema.JsonSchemaGrammar;
import dev.nautil.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Masks in strings that have a pattern and a length at once, around their bounds, with {@link
 * Pattern} as the judge of what can still be ended.
 */
class LoopTest {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  /** Every so many tokens are judged; a prime, so that all kinds are met in the end. */
  private static final int STRIDE = 29;

  private static Tokenizer tokenizer;
  private static GrammarVocabulary vocabulary;

  @BeforeAll
  static void open() {
    tokenizer = GrammarMatcherTest.tekken();
    vocabulary = GrammarVocabulary.of(tokenizer);
  }

  /**
   * Strings that match a pattern: what they may begin with, and how any beginning that can be ended
   * is: by one of the fillers, however many times, before or after one of the ends.
   */
  private record Strings(
      String pattern, List<String> beginnings, List<String> fillers, List<String> ends) {
    /** The dot as JSON Schema has it: U+0085 ends no line. */
    Pattern compile() {
      return Pattern.compile(pattern.replace(".*", "[^\\n\\r\\u2028\\u2029]*"));
    }
  }

  private static Stream<Strings> strings() {
    return Stream.of(
        new Strings(
            "^[^<>]*$", List.of("a", "é😀", "\\u00e9\\ud83d\\ude00\\n"), List.of("a"), List.of("")),
        new Strings(
            "^[A-Z].*[.!?]$", List.of("A", "Aé.", "A😀"), List.of("a"), List.of("", ".", "A.")),
        // Where nothing may follow, and where it has one length alone.
        new Strings(
            "^([a-z ]+[.!]?|N/A[.])$",
            List.of("a", "b.", "N", "N/A"),
            List.of("a"),
            List.of("", ".", "/A.", "A.")),
        // Where what begins later has a bound of its own.
        new Strings(
            "^[0-9]*[A-Z][a-z]{0,30}$",
            List.of("1", "1A", "1Ab"),
            List.of("1", "a"),
            List.of("", "A", "Aa")),
        // Where every plain text leads on, but not to an end.
        new Strings(
            "x.*yz", List.of("é", "x", "axy", "axyz"), List.of("a"), List.of("", "xyz", "yz", "z")),
        new Strings("^[a-z]+( [a-z]+)*$", List.of("a", "b "), List.of("a"), List.of("", "a")),
        // Where some places have no loop, and others one of characters beyond ASCII alone.
        new Strings(
            "^(foo|[a-e]*bar|é+😀?)$",
            List.of("a", "b", "f", "fo", "é", "éé😀"),
            List.of("a", "é"),
            List.of("", "o", "oo", "foo", "r", "ar", "bar", "é", "😀")),
        new Strings("^[aé-😀]*x$", List.of("a", "é😀", "aax"), List.of("a"), List.of("", "x")),
        new Strings(
            "[a-z]-[0-9]", List.of("A", "a-", "a-1"), List.of("a"), List.of("", "1", "-1", "a-1")));
  }

  @ParameterizedTest
  @MethodSource("strings")
  void masksAgreeWithJavasPatterns(Strings strings) {
    int[][] bounds = {{4, 4}, {9, 9}, {9, 12}, {40, 44}, {40, 300}, {20, Rule.UNBOUNDED}};
    int judged = 0;
    for (int[] b : bounds) {
      CompiledGrammar grammar = new CompiledGrammar(grammar(strings, b[0], b[1]), vocabulary);
      for (String beginning : strings.beginnings) {
        int length = length(content("\"" + beginning + "\""));
        for (int n : new int[] {length, b[0] - 17, b[0] - 2, b[0] - 1, b[0], b[1] - 1, b[1]}) {
          String filler =
              strings.fillers.get(beginning.startsWith("é") ? strings.fillers.size() - 1 : 0);
          if (n >= length) {
            judged += check(grammar, strings, b, beginning + filler.repeat(n - length), judged);
          }
        }
      }
    }
    assertTrue(judged > 30_000, judged + " tokens");
  }

  private static Grammar grammar(Strings strings, int min, int max) {
    Map<String, Object> schema = new HashMap<>();
    schema.put("type", "string");
    schema.put("pattern", strings.pattern);
    schema.put("minLength", min);
    if (max != Rule.UNBOUNDED) {
      schema.put("maxLength", max);
    }
    return JsonSchemaGrammar.compile(MAPPER.valueToTree(schema).toString());
  }

  private static int length(String text) {
    return text.codePointCount(0, text.length());
  }

  private static String content(String json) {
    try {
      return MAPPER.readValue(json, String.class);
    } catch (JsonProcessingException e) {
      throw new AssertionError(json, e);
    }
  }

  /** Judges tokens after a beginning, if that can be ended; gives how many. */
  private static int check(
      CompiledGrammar grammar, Strings strings, int[] bounds, String beginning, int seed) {
    Pattern pattern = strings.compile();
    String before = content("\"" + beginning + "\"");
    GrammarMatcher matcher = grammar.newMatcher();
    boolean isAccepted = matcher.accept(("\"" + beginning).getBytes(StandardCharsets.UTF_8));
    assertEquals(canEnd(strings, pattern, bounds, before), isAccepted, beginning);
    if (!isAccepted) {
      return 0;
    }
    long[] words = new long[matcher.maskWords()];
    matcher.mask(words);
    int judged = 0;
    for (int t = seed % STRIDE; t < tokenizer.size(); t++) {
      String text = new String(tokenizer.piece(t), StandardCharsets.UTF_8);
      int quote = text.indexOf('"');
      if (t % STRIDE != seed % STRIDE && quote < 0 && length(text) > 1) {
        continue;
      }
      boolean isAllowed = (words[t / 64] >> t & 1) != 0;
      String message =
          strings.pattern + " " + bounds[0] + "-" + bounds[1] + " " + beginning + " + " + text;
      assertEquals(matcher.allows(t), isAllowed, message);
      if (isJudged(t, text)) {
        String after = before + (quote < 0 ? text : text.substring(0, quote));
        boolean isViable =
            quote < 0
                ? canEnd(strings, pattern, bounds, after)
                : quote == text.length() - 1 && matches(pattern, bounds, after);
        assertEquals(isViable, isAllowed, message);
        judged++;
      }
    }
    return judged;
  }

  /** Whether a token is whole characters of a string's text that stand for themselves. */
  private static boolean isJudged(int token, String text) {
    return !text.isEmpty()
        && !tokenizer.isControl(token)
        && text.indexOf('\\') < 0
        && text.indexOf('\ufffd') < 0
        && text.chars().noneMatch(c -> c < ' ');
  }

  private static boolean matches(Pattern pattern, int[] bounds, String text) {
    int length = length(text);
    return length >= bounds[0]
        && (bounds[1] == Rule.UNBOUNDED || length <= bounds[1])
        && pattern.matcher(text).find();
  }

  private static boolean canEnd(Strings strings, Pattern pattern, int[] bounds, String text) {
    for (String filler : strings.fillers) {
      for (String end : strings.ends) {
        int missing = Math.max(0, bounds[0] - length(text) - length(end));
        String filling = filler.repeat(missing);
        if (matches(pattern, bounds, text + filling + end)
            || matches(pattern, bounds, text + end + filling)) {
          return true;
        }
      }
    }
    return false;
  }
}
