package dev.nautil.engine;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How much a step may do, learned from the time that steps took on this machine.
 *
 * <p>The model of a step is a line: seconds = pass + unit · work. A pass over the weights takes its
 * time however few tokens there are; a token costs a unit of work, and more the more tokens are
 * before it. The line is fitted by least squares, to relative errors, through one point for each
 * power of two of tokens: the median by speed of the last steps of that size, so that neither a
 * pause nor the first step's page faults count. A size counts the less the longer it was not seen,
 * so that the line follows a machine that has become slower.
 *
 * <p>Not thread-safe.
 */
final class StepSize {
  /**
   * A step that others' next tokens wait for takes as long as this many passes: a third of it is
   * then the price of the smaller step. Never less or more than the bounds below, a third and a
   * half of what a reader notices as a halt with a small model, and with a large one.
   */
  private static final double PASSES = 3;

  private static final double LEAST_SECONDS = 0.1;
  private static final double MOST_SECONDS = 0.7;

  /** Where nobody waits for a token, a step takes so many times as long: it costs 10 % then. */
  private static final double ALONE = 4;

  /**
   * Tokens of prompts in a step at least: prompts go on, however slow the machine is. With all of
   * Nemo on two AVX2 cores, others' next tokens take 1.1 s at most beside 2, 1.2 s beside 4, 1.4 s
   * beside 8.
   */
  static final int LEAST_TOKENS = 2;

  /** The first step's tokens, and by how much a step may exceed those that were measured. */
  private static final int FIRST_TOKENS = 16;

  private static final int GROWTH = 4;

  /**
   * Multiply-adds of weights in the time of one of attention: measured with SmolLM2, whose tokens
   * cost twice as much behind 1,400 others.
   */
  private static final double ATTENTION_COST = 2.8;

  /** Larger steps after which what was measured counts half, and after which not at all. */
  private static final double HALF_LIFE = 16;

  private static final long FORGOTTEN = 64;

  /** Tokens of a step whose time is that of the pass for the most part. */
  private static final int FEW_TOKENS = 3;

  private static final int KEPT = 3;

  private record Step(double work, double seconds, long number) {
    double secondsPerWork() {
      return seconds / work;
    }
  }

  private final double workPerPosition;
  private final int batchSize;

  /** The last steps, by the logarithm of their tokens. */
  private final List<List<Step>> steps = new ArrayList<>();

  private int largest;

  /** Steps so far of more than few tokens: those of one token each, which are many, age nothing. */
  private long number;

  /** Seconds, as the line has it. */
  private double pass;

  /** Seconds that a step of few tokens took; 0 while there was none. */
  private double fewSeconds;

  /** Seconds; 0 while nothing was measured. */
  private double unit;

  /**
   * @param parameters of the model
   * @param attention multiply-adds of attention that a token takes for each one before it
   * @param batchSize tokens of a step at most
   */
  StepSize(long parameters, long attention, int batchSize) {
    workPerPosition = ATTENTION_COST * attention / parameters;
    this.batchSize = batchSize;
  }

  /** The work that a token at a position is, in tokens at position 0. */
  double work(int position) {
    return 1 + workPerPosition * position;
  }

  /**
   * Seconds that a step should take at most while others wait for their next tokens. A pass that
   * was not measured by itself does not count: the line's beginning is uncertain where all steps
   * are large.
   */
  double sharedSeconds() {
    return seconds(Math.min(pass, fewSeconds));
  }

  /** Seconds that a step should take at most while there is nobody else. */
  double aloneSeconds() {
    return ALONE * seconds(pass);
  }

  private static double seconds(double pass) {
    return Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, PASSES * pass));
  }

  /** Seconds that so much work is expected to take; 0 while nothing was measured. */
  double expectedSeconds(double work) {
    return unit == 0 ? 0 : pass + unit * work;
  }

  /**
   * What a step may take of prompts.
   *
   * @param tokens at most
   * @param work at most, except that {@link #LEAST_TOKENS} are always taken
   */
  record Budget(int tokens, double work) {
    boolean allows(int taken, double done) {
      return taken < tokens && (done < work || taken < LEAST_TOKENS);
    }
  }

  /**
   * What a step may take of prompts beside other work.
   *
   * @param seconds that the step should take
   * @param tokens of that other work
   * @param work of those tokens
   */
  Budget promptBudget(double seconds, int tokens, double work) {
    int room = Math.max(1, batchSize - tokens);
    if (unit == 0) {
      return new Budget(Math.min(room, FIRST_TOKENS), FIRST_TOKENS);
    }
    // Also where only single tokens were measured: those cost no less apiece than many do.
    int known = Math.max(FIRST_TOKENS, GROWTH * largest);
    return new Budget(Math.min(room, known), (seconds - pass) / unit - work);
  }

  /** Notes what a step took. */
  void measured(int tokens, double work, double seconds) {
    if (tokens > FEW_TOKENS) {
      number++;
    }
    largest = Math.max(largest, tokens);
    int size = 31 - Integer.numberOfLeadingZeros(tokens);
    while (steps.size() <= size) {
      steps.add(new ArrayList<>());
    }
    List<Step> same = steps.get(size);
    if (same.size() == KEPT) {
      same.remove(0);
    }
    same.add(new Step(work, seconds, number));
    if (tokens <= FEW_TOKENS) {
      fewSeconds = median(same).seconds;
    }
    steps.forEach(kept -> kept.removeIf(step -> number - step.number > FORGOTTEN));
    fit();
  }

  private static Step median(List<Step> steps) {
    Step[] sorted = steps.toArray(Step[]::new);
    Arrays.sort(sorted, (a, b) -> Double.compare(a.secondsPerWork(), b.secondsPerWork()));
    // Of two the faster one: the slower may be the first of all, which reads the file.
    return sorted[(sorted.length - 1) / 2];
  }

  private void fit() {
    double s = 0;
    double sx = 0;
    double sy = 0;
    double sxx = 0;
    double sxy = 0;
    double fastest = Double.MAX_VALUE;
    for (List<Step> same : steps) {
      if (same.isEmpty()) {
        continue;
      }
      Step step = median(same);
      long age = number - same.get(same.size() - 1).number;
      double weight = Math.pow(0.5, age / HALF_LIFE) / (step.seconds * step.seconds);
      s += weight;
      sx += weight * step.work;
      sy += weight * step.seconds;
      sxx += weight * step.work * step.work;
      sxy += weight * step.work * step.seconds;
      fastest = Math.min(fastest, step.secondsPerWork());
    }
    double spread = s * sxx - sx * sx;
    // With one size, or all alike, the weights' reading cannot be told from the tokens' cost: all
    // is put down to the tokens, which makes the next step too short rather than too long.
    boolean line = spread > 1e-6 * s * sxx;
    unit = line ? (s * sxy - sx * sy) / spread : sxy / sxx;
    pass = line ? (sy - unit * sx) / s : 0;
    if (pass < 0) {
      pass = 0;
      unit = sxy / sxx;
    } else if (unit < fastest / 2) {
      // Small steps that were slow by chance: a token costs something in any case.
      unit = fastest / 2;
      pass = Math.max(0, (sy - unit * sx) / s);
    }
  }
}
