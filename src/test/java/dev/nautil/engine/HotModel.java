package dev.nautil.engine;

import dev.nautil.FinishReason;
import dev.nautil.KvCacheType;
import dev.nautil.Sampling;
import dev.nautil.TestModels;
import dev.nautil.grammar.CompiledGrammar;
import dev.nautil.grammar.Grammar;
import dev.nautil.grammar.GrammarVocabulary;
import dev.nautil.grammar.TokenWalk;
import dev.nautil.internal.ContextParams;
import java.io.ByteArrayOutputStream;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;

/** A model of random weights with a large vocabulary, sampled at temperature 1.5. */
public final class HotModel implements AutoCloseable {
  private static final Sampling HOT = Sampling.neutral().withTemperature(1.5f);

  private final LoadedModel model =
      LoadedModel.open(
          TestModels.path("tekken-tiny.gguf"), false, 0, ContextParams.DEFAULT, null, null);
  private final GrammarVocabulary vocabulary = GrammarVocabulary.of(model.tokenizer());
  private final Engine engine;
  private final Random random;

  public HotModel(long seed) {
    random = new Random(seed);
    ContextParams params =
        new ContextParams(256, Engine.PLACES + 1, 0, false, false, KvCacheType.F16, true);
    engine = new Engine(model.newContext(params), model.model().info(), 0);
  }

  /** Texts of each grammar, generated together, of so many tokens at most. */
  public List<List<TokenWalk.Text>> write(List<Grammar> grammars, int texts, int tokens) {
    List<List<CompletableFuture<Outcome>>> running =
        grammars.stream()
            .map(grammar -> new CompiledGrammar(grammar, vocabulary))
            .map(grammar -> Stream.generate(() -> begin(grammar, tokens)).limit(texts).toList())
            .toList();
    return running.stream()
        .map(outcomes -> outcomes.stream().map(outcome -> text(outcome.join())).toList())
        .toList();
  }

  private CompletableFuture<Outcome> begin(CompiledGrammar grammar, int tokens) {
    int[] prompt = {1};
    Sampling sampling = HOT.withSeed(random.nextLong());
    return Outcome.of(
        engine.submit(
            new GenerationRequest(
                prompt,
                model.samplers().row(sampling, prompt),
                -1,
                grammar.newMatcher(),
                tokens,
                model.tokenizer()::isEndOfGeneration)));
  }

  private TokenWalk.Text text(Outcome outcome) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (int token : outcome.ids()) {
      text.writeBytes(model.tokenizer().piece(token));
    }
    return new TokenWalk.Text(text.toByteArray(), outcome.end().reason() == FinishReason.STOP);
  }

  @Override
  public void close() {
    engine.close();
    model.close();
  }
}
