package dev.nautil.grammar;

import dev.nautil.schema.JsonSchemaGrammar;
import dev.nautil.tokenizer.Tokenizer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * Times masks at the 131,072-token vocabulary, along the tokens of a JSON text.
 *
 * <p>{@code mvn test-compile exec:exec -Dexec.executable=java -Dexec.classpathScope=test
 * -Dexec.args="-cp %classpath dev.nautil.grammar.MaskBenchmark"}
 *
 * <p>{@link #mask}, {@link #maskPatternAndLength} and {@link #maskLearnt} give the distribution
 * over tokens: the 50th percentile is to be below 0.3 ms and the 99th below 3 ms. In the first two,
 * the grammar is compiled anew for each text, so that nothing has been learnt; {@link #firstMask}
 * is that compilation and one mask, to be below 100 ms.
 */
@Fork(1)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 3, time = 2)
@BenchmarkMode(Mode.SampleTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class MaskBenchmark {
  /** What a model has: made when it is opened. */
  @State(Scope.Benchmark)
  public static class Model {
    final Tokenizer tokenizer = GrammarMatcherTest.tekken();
    final GrammarVocabulary vocabulary = GrammarVocabulary.of(tokenizer);
    final long[] words = new long[(tokenizer.size() + 63) / 64];

    CompiledGrammar compile(Grammar grammar) {
      return new CompiledGrammar(grammar, vocabulary);
    }
  }

  /** A place in a text, which goes on by a token with each mask. */
  @State(Scope.Thread)
  public static class Walk {
    private final Grammar grammar;
    private final String text;
    private final boolean compileAnew;
    private CompiledGrammar compiled;
    private int[] tokens;
    private int at;
    GrammarMatcher matcher;

    public Walk() {
      this(JsonGrammars.person(), JsonGrammars.PERSON, false);
    }

    Walk(Grammar grammar, String text, boolean compileAnew) {
      this.grammar = grammar;
      this.text = text;
      this.compileAnew = compileAnew;
    }

    /** Goes past a token; outside of the time that is taken. */
    @Setup(Level.Invocation)
    public void next(Model model) {
      if (compiled == null || at == tokens.length) {
        at = 0;
        tokens = model.tokenizer.encode(text);
        compiled = compiled == null || compileAnew ? model.compile(grammar) : compiled;
        matcher = compiled.newMatcher();
      } else {
        matcher.accept(tokens[at++]);
      }
    }
  }

  /** With a grammar that is compiled anew for each text. */
  @State(Scope.Thread)
  public static class NewWalk extends Walk {
    public NewWalk() {
      super(JsonGrammars.person(), JsonGrammars.PERSON, true);
    }
  }

  /** The same, with strings that have to have a form and a length at once. */
  @State(Scope.Thread)
  public static class PatternWalk extends Walk {
    public PatternWalk() {
      super(JsonSchemaGrammar.compile(JsonGrammars.PATTERNS), JsonGrammars.PATTERNS_TEXT, true);
    }
  }

  @Benchmark
  public long[] mask(Model model, NewWalk walk) {
    walk.matcher.mask(model.words);
    return model.words;
  }

  @Benchmark
  public long[] maskPatternAndLength(Model model, PatternWalk walk) {
    walk.matcher.mask(model.words);
    return model.words;
  }

  @Benchmark
  public long[] maskLearnt(Model model, Walk walk) {
    walk.matcher.mask(model.words);
    return model.words;
  }

  @Benchmark
  public long[] firstMask(Model model) {
    model.compile(JsonGrammars.person()).newMatcher().mask(model.words);
    return model.words;
  }

  public static void main(String[] args) throws RunnerException {
    new Runner(new OptionsBuilder().include(MaskBenchmark.class.getName()).build()).run();
  }
}
