package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.nautil.KvCacheType;
import dev.nautil.engine.Generation.Signal;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.NativeContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;

/** What became of a generation. */
record Outcome(List<Timed> tokens, List<Long> promptNanos, Signal.End end) {
  /** A token, and when it came. */
  record Timed(int token, long nanos) {}

  int[] ids() {
    return tokens.stream().mapToInt(Timed::token).toArray();
  }

  /** Reads a generation to its end, in a thread. */
  static CompletableFuture<Outcome> of(Generation generation) {
    CompletableFuture<Outcome> future = new CompletableFuture<>();
    Thread reader =
        new Thread(
            () -> {
              try {
                future.complete(read(generation));
              } catch (Throwable e) {
                future.completeExceptionally(e);
              }
            });
    reader.setDaemon(true);
    reader.start();
    return future;
  }

  static Outcome read(Generation generation) throws InterruptedException {
    List<Timed> tokens = new ArrayList<>();
    List<Long> promptNanos = new ArrayList<>();
    while (true) {
      Signal signal = generation.take();
      if (signal instanceof Signal.Token token) {
        tokens.add(new Timed(token.id(), System.nanoTime()));
      } else if (signal instanceof Signal.Prompt) {
        promptNanos.add(System.nanoTime());
      } else if (signal instanceof Signal.Failed failed) {
        throw new AssertionError(failed.cause());
      } else if (signal instanceof Signal.End end) {
        return new Outcome(tokens, promptNanos, end);
      }
    }
  }

  /**
   * The first token that differs must be as probable as the other; what follows is another text.
   */
  static void assertSameButForTies(LoadedModel model, int[] prompt, int[] expected, int[] actual) {
    assertEquals(expected.length, actual.length);
    int at = Arrays.mismatch(expected, actual);
    if (at < 0) {
      return;
    }
    int[] before = Arrays.copyOf(prompt, prompt.length + at);
    System.arraycopy(expected, 0, before, prompt.length, at);
    ContextParams params =
        new ContextParams(before.length, 1, 0, false, false, KvCacheType.F16, true);
    try (NativeContext context = model.newContext(params)) {
      byte[] wantLogits = new byte[before.length];
      wantLogits[before.length - 1] = 1;
      int[] positions = IntStream.range(0, before.length).toArray();
      context.decode(before, new int[before.length], positions, wantLogits, null);
      float[] logprobs = context.tokenLogprobs(new int[2], new int[] {expected[at], actual[at]});
      assertEquals(logprobs[0], logprobs[1], 0.02, "token " + at + ", in nats");
    }
  }
}
