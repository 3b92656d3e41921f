package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.nautil.Sampling;
import dev.nautil.TestModels;
import dev.nautil.grammar.Grammar;
import dev.nautil.grammar.GrammarMatcher;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.SamplingRow;
import java.nio.LongBuffer;
import java.util.List;
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
}
