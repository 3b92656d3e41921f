package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.internal.NativeContext;
import org.junit.jupiter.api.Test;

class RunningStepTest {
  private final RunningStep step = new RunningStep();

  private static Generation generation() {
    Generation generation = new Generation(TestRequests.greedy(new int[] {1}, 1), cancelled -> {});
    generation.slot = new Slot(0);
    return generation;
  }

  private static Batch batch(Generation... generations) {
    Batch batch = new Batch();
    for (Generation generation : generations) {
      batch.add(generation, 1, NativeContext.WANT_LOGITS);
    }
    return batch;
  }

  @Test
  void onlyALongStepThatGoesOnIsLonger() {
    assertFalse(step.isLongerThan(0));
    step.begin(batch(generation()), true, 60);
    assertTrue(step.isLongerThan(1));
    assertFalse(step.isLongerThan(61));
    step.end();
    assertFalse(step.isLongerThan(1));
    step.begin(batch(generation()), true, 0);
    assertFalse(step.isLongerThan(0), "it is due to end");
    step.begin(batch(generation()), false, 60);
    assertFalse(step.isLongerThan(1), "others wait for their tokens");
  }

  @Test
  void knowsForWhomItIs() {
    Generation first = generation();
    Generation second = generation();
    assertFalse(step.isOnlyFor(first));
    step.begin(batch(first), false, 1);
    assertTrue(step.isOnlyFor(first));
    assertFalse(step.isOnlyFor(second));
    step.begin(batch(first, second), false, 1);
    assertFalse(step.isOnlyFor(first));
    step.end();
    assertFalse(step.isOnlyFor(first));
  }
}
