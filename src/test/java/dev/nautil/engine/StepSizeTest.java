package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** With machines whose speed is known. */
class StepSizeTest {
  private static final int BATCH = 512;

  /** A machine whose passes and tokens take a known time, and longer by a tenth or less. */
  private static final class Machine {
    final Random random = new Random(7);
    final StepSize stepSize;
    double pass;
    double token;
    double attention;
    double last;

    /**
     * @param pass seconds of a pass over the weights
     * @param token seconds that a token adds
     * @param attention seconds that it adds for each token before it
     */
    Machine(double pass, double token, double attention) {
      this.pass = pass;
      this.token = token;
      this.attention = attention;
      // The multiply-adds of attention that would cost as much, at the ratio that is assumed.
      stepSize = new StepSize(1_000_000_000, (long) (1e9 * attention / token / 2.8), BATCH);
    }

    /** One step of some generated tokens and of a prompt that fills it; gives the latter's part. */
    int step(double target, int rows, int depth, double slowness) {
      double work = rows * stepSize.work(depth);
      double seconds = pass + rows * (token + attention * depth);
      StepSize.Budget budget = stepSize.promptBudget(target, rows, work);
      int n = 0;
      for (double done = 0; budget.allows(n, done); n++) {
        done += stepSize.work(depth + n);
        work += stepSize.work(depth + n);
        seconds += token + attention * (depth + n);
      }
      last = seconds * slowness * (1 + 0.1 * random.nextDouble());
      stepSize.measured(rows + n, work, last);
      return n;
    }

    void generate(int steps) {
      for (int i = 0; i < steps; i++) {
        stepSize.measured(1, 1, (pass + token) * (1 + 0.1 * random.nextDouble()));
      }
    }
  }

  /** SmolLM2 and Nemo's shape on two cores; SmolLM2 on others, faster and slower. */
  @ParameterizedTest
  @CsvSource({
    "0.009, 0.0013, 9e-7, 0.3",
    "0.2, 0.033, 2.5e-6, 1.2",
    "0.001, 0.0001, 9e-8, 0.3",
    "0.03, 0.006, 4e-6, 0.3"
  })
  void stepsTakeTheTimeThatTheyMay(double pass, double token, double attention, double bound) {
    Machine machine = new Machine(pass, token, attention);
    machine.generate(3);
    for (int rows : new int[] {1, 4, 8}) {
      for (int i = 0; i < 40; i++) {
        int n = machine.step(machine.stepSize.sharedSeconds(), rows, i * 100, 1);
        assertTrue(n >= 2 && n + rows <= BATCH);
        // Two tokens are read in any case.
        double least = 1.1 * (pass + (rows + 2) * (token + attention * (i * 100 + 2)));
        assertTrue(machine.last < Math.max(bound, least), machine.last + " s");
      }
    }
  }

  @Test
  void stepsFillTheirTimeAfterAFew() {
    Machine machine = new Machine(0.2, 0.033, 2.5e-6);
    machine.generate(5);
    for (int i = 0; i < 5; i++) {
      machine.step(machine.stepSize.sharedSeconds(), 1, 0, 1);
    }
    assertTrue(machine.last > 0.7 * machine.stepSize.sharedSeconds(), machine.last + " s");
    assertTrue(machine.last < 1.2 * machine.stepSize.sharedSeconds(), machine.last + " s");
  }

  @Test
  void theFirstStepIsSmall() {
    assertEquals(16, new Machine(1, 1, 1e-4).step(0.15, 0, 0, 1));
    Machine generating = new Machine(1, 1, 1e-4);
    generating.generate(3);
    assertTrue(generating.step(0.15, 1, 0, 1) <= 16);
  }

  /** What is behind many tokens takes longer, and is known to before it is tried. */
  @Test
  void deepStepsAreSmaller() {
    Machine machine = new Machine(0.009, 0.0013, 9e-7);
    for (int i = 0; i < 20; i++) {
      machine.step(0.15, 1, 0, 1);
    }
    int shallow = machine.step(0.15, 1, 0, 1);
    int deep = machine.step(0.15, 1, 8000, 1);
    assertTrue(deep < shallow / 4 && deep > shallow / 10, shallow + " and " + deep);
    assertTrue(machine.last < 0.2, machine.last + " s");
  }

  @Test
  void aPauseIsNotTakenForTheMachine() {
    Machine machine = new Machine(0.009, 0.0013, 9e-7);
    for (int i = 0; i < 20; i++) {
      machine.step(0.15, 1, 0, 1);
    }
    int before = machine.step(0.15, 1, 0, 1);
    machine.step(0.15, 1, 0, 30);
    assertEquals(before, machine.step(0.15, 1, 0, 1), before * 0.15);
  }

  @Test
  void followsAMachineThatSlowsDown() {
    Machine machine = new Machine(0.009, 0.0013, 9e-7);
    for (int i = 0; i < 20; i++) {
      machine.step(0.15, 1, 0, 1);
    }
    for (int i = 0; i < 8; i++) {
      machine.step(0.15, 1, 0, 3);
    }
    assertTrue(machine.last < 0.3, machine.last + " s");
    for (int i = 0; i < 100; i++) {
      machine.step(0.15, 1, 0, 3);
    }
    assertTrue(machine.last > 0.1 && machine.last < 0.19, machine.last + " s");
  }
}
