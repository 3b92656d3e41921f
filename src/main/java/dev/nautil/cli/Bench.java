package dev.nautil.cli;

import dev.nautil.KvCacheType;
import dev.nautil.OperationProfile;
import dev.nautil.engine.LoadedModel;
import dev.nautil.internal.ContextInfo;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.Native;
import dev.nautil.internal.NativeContext;
import java.util.Arrays;
import java.util.List;
import java.util.function.Consumer;

/**
 * Measures how fast a model reads prompts and generates.
 *
 * <p>Sequence 0 holds the tokens that tests at a depth come after. For each repetition the
 * sequences of the test begin anew: they share those tokens, or, where the plan says so, hold them
 * each on their own, which takes as many times as long to fill. The tokens are arbitrary: speed
 * does not depend on them.
 */
final class Bench implements AutoCloseable {
  /**
   * What is measured.
   *
   * @param prompt tokens that a prefill reads; 0: none is measured
   * @param generate tokens that a decode generates in each sequence; 0: none is measured
   * @param batches numbers of sequences
   * @param depths tokens before the test's own
   * @param shared whether the sequences of a batch share the tokens before
   */
  record Plan(
      int prompt,
      int generate,
      List<Integer> batches,
      List<Integer> depths,
      int repetitions,
      boolean shared) {
    int maxBatch() {
      return batches.stream().mapToInt(Integer::intValue).max().orElse(1);
    }

    int maxDepth() {
      return depths.stream().mapToInt(Integer::intValue).max().orElse(0);
    }

    int tests() {
      return depths.size() * ((prompt > 0 ? 1 : 0) + (generate > 0 ? batches.size() : 0));
    }
  }

  /**
   * A test's result: the median over the repetitions.
   *
   * @param tokens of each sequence
   */
  record Row(
      String test,
      int tokens,
      int batch,
      int depth,
      double tokensPerSecond,
      double gigabytesPerSecond,
      double limitFraction) {}

  /**
   * Memory when a test was done.
   *
   * @param anonymous resident memory of the process that no file backs, Java's included
   * @param kv bytes of the KV cache
   */
  record Memory(long anonymous, long kv) {}

  /** Of the KV cache, as the core hands it out. */
  private static final int PAGE_TOKENS = 64;

  private final Plan plan;
  private final NativeContext context;
  private final Work.Costs costs;
  private final Work.Limits limits;
  private final int vocabulary;
  private Memory memory = new Memory(0, 0);
  private int nextToken;

  /**
   * @param params of {@link #contextParams}
   */
  Bench(LoadedModel model, Plan plan, ContextParams params, Work.Limits limits) {
    this.plan = plan;
    this.limits = limits;
    vocabulary = model.model().info().vocabularySize();
    context = model.newContext(params);
    ContextInfo info = context.info();
    costs = Work.Costs.of(model, info.kvBytesPerToken(), info.batchSize());
  }

  /** The context that a plan takes. */
  static ContextParams contextParams(Plan plan, KvCacheType kvType, boolean overcommit) {
    // One more for the step of the warm-up. Whole pages, so that each sequence finds room for its
    // last one.
    int tokens = plan.maxDepth() + Math.max(plan.prompt, plan.generate) + 1;
    int length = (tokens + PAGE_TOKENS - 1) / PAGE_TOKENS * PAGE_TOKENS;
    // Each sequence of a test, and the one that they begin with.
    int sequences = plan.maxBatch() + 1;
    return new ContextParams(length, sequences, 0, false, overcommit, kvType, true);
  }

  /**
   * Runs the plan.
   *
   * @param done told each result as it is there
   */
  void run(Consumer<Row> done) {
    warmUp();
    for (int depth : plan.depths.stream().sorted().toList()) {
      if (plan.shared) {
        fill(0, depth);
      }
      if (plan.prompt > 0) {
        done.accept(prefill(depth));
      }
      for (int batch : plan.generate > 0 ? plan.batches : List.<Integer>of()) {
        done.accept(decode(batch, depth));
      }
    }
  }

  /** Where the time of all tests went, what they needed beforehand included. */
  List<OperationProfile> profile() {
    return context.profile();
  }

  /** Of the test that took the most memory beside the KV cache. */
  Memory memory() {
    return memory;
  }

  private void warmUp() {
    fill(1, Math.max(1, Math.min(plan.prompt, costs.passTokens())));
    step(plan.maxBatch());
    for (int sequence = 1; sequence <= plan.maxBatch(); sequence++) {
      context.truncate(sequence, 0);
    }
  }

  private Row prefill(int depth) {
    double seconds = median(1, depth, () -> fill(1, depth + plan.prompt));
    return row("prefill", plan.prompt, 1, depth, costs.prefill(plan.prompt, depth), seconds);
  }

  private Row decode(int batch, int depth) {
    double seconds =
        median(
            batch,
            depth,
            () -> {
              for (int i = 0; i < plan.generate; i++) {
                step(batch);
              }
            });
    Work work = costs.decode(plan.generate, batch, depth, plan.shared);
    return row("decode", plan.generate, batch, depth, work, seconds);
  }

  private Row row(String test, int tokens, int batch, int depth, Work work, double seconds) {
    double rate = work.tokens() / seconds;
    return new Row(
        test,
        tokens,
        batch,
        depth,
        rate,
        work.bytes() / seconds / 1e9,
        rate / limits.tokensPerSecond(work));
  }

  /** Seconds that a test takes on sequences 1 to {@code batch}, which begin at a depth. */
  private double median(int batch, int depth, Runnable test) {
    double[] seconds = new double[plan.repetitions];
    for (int i = 0; i < seconds.length; i++) {
      for (int sequence = 1; sequence <= batch; sequence++) {
        begin(sequence, depth);
      }
      long start = System.nanoTime();
      test.run();
      seconds[i] = (System.nanoTime() - start) / 1e9;
      measureMemory();
    }
    Arrays.sort(seconds);
    int middle = seconds.length / 2;
    return seconds.length % 2 == 1 ? seconds[middle] : (seconds[middle - 1] + seconds[middle]) / 2;
  }

  private void begin(int sequence, int depth) {
    if (plan.shared) {
      context.truncate(sequence, 0);
      context.fork(0, sequence, depth);
    } else {
      context.truncate(sequence, depth);
      fill(sequence, depth);
    }
  }

  private void measureMemory() {
    Memory now = new Memory(Native.anonymousMemory(), context.info().kvBytes());
    if (now.anonymous - now.kv > memory.anonymous - memory.kv) {
      memory = now;
    }
  }

  /** Reads a prompt into a sequence until it has a length. */
  private void fill(int sequence, int length) {
    int start = context.sequenceLength(sequence);
    int n = length - start;
    if (n <= 0) {
      return;
    }
    int[] tokens = new int[n];
    int[] sequences = new int[n];
    int[] positions = new int[n];
    byte[] wantsLogits = new byte[n];
    Arrays.setAll(tokens, i -> token());
    Arrays.fill(sequences, sequence);
    Arrays.setAll(positions, i -> start + i);
    wantsLogits[n - 1] = 1;
    context.decode(tokens, sequences, positions, wantsLogits, null);
  }

  /** Decodes a token in each of sequences 1 to {@code batch}. */
  private void step(int batch) {
    int[] tokens = new int[batch];
    int[] sequences = new int[batch];
    byte[] wantsLogits = new byte[batch];
    Arrays.setAll(tokens, i -> token());
    Arrays.setAll(sequences, i -> i + 1);
    Arrays.fill(wantsLogits, (byte) 1);
    int[] positions = Arrays.stream(sequences).map(context::sequenceLength).toArray();
    context.decode(tokens, sequences, positions, wantsLogits, null);
  }

  /** Tokens that are far from each other, so that each has its own row of embeddings. */
  private int token() {
    nextToken = (int) ((nextToken + 7919L) % vocabulary);
    return nextToken;
  }

  @Override
  public void close() {
    context.close();
  }
}
