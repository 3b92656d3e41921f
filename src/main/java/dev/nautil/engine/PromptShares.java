package dev.nautil.engine;

import java.util.List;

/**
 * Divides what a step may take of prompts among them: each gets the same number of tokens, and what
 * a short one leaves goes to the others. So no prompt waits for another's end, and one among
 * <i>k</i> is read in at most <i>k</i> times the time that it would take alone.
 */
final class PromptShares {
  /** Tokens that a prompt gets at a time: the columns that a kernel multiplies at once. */
  private static final int QUANTUM = 16;

  private PromptShares() {}

  /**
   * How many tokens each prompt gets.
   *
   * @param prompts generations whose prompts are not done
   * @param first the one of them that begins: another in each step, so that where there are fewer
   *     tokens than prompts, each has its turn
   */
  static int[] divide(
      List<Generation> prompts, int first, StepSize.Budget budget, StepSize stepSize) {
    int[] shares = new int[prompts.size()];
    int taken = 0;
    double work = 0;
    boolean more = !prompts.isEmpty();
    while (more) {
      more = false;
      for (int i = 0; i < shares.length; i++) {
        int which = (first + i) % shares.length;
        Generation generation = prompts.get(which);
        int left = generation.promptLeft() - shares[which];
        for (int n = 0; n < Math.min(left, QUANTUM) && budget.allows(taken, work); n++) {
          work += stepSize.work(generation.promptDone + shares[which]);
          shares[which]++;
          taken++;
          more = true;
        }
      }
    }
    return shares;
  }
}
