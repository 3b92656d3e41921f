package dev.nautil.grammar;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.schema.JsonSchemaGrammar;
import dev.nautil.tokenizer.Tokenizer;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Masks at the 131,072-token vocabulary, each grammar compiled anew: the median in less than 0.3
 * ms, the 99th percentile in less than 3 ms, the first in less than 100 ms. The best of many runs
 * counts, in this thread's processor time.
 */
class MaskSpeedTest {
  private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

  private static final int MIN_RUNS = 10;

  /** In which the bounds are to be met: until then a virtual machine has compiled what is used. */
  private static final long MAX_NANOS = 10_000_000_000L;

  private static Tokenizer tokenizer;
  private static GrammarVocabulary vocabulary;

  @BeforeAll
  static void open() {
    tokenizer = GrammarMatcherTest.tekken();
    long start = THREADS.getCurrentThreadCpuTime();
    vocabulary = GrammarVocabulary.of(tokenizer);
    System.out.printf("vocabulary: %.0f ms%n", (THREADS.getCurrentThreadCpuTime() - start) / 1e6);
  }

  /** In microseconds: compiling and the first mask; the median; the 99th percentile. */
  private record Times(double first, double median, double high) {
    boolean isFast() {
      return first < 100_000 && median < 300 && high < 3000;
    }

    static Times measure(Grammar grammar, String text) {
      int[] tokens = tokenizer.encode(text);
      double[] times = new double[tokens.length];
      long start = THREADS.getCurrentThreadCpuTime();
      GrammarMatcher matcher = new CompiledGrammar(grammar, vocabulary).newMatcher();
      long[] words = new long[matcher.maskWords()];
      double first = 0;
      for (int i = 0; i < tokens.length; i++) {
        matcher.mask(words);
        times[i] = (THREADS.getCurrentThreadCpuTime() - start) / 1e3;
        first = i == 0 ? times[0] : first;
        assertTrue((words[tokens[i] / 64] >> tokens[i] & 1) != 0, text + " at token " + i);
        start = THREADS.getCurrentThreadCpuTime();
        matcher.accept(tokens[i]);
      }
      assertTrue(matcher.isComplete());
      times[0] = 0;
      Arrays.sort(times);
      return new Times(first, times[times.length / 2], times[times.length * 99 / 100]);
    }
  }

  private static void check(String name, Grammar grammar, String text) {
    Times best = new Times(1e9, 1e9, 1e9);
    long end = THREADS.getCurrentThreadCpuTime() + MAX_NANOS;
    for (int run = 0;
        run < MIN_RUNS || !best.isFast() && THREADS.getCurrentThreadCpuTime() < end;
        run++) {
      Times times = Times.measure(grammar, text);
      if (run == 0) {
        System.out.printf("%s, first run: %s%n", name, times);
      }
      best =
          new Times(
              Math.min(best.first, times.first),
              Math.min(best.median, times.median),
              Math.min(best.high, times.high));
    }
    System.out.printf("%s: %s%n", name, best);
    assertTrue(best.isFast(), name + best);
  }

  @Test
  void ordinaryRecord() {
    check("record", JsonGrammars.person(), JsonGrammars.PERSON);
  }

  @Test
  void anyJson() {
    check("any", JsonGrammars.any(), JsonGrammars.PERSON);
  }

  @Test
  void aHundredMembers() {
    List<String> parts = new ArrayList<>();
    for (int i = 99; i >= 0; i--) {
      parts.add("\"member" + i + "\": " + i * 17);
    }
    check("members", JsonGrammars.wide(100), "{" + String.join(", ", parts) + "}");
  }

  /** Beside properties of any name. */
  @Test
  void aHundredProperties() {
    List<String> properties = new ArrayList<>();
    List<String> members = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      properties.add("\"property_number_" + i + "\": {\"type\": \"integer\"}");
      members.add("\"property_number_" + (i * 37 % 200) + "\": " + i);
    }
    Grammar grammar =
        JsonSchemaGrammar.compile(
            "{\"type\": \"object\", \"properties\": {" + String.join(", ", properties) + "}}");
    assertTrue(GrammarCompiler.compile(grammar).frames.stream().allMatch(f -> f.isDeterministic));
    check("properties", grammar, "{" + String.join(", ", members) + "}");
  }

  @Test
  void deepNesting() {
    check("deep", JsonGrammars.any(), "[".repeat(2000) + "]".repeat(2000));
  }

  @Test
  void countedWords() {
    String text = "some words of no great meaning one after another ".repeat(10).strip();
    check("words", Grammar.regex("[A-Za-z ]{1,1000}"), text);
  }

  @Test
  void patternsAndLengths() {
    Grammar grammar = JsonSchemaGrammar.compile(JsonGrammars.PATTERNS);
    check("patterns and lengths", grammar, JsonGrammars.PATTERNS_TEXT);
  }

  /** Below the least length, each is a place of its own in an intersection. */
  @Test
  void belowTheLeastLength() {
    Grammar grammar =
        JsonSchemaGrammar.compile(
            "{\"type\": \"string\", \"pattern\": \"^[^<>]*$\", \"minLength\": 400}");
    String text = "some words of no great meaning one after another ".repeat(10).strip();
    check("below the least length", grammar, '"' + text + '"');
  }

  /** The same where no character leads from each place back to it. */
  @Test
  void unanchoredBelowTheLeastLength() {
    Grammar grammar =
        JsonSchemaGrammar.compile(
            "{\"type\": \"string\", \"pattern\": \"[a-z]-[0-9]\", \"minLength\": 400}");
    String text = "some words of no great meaning one after another ".repeat(10) + "a-1";
    check("unanchored", grammar, '"' + text + '"');
  }

  /** Intersections in an intersection: what is made of an address is made in a few masks. */
  @ParameterizedTest
  @CsvSource({
    "email, ada.lovelace@engines.analytical-machines.example.org, c.babbage@example.co.uk",
    "hostname, engines.analytical-machines.example.org, w3.example.com",
    "uri, https://engines.example.org/a/path?query=1#x, mailto:ada@example.org",
    "date-time, 1815-12-10T09:30:00.25+01:00, 1843-09-01T23:59:59Z",
    "ipv6, 2001:0db8:85a3::8a2e:0370:7334, ::ffff:192.0.2.128"
  })
  void formatsAndLengths(String format, String first, String second) {
    String item = "{'type': 'string', 'format': '%s', 'minLength': 5, 'maxLength': 100}";
    String schema = "{'type': 'array', 'items': " + item.formatted(format) + "}";
    Grammar grammar = JsonSchemaGrammar.compile(schema.replace('\'', '"'));
    check(format, grammar, "[\"" + first + "\", \"" + second + "\"]");
  }

  /** Each length is a place of its own in an intersection. */
  @Test
  void patternAndLength() {
    String text = "abc-" + "some words of no great meaning one after another ".repeat(5) + "x";
    Rule both =
        new Rule.Intersection(
            List.of(Regex.search("^[a-z]+-.*x$"), new Rule.Repeat(JsonGrammars.CHARACTER, 3, 500)));
    check("pattern and length", Grammar.of(both), text);
  }
}
