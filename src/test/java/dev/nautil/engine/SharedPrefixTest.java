package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.Pooling;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SharedPrefixTest {
  private final Slot slot = new Slot(0);

  /** A prompt that has so many tokens in common with others, and then its own. */
  private static int[] prompt(int common, int own) {
    int[] prompt = new int[common + 50];
    Arrays.fill(prompt, common, prompt.length, own);
    return prompt;
  }

  private static Generation generation(int[] prompt) {
    return new Generation(TestRequests.greedy(prompt, 1), generation -> {});
  }

  private boolean waits(Generation generation, Generation... active) {
    return SharedPrefix.isBeingRead(generation, List.of(active), List.of(slot));
  }

  @Test
  void waitsUntilTheCommonPartIsRead() {
    Generation reader = generation(prompt(100, 1));
    Generation other = generation(prompt(100, 2));
    assertTrue(waits(other, reader));
    reader.promptDone = 99;
    assertTrue(waits(other, reader));
    reader.promptDone = 100;
    Arrays.stream(prompt(100, 1)).limit(100).forEach(slot::append);
    assertFalse(waits(other, reader));
  }

  @Test
  void doesNotWaitForLittle() {
    assertFalse(waits(generation(prompt(63, 2)), generation(prompt(63, 1))));
    assertTrue(waits(generation(prompt(64, 2)), generation(prompt(64, 1))));
    assertFalse(waits(generation(prompt(64, 2))));
  }

  @Test
  void doesNotWaitForWhatIsThereAlready() {
    Arrays.stream(prompt(100, 3)).limit(60).forEach(slot::append);
    assertFalse(waits(generation(prompt(100, 2)), generation(prompt(100, 1))));
  }

  @Test
  void waitsForTheLongestAndNoLongerThanItIsThere() {
    Generation brief = generation(prompt(100, 1));
    Generation reader = generation(prompt(200, 1));
    Generation other = generation(prompt(300, 2));
    assertTrue(waits(other, brief, reader));
    brief.promptDone = brief.request.prompt().length;
    assertTrue(waits(other, brief, reader));
    assertFalse(waits(other, brief), "the reader was cancelled");
  }

  /** Neither does it leave keys that others could use. */
  @Test
  void anEmbeddedTextDoesNotWait() {
    Generation embedded = Generation.embedding(prompt(100, 1), Pooling.MEAN, generation -> {});
    Generation generated = generation(prompt(100, 2));
    assertFalse(waits(embedded, generated));
    assertFalse(waits(generated, embedded));
  }
}
