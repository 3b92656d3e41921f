package dev.nautil.grammar;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.TestModels;
import dev.nautil.engine.Vocabularies;
import dev.nautil.internal.NativeFile;
import dev.nautil.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class MaskSpeedTest {
  static Tokenizer tekken() {
    try (NativeFile file = NativeFile.open(TestModels.path("tekken-tiny.gguf"), false)) {
      return Vocabularies.tokenizer(file);
    }
  }

  static final String PERSON =
      """
      {"name": "Ada Lovelace, née Byron", "age": 36, "role": "admin",
       "biography": "English mathematician and writer, chiefly known for her work on Charles Babbage's proposed mechanical general-purpose computer, the \\"Analytical Engine\\".\\nShe was the first to recognise that the machine had applications beyond pure calculation. 数学者 😀",
       "addresses": [{"street": "12 St James's Square", "city": "London", "zip": "12345"},
        {"city": "Ockham Park in Surrey", "street": "The long road to the village, second house on the left"}],
       "note": {"tags": ["poet", "countess", 1.5e3, true, null, [[["deep"]]]], "x": {"y": {"z": "w"}}}}""";

  private static double[] micros(CompiledGrammar grammar, int[] tokens, String label) {
    GrammarMatcher matcher = grammar.newMatcher();
    long[] words = new long[matcher.maskWords()];
    double[] times = new double[tokens.length];
    for (int i = 0; i < tokens.length; i++) {
      long start = System.nanoTime();
      matcher.mask(words);
      times[i] = (System.nanoTime() - start) / 1e3;
      assertTrue((words[tokens[i] / 64] >> tokens[i] & 1) != 0, label + " token " + i);
      matcher.accept(tokens[i]);
    }
    assertTrue(matcher.isComplete());
    return times;
  }

  private static void report(String label, double[] t) {
    double first = t[0];
    double[] s = t.clone();
    Arrays.sort(s);
    System.out.printf(
        "%s: n %d first %.1f ms median %.1f us p99 %.1f us max %.1f us%n",
        label, s.length, first / 1e3, s[s.length / 2], s[s.length * 99 / 100], s[s.length - 1]);
  }

  @Test
  void measure() {
    Tokenizer tokenizer = tekken();
    long t0 = System.nanoTime();
    GrammarVocabulary vocabulary = GrammarVocabulary.of(tokenizer);
    long t1 = System.nanoTime();
    System.out.printf(
        "vocabulary %.1f ms plain nodes %d other nodes %d plain tokens %d other %d%n",
        (t1 - t0) / 1e6,
        vocabulary.plain.size,
        vocabulary.other.size,
        vocabulary.plain.tokens.length,
        vocabulary.other.tokens.length);
    int[] tokens = tokenizer.encode(PERSON);
    for (int run = 0; run < 6; run++) {
      long s = System.nanoTime();
      CompiledGrammar g = new CompiledGrammar(JsonGrammars.person(), vocabulary);
      System.out.printf("compile %.1f ms%n", (System.nanoTime() - s) / 1e6);
      report("person cold", micros(g, tokens, "person"));
      report("person warm", micros(g, tokens, "person"));
    }
    List<String> parts = new ArrayList<>();
    for (int i = 99; i >= 0; i--) {
      parts.add("\"member" + i + "\": " + i * 17);
    }
    String wide = "{" + String.join(", ", parts) + "}";
    for (int run = 0; run < 3; run++) {
      long s = System.nanoTime();
      CompiledGrammar g = new CompiledGrammar(JsonGrammars.wide(100), vocabulary);
      System.out.printf("compile %.1f ms%n", (System.nanoTime() - s) / 1e6);
      report("wide cold", micros(g, tokenizer.encode(wide), "wide"));
    }
    for (int n : new int[] {2500, 5000, 10000}) {
      String deep = "[".repeat(n) + "]".repeat(n);
      CompiledGrammar g = new CompiledGrammar(JsonGrammars.any(), vocabulary);
      int[] ids = tokenizer.encode(deep);
      long s = System.nanoTime();
      report("deep " + n, micros(g, ids, "deep"));
      System.out.printf("%d tokens %.1f ms%n", ids.length, (System.nanoTime() - s) / 1e6);
    }
  }
}
