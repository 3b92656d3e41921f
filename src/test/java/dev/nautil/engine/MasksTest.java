package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.KvCacheType;
import dev.nautil.Sampling;
import dev.nautil.TestModels;
import dev.nautil.grammar.Grammar;
import dev.nautil.grammar.GrammarMatcher;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.NativeContext;
import dev.nautil.internal.SamplingRow;
import java.nio.LongBuffer;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class MasksTest {
  /** As where a container's limit on threads is reached. */
  @Test
  void withoutThreadsTheyAreComputedAllTheSame() throws Masks.Failed {
    try (LoadedModel model =
        LoadedModel.open(
            TestModels.path("tiny-Q8_0.gguf"), false, 0, ContextParams.DEFAULT, null, null)) {
      int words = (model.model().info().vocabularySize() + 63) / 64;
      Masks masks =
          new Masks(
              words,
              task -> {
                throw new OutOfMemoryError("unable to create native thread");
              });
      GrammarMatcher matcher = model.grammars().newMatcher("digits", () -> Grammar.regex("[0-9]+"));
      long[] expected = new long[words];
      matcher.mask(expected);
      int[] prompt = {1};
      SamplingRow sampling = new SamplingRow(Sampling.greedy(), 0, prompt, null, new int[0]);
      Generation generation =
          new Generation(
              new GenerationRequest(prompt, sampling, -1, matcher, 1, token -> false), any -> {});
      masks.begin(generation);
      LongBuffer joined = masks.join(List.of(generation));
      assertNotNull(joined);
      long[] actual = new long[words];
      joined.get(actual);
      assertArrayEquals(expected, actual);
    }
  }

  /** Each step waits for its mask, and the mask for the step to have begun. */
  @Test
  void theyAreComputedWhileTheStepDecodes() throws InterruptedException {
    Semaphore decoding = new Semaphore(0);
    Semaphore computed = new Semaphore(0);
    ExecutorService workers = Executors.newSingleThreadExecutor();
    try (LoadedModel model =
        LoadedModel.open(
            TestModels.path("tiny-Q8_0.gguf"), false, 0, ContextParams.DEFAULT, null, null)) {
      ContextParams params = new ContextParams(64, 2, 0, false, false, KvCacheType.F16, true);
      NativeContext context = model.newContext(params);
      try (Engine engine =
          new Engine(
              context,
              model.model().info(),
              0,
              (tokens, sequences, positions, want, cancel) -> {
                decoding.release();
                if (!await(computed)) {
                  throw new IllegalStateException("one of step and mask began after the other");
                }
                context.decode(tokens, sequences, positions, want, cancel);
              },
              mask ->
                  workers.execute(
                      () -> {
                        boolean isDecoding = await(decoding);
                        // In either case, since the engine waits for it.
                        mask.run();
                        if (isDecoding) {
                          computed.release();
                        }
                      }))) {
        GrammarMatcher matcher =
            model.grammars().newMatcher("digits", () -> Grammar.regex("[0-9]{8}"));
        int[] prompt = {1, 2, 3};
        SamplingRow sampling = new SamplingRow(Sampling.greedy(), 0, prompt, null, new int[0]);
        Outcome outcome =
            Outcome.read(
                engine.submit(
                    new GenerationRequest(prompt, sampling, -1, matcher, 8, token -> false)));
        String text = model.tokenizer().decode(outcome.ids());
        assertTrue(text.matches("[0-9]{1,8}"), text);
        assertTrue(outcome.ids().length > 1, "more steps than that of the prompt");
      }
    } finally {
      workers.shutdownNow();
    }
  }

  private static boolean await(Semaphore other) {
    try {
      return other.tryAcquire(20, TimeUnit.SECONDS);
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }
}
