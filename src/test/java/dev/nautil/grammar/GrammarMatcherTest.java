package dev.nautil.grammar;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTimeout;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.GrammarException;
import dev.nautil.TestModels;
import dev.nautil.engine.Vocabularies;
import dev.nautil.internal.NativeFile;
import dev.nautil.schema.JsonSchemaGrammar;
import dev.nautil.tokenizer.StringTable;
import dev.nautil.tokenizer.Tokenizer;
import dev.nautil.tokenizer.Vocabulary;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Random;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

class GrammarMatcherTest {
  /** In GPT-2's alphabet Ã is the first byte of é and © the second. */
  private static final List<String> TOKENS =
      List.of(
          "</s>",
          "[CALL]",
          "a",
          "b",
          "ab",
          "Ã",
          "©",
          "Ã©",
          "aÃ",
          "©b",
          "bab",
          "aÃ©a",
          "aa",
          "a".repeat(9),
          "ab".repeat(17),
          "Ã©".repeat(17) + "b",
          "a".repeat(23),
          "a".repeat(15) + "b",
          "a".repeat(20) + "Ã");

  private static final int END = 0;
  private static final int CALL = 1;

  private static final Tokenizer SMALL = small();

  private static Tokenizer small() {
    int[] types = new int[TOKENS.size()];
    Arrays.fill(types, 1);
    types[END] = 3;
    types[CALL] = 3;
    return Tokenizer.of(
        Vocabulary.builder("gpt2", StringTable.of(TOKENS))
            .types(types)
            .merges(StringTable.of(List.of()))
            .eos(END)
            .build());
  }

  /** Bytes. */
  private static final int STACK = 256 << 10;

  static Tokenizer tekken() {
    try (NativeFile file = NativeFile.open(TestModels.path("tekken-tiny.gguf"), false)) {
      return Vocabularies.tokenizer(file);
    }
  }

  private static GrammarMatcher matcher(Rule rule) {
    return new CompiledGrammar(Grammar.of(rule), GrammarVocabulary.of(SMALL)).newMatcher();
  }

  private static int token(String text) {
    return TOKENS.indexOf(text);
  }

  /** Where looking for an end leads from one place that counts to the next. */
  @Test
  void masksOfLongIntersectionsNeedNoDeepStack() throws InterruptedException {
    String schema =
        "{\"type\":\"string\",\"format\":\"email\",\"minLength\":31,\"maxLength\":39,\"pattern\":\"\\\\+t\"}";
    CompiledGrammar grammar =
        new CompiledGrammar(JsonSchemaGrammar.compile(schema), GrammarVocabulary.of(tekken()));
    long[] mask = new long[grammar.newMatcher().maskWords()];
    AtomicReference<Throwable> failure = new AtomicReference<>();
    Thread thread =
        new Thread(
            null,
            () -> {
              GrammarMatcher matcher = grammar.newMatcher();
              assertTrue(matcher.accept("\"".getBytes(StandardCharsets.UTF_8)));
              matcher.mask(mask);
            },
            "small stack",
            STACK);
    thread.setUncaughtExceptionHandler((any, thrown) -> failure.set(thrown));
    thread.start();
    thread.join();
    assertNull(failure.get());
    assertTrue(Arrays.stream(mask).anyMatch(word -> word != 0));
  }

  /** On the way of a hundred random walks through as many random grammars. */
  @Test
  void masksAreTheTokensThatLeadOnByTheirBytes() {
    Random random = new Random(3);
    GrammarVocabulary vocabulary = GrammarVocabulary.of(SMALL);
    int steps = 0;
    for (int seed = 0; seed < 400; seed++) {
      CompiledGrammar grammar;
      try {
        grammar = new CompiledGrammar(new RandomGrammars(seed).next(), vocabulary);
      } catch (GrammarException e) {
        continue;
      }
      GrammarMatcher matcher = grammar.newMatcher();
      long[] words = new long[1];
      for (int step = 0; step < 12 && !matcher.mustEnd(); step++, steps++) {
        matcher.mask(words);
        assertEquals(byBytes(matcher), words[0], "grammar " + seed);
        long left = words[0] & ~1L;
        for (int skip = random.nextInt(Math.max(1, Long.bitCount(left))); skip > 0; skip--) {
          left &= left - 1;
        }
        if (left == 0) {
          break;
        }
        matcher.accept(Long.numberOfTrailingZeros(left));
      }
    }
    assertTrue(steps > 1000, steps + " steps");
  }

  /**
   * From beginning to end of texts whose length has bounds that are near or far, for which masks
   * are taken in part from those of texts without.
   */
  @Test
  void masksNearBoundsAreTheTokensThatLeadOnByTheirBytes() {
    GrammarVocabulary vocabulary = GrammarVocabulary.of(SMALL);
    int steps = 0;
    for (int seed = 0; seed < 250; seed++) {
      Random random = new Random(seed);
      CompiledGrammar grammar;
      try {
        grammar = new CompiledGrammar(Grammar.of(bounded(random)), vocabulary);
      } catch (GrammarException e) {
        continue;
      }
      GrammarMatcher matcher = grammar.newMatcher();
      long[] words = new long[1];
      for (; !matcher.mustEnd(); steps++) {
        matcher.mask(words);
        assertEquals(byBytes(matcher), words[0], "grammar " + seed);
        List<Integer> allowed = new ArrayList<>();
        for (int t = END + 1; t < TOKENS.size(); t++) {
          if ((words[0] >> t & 1) != 0) {
            allowed.add(t);
          }
        }
        if (allowed.isEmpty()) {
          assertTrue(matcher.isComplete(), "grammar " + seed);
          break;
        }
        matcher.accept(allowed.get(random.nextInt(allowed.size())));
      }
    }
    assertTrue(steps > 5000, steps + " steps");
  }

  /** Repetitions, and intersections of them, within one that is counted too. */
  private static Rule bounded(Random random) {
    RandomGrammars rules = new RandomGrammars(random.nextLong());
    Rule any = Rule.chars(random.nextBoolean() ? CharSet.of("abé") : CharSet.ALL);
    int min = random.nextInt(3) * random.nextInt(25);
    int max = min + random.nextInt(60);
    Rule length = new Rule.Repeat(any, min, max);
    Rule regular = rules.regular();
    Rule content =
        switch (random.nextInt(5)) {
          case 0 -> length;
          case 1 ->
              new Rule.Intersection(List.of(length, Rule.sequence(Rule.zeroOrMore(any), regular)));
          case 2 ->
              new Rule.Intersection(
                  List.of(Rule.sequence(new Rule.Repeat(regular, 0, 50), rules.regular()), length));
          case 3 -> {
            Rule tail = Rule.text("a".repeat(Math.max(1, max - random.nextInt(9))));
            // After a b there is far more to come.
            Rule other = Rule.chars(CharSet.of("b").complement());
            Rule near = Rule.optional(Rule.sequence(other, Rule.zeroOrMore(any)));
            Rule far = Rule.sequence(Rule.text("b"), Rule.zeroOrMore(any), tail);
            yield new Rule.Intersection(List.of(Rule.choice(near, far), length));
          }
          default ->
              new Rule.Intersection(
                  List.of(
                      length,
                      Rule.sequence(
                          new Rule.Repeat(any, 0, 40),
                          Rule.choice(
                              Rule.text("bab" + "a".repeat(random.nextInt(30))), regular))));
        };
    int most = 1 + random.nextInt(40);
    return switch (random.nextInt(4)) {
      case 0 ->
          new Rule.Repeat(
              Rule.sequence(Rule.text("b"), content, Rule.text("a")), random.nextInt(most), most);
      case 1 -> {
        Rule word = new Rule.Repeat(Rule.chars(CharSet.of("aé")), 1 + min, 60 + min);
        yield new Rule.Repeat(Rule.sequence(word, Rule.text("b")), random.nextInt(most), most);
      }
      default -> content;
    };
  }

  /** Texts of some a, one b and twenty more a, whose length has bounds. */
  @Test
  void intersectionsGoOnAsLongAsTheyCanEnd() {
    Rule any = Rule.chars(CharSet.of("abé"));
    String tail = "b" + "a".repeat(20);
    Rule regular = Rule.sequence(Rule.zeroOrMore(Rule.text("a")), Rule.text(tail));
    for (int min = 0; min <= 60; min += 6) {
      for (int max = Math.max(min, tail.length()); max < 80; max++) {
        Rule length = new Rule.Repeat(any, min, max);
        GrammarMatcher matcher = matcher(new Rule.Intersection(List.of(regular, length)));
        int most = max - tail.length();
        for (int n = 0; n <= most; n++) {
          GrammarMatcher other = matcher.copy();
          assertEquals(
              n + tail.length() >= min, other.accept(tail.getBytes(StandardCharsets.UTF_8)));
          assertEquals(n < most, matcher.accept(new byte[] {'a'}), n + " of " + min + " to " + max);
        }
      }
    }
    Rule text = Rule.text("a".repeat(40));
    assertTrue(
        matcher(new Rule.Intersection(List.of(text, new Rule.Repeat(any, 40, 41))))
            .accept("a".repeat(40).getBytes(StandardCharsets.UTF_8)));
  }

  /** Twenty rounds, one of which has four characters, are 23. */
  @Test
  void countsOfDifferentRoundsHaveToFit() {
    Rule many = Rule.zeroOrMore(Rule.text("a"));
    Rule four = Rule.text("bbbb");
    Rule rounds = new Rule.Repeat(Rule.choice(Rule.text("a"), four), 20, 20);
    for (int max = 21; max < 25; max++) {
      Rule length = new Rule.Repeat(Rule.chars(CharSet.ALL), 0, max);
      Rule rule = new Rule.Intersection(List.of(Rule.sequence(many, four, many), rounds, length));
      if (max < 23) {
        assertThrows(GrammarException.class, () -> matcher(rule));
      } else {
        String text = "aaaabbbb" + "a".repeat(15);
        assertTrue(matcher(rule).accept(text.getBytes(StandardCharsets.UTF_8)));
      }
    }
  }

  private static long byBytes(GrammarMatcher matcher) {
    long mask = matcher.isComplete() ? 1 : 0;
    for (int t = 2; t < TOKENS.size(); t++) {
      mask |= (matcher.copy().accept(SMALL.piece(t)) ? 1L : 0) << t;
    }
    return mask;
  }

  /** With bounded and unbounded strings, where tokens are allowed by their number of characters. */
  @Test
  void masksOfTheLargeVocabularyAreTheTokensThatLeadOnByTheirBytes() {
    Tokenizer tokenizer = tekken();
    GrammarVocabulary vocabulary = GrammarVocabulary.of(tokenizer);
    checkMasks(
        new CompiledGrammar(JsonGrammars.person(), vocabulary), tokenizer, JsonGrammars.PERSON, 9);
    checkMasks(
        new CompiledGrammar(JsonGrammars.any(), vocabulary), tokenizer, JsonGrammars.PERSON, 19);
    for (String pattern :
        List.of(
            "[A-Za-z ]{1,40}", ".{3,12}", "(é|.){0,20}x", "[^\\n]*\\n", "\\p{L}{5}.*", "(..){4}")) {
      String text = pattern.endsWith("n") ? "wholly\n" : "abcdefgx";
      checkMasks(new CompiledGrammar(Grammar.regex(pattern), vocabulary), tokenizer, text, 1);
    }
    Rule withBounds =
        new Rule.Intersection(
            List.of(Regex.search("^[a-z]+-.*x"), new Rule.Repeat(JsonGrammars.CHARACTER, 3, 14)));
    CompiledGrammar both = new CompiledGrammar(Grammar.of(withBounds), vocabulary);
    checkMasks(both, tokenizer, "abc-de fx", 1);
    Grammar several =
        JsonSchemaGrammar.compile(
            """
            {"type": "string", "anyOf": [
             {"pattern": "^[a-z ]+$", "minLength": 9}, {"pattern": "[0-9]", "maxLength": 20},
             {"format": "email", "minLength": 12, "maxLength": 30}, {"minLength": 25}]}""");
    checkMasks(new CompiledGrammar(several, vocabulary), tokenizer, "\"ada on the engine\"", 1);
    Grammar pairsOrTriples =
        JsonSchemaGrammar.compile(
            """
            {"type": "string", "minLength": 16, "maxLength": 16,
             "pattern": "^([^x][^])*(x[^]{2}([^]{3})*)?$"}""");
    String pairs = '"' + "ab".repeat(8) + '"';
    checkMasks(new CompiledGrammar(pairsOrTriples, vocabulary), tokenizer, pairs, 1);
    checkMasks(new CompiledGrammar(Grammar.of(lateBound()), vocabulary), tokenizer, LATE, 99);
    CompiledGrammar additional = new CompiledGrammar(JsonGrammars.open(), vocabulary);
    checkMasks(additional, tokenizer, "{\"name\": 1, \"nam\": 2, \"extra\": 3}", 1);
    Grammar few =
        JsonSchemaGrammar.compile(
            """
            {"type": "object", "required": ["a"], "maxProperties": 2,
             "properties": {"a": {"type": "integer"}, "bc": {"type": "string"}}}""");
    CompiledGrammar fewMembers = new CompiledGrammar(few, vocabulary);
    checkMasks(fewMembers, tokenizer, "{\"xy\": 1, \"a\": 2}", 1);
    checkMasks(fewMembers, tokenizer, "{\"a\": 2, \"ab\": [\"x\"]}", 1);
    checkMasks(new CompiledGrammar(namesThatGoOn(), vocabulary), tokenizer, "\"abx\",\"ab\"", 1);
  }

  /** A text of {@link #lateBound}. */
  private static final String LATE = "1A" + "z".repeat(18);

  /** Where a count that begins in the middle of a token has hardly room for what must follow. */
  private static Rule lateBound() {
    // So large that its repetition is counted.
    Rule lower = Rule.chars(CharSet.range('a', 'z').union(CharSet.range('à', 'ÿ')));
    Rule end = Rule.sequence(Rule.zeroOrMore(lower), Rule.text("z".repeat(18)));
    Rule word = new Rule.Intersection(List.of(new Rule.Repeat(lower, 0, 30), end));
    Rule numbered =
        Rule.sequence(
            Rule.zeroOrMore(Rule.chars(CharSet.range('0', '9'))),
            Rule.chars(CharSet.range('A', 'Z')),
            word);
    Rule length = new Rule.Repeat(Rule.chars(CharSet.ALL), 0, 200);
    return new Rule.Intersection(List.of(numbered, length));
  }

  /** A member "ab", before which there may be another that begins so and goes on by a call. */
  private static Grammar namesThatGoOn() {
    Rule plain = Rule.chars(CharSet.range(' ', Character.MAX_CODE_POINT).minus(CharSet.of("\"\\")));
    // So long that it is called.
    Rule end = Rule.choice(Rule.text("\""), Rule.text("\\" + "x".repeat(200) + "\""));
    Rule other = Rule.sequence(Rule.text("\"ab"), Rule.reference("rest"));
    Rule members =
        new Rule.Members(
            List.of(new Rule.Member(Rule.text("\"ab\""), true)),
            Optional.of(other),
            Rule.text(","),
            0,
            2);
    return new Grammar(
        Map.of("rest", Rule.sequence(Rule.oneOrMore(plain), end), "root", members), "root");
  }

  private static void checkMasks(
      CompiledGrammar grammar, Tokenizer tokenizer, String text, int stride) {
    GrammarMatcher matcher = grammar.newMatcher();
    long[] words = new long[matcher.maskWords()];
    int[] tokens = tokenizer.encode(text);
    for (int i = 0; i <= tokens.length; i++) {
      if (i % stride == 0) {
        matcher.mask(words);
        for (int t = 0; t < tokenizer.size(); t++) {
          boolean allowed =
              tokenizer.isEndOfGeneration(t)
                  ? matcher.isComplete()
                  : !tokenizer.isControl(t) && matcher.copy().accept(tokenizer.piece(t));
          if (allowed != ((words[t / 64] >> t & 1) != 0)) {
            throw new AssertionError(
                text + " at " + i + ": token " + t + " " + tokenizer.decode(new int[] {t}));
          }
        }
      }
      if (i < tokens.length) {
        matcher.accept(tokens[i]);
      }
    }
    assertTrue(matcher.isComplete(), text);
  }

  @Test
  void namesControlTokens() {
    GrammarMatcher matcher =
        matcher(Rule.sequence(Rule.optional(Rule.text("a")), new Rule.Token(CALL), Rule.text("b")));
    long[] words = new long[1];
    matcher.mask(words);
    assertEquals(1L << CALL | 1L << token("a"), words[0]);
    matcher.accept(CALL);
    assertFalse(matcher.isComplete());
    assertEquals(OptionalInt.of(token("b")), matcher.forced());
    matcher.accept(token("b"));
    assertEquals(OptionalInt.of(END), matcher.forced());
    assertTrue(matcher.mustEnd());
  }

  @Test
  void staysWhereItIsWhenATokenIsNotAllowed() {
    GrammarMatcher matcher = matcher(Rule.text("ab"));
    matcher.accept(token("a"));
    IllegalArgumentException e =
        assertThrows(IllegalArgumentException.class, () -> matcher.accept(token("a")));
    assertEquals("token 2 is not allowed by the grammar here", e.getMessage());
    assertThrows(IllegalArgumentException.class, () -> matcher.accept(END));
    assertThrows(IndexOutOfBoundsException.class, () -> matcher.accept(TOKENS.size()));
    matcher.accept(token("b"));
    matcher.accept(END);
    assertThrows(IllegalArgumentException.class, () -> matcher.accept(END));
  }

  @Test
  void copiesGoTheirOwnWays() {
    GrammarMatcher one = matcher(Rule.choice(Rule.text("ab"), Rule.text("ba")));
    one.accept(token("a"));
    GrammarMatcher other = one.copy();
    other.accept(token("b"));
    assertTrue(other.isComplete());
    assertFalse(one.isComplete());
  }

  @Test
  void givesTheTextThatMustFollow() {
    GrammarMatcher matcher = matcher(Rule.choice(Rule.text("aéab"), Rule.text("aéaa")));
    assertArrayEquals("aéa".getBytes(StandardCharsets.UTF_8), matcher.forcedText());
    assertArrayEquals(new byte[0], matcher(Rule.text("")).forcedText());
  }

  @Test
  void countsToMillionsWithoutCopies() {
    Rule million = new Rule.Repeat(Rule.choice(Rule.text("a"), Rule.text("é")), 999_999, 1_000_000);
    GrammarMatcher matcher = matcher(million);
    byte[] block = "aé".repeat(1000).getBytes(StandardCharsets.UTF_8);
    for (int i = 0; i < 499; i++) {
      assertTrue(matcher.accept(block));
    }
    assertTrue(matcher.accept("a".repeat(1999).getBytes(StandardCharsets.UTF_8)));
    assertTrue(matcher.isComplete());
    assertTrue(matcher.accept(new byte[] {'a'}));
    assertTrue(matcher.mustEnd());
  }

  /** Each of a hundred members once, in any order, the required ones among them. */
  @Test
  void takesAHundredMembersInAnyOrder() {
    List<Rule.Member> members = new ArrayList<>();
    List<String> names = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      names.add("m" + i + ";");
      members.add(new Rule.Member(Rule.text(names.get(i)), i % 3 == 0));
    }
    Rule rule = new Rule.Members(members, Optional.empty(), Rule.text(","), 0, 60);
    CompiledGrammar grammar = new CompiledGrammar(Grammar.of(rule), GrammarVocabulary.of(SMALL));
    Random random = new Random(1);
    for (int round = 0; round < 50; round++) {
      Collections.shuffle(names, random);
      GrammarMatcher matcher = grammar.newMatcher();
      int optional = 26;
      int required = 34;
      for (String name : names) {
        boolean isRequired = Integer.parseInt(name.substring(1, name.length() - 1)) % 3 == 0;
        boolean first = required == 34 && optional == 26;
        boolean fits = isRequired || optional > 0;
        GrammarMatcher next = matcher.copy();
        assertEquals(
            fits, next.accept(((first ? "" : ",") + name).getBytes(StandardCharsets.UTF_8)));
        if (fits) {
          assertFalse(next.copy().accept(("," + name).getBytes(StandardCharsets.UTF_8)));
          matcher = next;
          required -= isRequired ? 1 : 0;
          optional -= isRequired ? 0 : 1;
        }
        assertEquals(required == 0, matcher.isComplete());
      }
      assertTrue(matcher.mustEnd());
    }
  }

  /**
   * A hundred thousand levels, 1.1 MB of text, take a second or two. Work that grew with the depth
   * at each byte, a nanosecond a level, would take more than a minute.
   */
  @Test
  void nestsDeeplyInLinearTime() {
    int levels = 100_000;
    byte[] text =
        ("[{\"a\":".repeat(levels) + "1" + "}]".repeat(levels)).getBytes(StandardCharsets.UTF_8);
    GrammarMatcher matcher =
        new CompiledGrammar(JsonGrammars.any(), GrammarVocabulary.of(SMALL)).newMatcher();
    assertTimeout(Duration.ofSeconds(20), () -> assertTrue(matcher.accept(text)));
    assertTrue(matcher.isComplete());
  }

  @Test
  void namesTheRuleAtFault() {
    assertEquals("rule 'root' refers to 'x', which is no rule", failure(Rule.reference("x")));
    assertEquals("rule 'root' matches no text", failure(new Rule.Choice(List.of())));
    assertEquals(
        "rule 'root' matches no text",
        failure(new Rule.Intersection(List.of(Regex.full("a+"), Regex.full("b+")))));
    Rule optional =
        new Rule.Members(
            List.of(new Rule.Member(Rule.text("a"), false)),
            Optional.empty(),
            Rule.text(","),
            2,
            3);
    assertEquals("rule 'root' matches no text", failure(optional));
    assertEquals("rule 'root' has half of a surrogate pair", failure(Rule.text("\ud800")));
    Rule onlyOne =
        new Rule.Members(List.of(), Optional.of(Rule.text("a")), new Rule.Choice(List.of()), 2, 3);
    assertEquals("rule 'root' matches no text", failure(onlyOne));
    Rule loop = new Rule.Repeat(Rule.reference("root"), 100, 200);
    assertTrue(failure(Rule.choice(loop, Rule.text("a"))).contains("'root' is left-recursive"));
    Rule deep = Rule.text("a");
    for (int i = 0; i < 100_000; i++) {
      deep = Rule.sequence(deep, Rule.text("b"));
    }
    assertTrue(failure(deep).contains("nests more than 1000 levels"));
  }

  /** Whichever way it is looked for: each place on the way to it is kept. */
  @Test
  void refusesIntersectionsWhoseEndIsTooFar() {
    Rule far = new Rule.Intersection(List.of(Regex.full("(ab)*"), Regex.full("[ab]{600000,}")));
    assertTrue(failure(far).contains("is too large an intersection"));
  }

  private static String failure(Rule rule) {
    return assertThrows(GrammarException.class, () -> matcher(rule)).getMessage();
  }
}
