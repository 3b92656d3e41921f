package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class PromptSharesTest {
  private static final StepSize NO_DEPTH = new StepSize(1, 0, 512);

  private static List<Generation> prompts(int... lengths) {
    List<Generation> prompts = new ArrayList<>();
    for (int length : lengths) {
      prompts.add(new Generation(TestRequests.greedy(new int[length], 1), generation -> {}));
    }
    return prompts;
  }

  private static int[] divide(int first, int tokens, int... lengths) {
    StepSize.Budget budget = new StepSize.Budget(512, tokens);
    return PromptShares.divide(prompts(lengths), first, budget, NO_DEPTH);
  }

  @Test
  void longOnesShareEvenly() {
    assertArrayEquals(new int[] {32, 32, 32}, divide(0, 96, 1000, 5000, 200));
    assertArrayEquals(new int[] {100}, divide(0, 100, 4000));
  }

  @Test
  void whatAShortOneLeavesGoesToTheOthers() {
    assertArrayEquals(new int[] {3, 48, 45}, divide(0, 96, 3, 4000, 4000));
    assertArrayEquals(new int[] {3, 4}, divide(0, 96, 3, 4));
  }

  /** The first changes from step to step. */
  @Test
  void nobodyStarvesWhereThereAreFewerTokensThanPrompts() {
    int[] sums = new int[5];
    for (int step = 0; step < 50; step++) {
      int[] shares = divide(step % 5, 1, 1000, 1000, 1000, 1000, 1000);
      Arrays.setAll(sums, i -> sums[i] + shares[i]);
    }
    int each = 50 * StepSize.LEAST_TOKENS / 5;
    assertArrayEquals(new int[] {each, each, each, each, each}, sums);
  }

  @Test
  void deepTokensAreFewer() {
    StepSize steep = new StepSize(28_000, 1, 512);
    List<Generation> prompts = prompts(9000);
    int atStart = PromptShares.divide(prompts, 0, new StepSize.Budget(512, 100), steep)[0];
    prompts.get(0).promptDone = 8000;
    int atEnd = PromptShares.divide(prompts, 0, new StepSize.Budget(512, 100), steep)[0];
    assertEquals(atStart, 1.8 * atEnd, 3);
  }
}
