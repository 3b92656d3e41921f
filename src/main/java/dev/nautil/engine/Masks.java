package dev.nautil.engine;

import dev.nautil.GrammarException;
import dev.nautil.grammar.GrammarMatcher;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Executor;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The tokens that generations may go on with, where grammars hold them: computed by workers while a
 * step decodes, and joined before it is sampled. The engine thread's alone.
 */
final class Masks {
  /** All models' own. */
  static final Executor WORKERS = newWorkers();

  private final int words;
  private final Executor workers;
  private @Nullable LongBuffer buffer;

  /**
   * @param words of a row: a bit for each token of the model's vocabulary
   */
  Masks(int words, Executor workers) {
    this.words = words;
    this.workers = workers;
  }

  private static ThreadPoolExecutor newWorkers() {
    int threads = Runtime.getRuntime().availableProcessors();
    ThreadPoolExecutor workers =
        new ThreadPoolExecutor(
            threads,
            threads,
            10,
            TimeUnit.SECONDS,
            new LinkedBlockingQueue<>(),
            task -> {
              Thread thread = new Thread(task, "nautil-masks");
              thread.setDaemon(true);
              return thread;
            });
    workers.allowCoreThreadTimeOut(true);
    return workers;
  }

  /** Begins to compute the mask of a generation's next token, if a grammar holds it. */
  void begin(Generation generation) {
    GrammarMatcher matcher = generation.request.matcher();
    if (matcher != null && generation.mask == null) {
      FutureTask<long[]> mask = new FutureTask<>(() -> maskOf(matcher));
      generation.mask = mask;
      try {
        workers.execute(mask);
      } catch (OutOfMemoryError e) {
        // The system may give no more threads: then it is computed here, before the step.
        mask.run();
      }
    }
  }

  private long[] maskOf(GrammarMatcher matcher) {
    long[] mask = new long[words];
    matcher.mask(mask);
    if (Arrays.stream(mask).allMatch(word -> word == 0)) {
      throw new GrammarException(
          "no token of this model's vocabulary goes on as the grammar wants it");
    }
    return mask;
  }

  /**
   * Waits for the masks of generations.
   *
   * @return one after another, all bits set where there is no grammar; null if there is none at all
   * @throws Failed if one could not be computed
   */
  @Nullable LongBuffer join(List<Generation> generations) throws Failed {
    if (generations.stream().allMatch(generation -> generation.mask == null)) {
      return null;
    }
    LongBuffer all = room(generations.size());
    for (Generation generation : generations) {
      all.put(generation.mask == null ? everything() : wait(generation, generation.mask));
    }
    return all.flip();
  }

  private LongBuffer room(int rows) {
    if (buffer == null || buffer.capacity() < rows * words) {
      ByteBuffer memory = ByteBuffer.allocateDirect(Math.multiplyExact(rows, words * Long.BYTES));
      buffer = memory.order(ByteOrder.nativeOrder()).asLongBuffer();
    }
    return buffer.clear();
  }

  private long[] everything() {
    long[] all = new long[words];
    Arrays.fill(all, -1);
    return all;
  }

  private static long[] wait(Generation generation, Future<long[]> mask) throws Failed {
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return mask.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      throw new Failed(generation, e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }

  /** A mask could not be computed, which is the end of its generation alone. */
  static final class Failed extends Exception {
    private static final long serialVersionUID = 1;

    final transient Generation generation;

    Failed(Generation generation, Throwable cause) {
      super(cause);
      this.generation = generation;
    }
  }
}
