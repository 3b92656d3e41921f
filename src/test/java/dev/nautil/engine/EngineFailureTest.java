package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.ContextFullException;
import dev.nautil.FinishReason;
import dev.nautil.KvCacheType;
import dev.nautil.NotEnoughMemoryException;
import dev.nautil.Sampling;
import dev.nautil.TestModels;
import dev.nautil.engine.Generation.Signal;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.NativeContext;
import dev.nautil.internal.SamplingRow;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.function.Executable;

/** Steps that fail: they take along no generation that could go on. */
@Timeout(60)
class EngineFailureTest {
  private static LoadedModel model;
  private Engine engine;

  /** Decodes as the context does, or fails. */
  private interface Decoding {
    void decode(NativeContext context, int[] sequences, Runnable decode);
  }

  @BeforeAll
  static void open() {
    model =
        LoadedModel.open(
            TestModels.path("tiny-Q8_0.gguf"), false, 0, ContextParams.DEFAULT, null, null);
  }

  @AfterAll
  static void closeModel() {
    model.close();
  }

  @AfterEach
  void close() {
    engine.close();
  }

  private Engine newEngine(Decoding decoding) {
    return newEngine(1024, 0, decoding);
  }

  private Engine newEngine(int contextLength, long capacity, Decoding decoding) {
    NativeContext context =
        model.newContext(
            new ContextParams(contextLength, 17, 0, false, false, KvCacheType.F16, true, capacity));
    return new Engine(
        context,
        model.model().info(),
        1024,
        (tokens, sequences, positions, want, cancel) ->
            decoding.decode(
                context,
                sequences,
                () -> context.decode(tokens, sequences, positions, want, cancel)));
  }

  private static int[] random(int seed, int length) {
    return new Random(seed).ints(length, 10, 250).toArray();
  }

  private List<int[]> eachAlone(List<int[]> prompts, int tokens) throws InterruptedException {
    engine = newEngine((context, sequences, decode) -> decode.run());
    List<int[]> alone = new ArrayList<>();
    for (int[] prompt : prompts) {
      alone.add(Outcome.read(engine.submit(TestRequests.greedy(prompt, tokens))).ids());
    }
    engine.close();
    return alone;
  }

  private static void awaitToken(Generation generation) throws InterruptedException {
    while (!(generation.take() instanceof Signal.Token)) {
      // It reads its prompt.
    }
  }

  private static Throwable failure(CompletableFuture<Outcome> outcome) {
    return assertThrows(Exception.class, outcome::get).getCause().getCause();
  }

  /** There is memory for two at a time. */
  @Test
  void withoutMemoryForAllTheLastOnesWait() throws InterruptedException {
    List<int[]> prompts = IntStream.range(0, 6).mapToObj(i -> random(i, 100 + 7 * i)).toList();
    List<int[]> alone = eachAlone(prompts, 30);
    AtomicInteger failed = new AtomicInteger();
    engine =
        newEngine(
            (context, sequences, decode) -> {
              if (Arrays.stream(sequences).distinct().count() > 2) {
                failed.incrementAndGet();
                throw new NotEnoughMemoryException("of the test");
              }
              decode.run();
            });
    List<CompletableFuture<Outcome>> together =
        prompts.stream()
            .map(prompt -> Outcome.of(engine.submit(TestRequests.greedy(prompt, 30))))
            .toList();
    for (int i = 0; i < prompts.size(); i++) {
      Outcome outcome = together.get(i).join();
      assertEquals(FinishReason.MAX_TOKENS, outcome.end().reason());
      Outcome.assertSameButForTies(model, prompts.get(i), alone.get(i), outcome.ids());
    }
    assertTrue(failed.get() >= 4, failed + " steps failed");
  }

  /** What others left in the cache, and the others themselves, give way before. */
  @Test
  void onlyOneThatIsAloneFailsForWantOfMemory() throws InterruptedException {
    List<int[]> small = IntStream.range(0, 4).mapToObj(i -> random(i, 70)).toList();
    List<int[]> alone = eachAlone(small, 20);
    AtomicBoolean full = new AtomicBoolean();
    engine =
        newEngine(
            (context, sequences, decode) -> {
              boolean large =
                  Arrays.stream(sequences).anyMatch(s -> context.sequenceLength(s) >= 300);
              if (full.get() && large) {
                throw new NotEnoughMemoryException("of the test");
              }
              decode.run();
            });
    Generation large = engine.submit(TestRequests.greedy(random(9, 300), 600));
    awaitToken(large);
    List<CompletableFuture<Outcome>> others =
        small.stream()
            .map(prompt -> Outcome.of(engine.submit(TestRequests.greedy(prompt, 20))))
            .toList();
    full.set(true);
    Throwable cause = assertThrows(AssertionError.class, () -> Outcome.read(large)).getCause();
    assertEquals("of the test", cause.getMessage());
    assertEquals(NotEnoughMemoryException.class, cause.getClass());
    for (int i = 0; i < small.size(); i++) {
      Outcome outcome = others.get(i).join();
      Outcome.assertSameButForTies(model, small.get(i), alone.get(i), outcome.ids());
    }
  }

  /** After it was decoded, say: the slots' tokens are fewer than the sequences'. */
  @Test
  void aFullHeapFailsThoseInTheStepAlone() throws InterruptedException {
    List<int[]> prompts = IntStream.range(0, 3).mapToObj(i -> random(i, 90)).toList();
    List<int[]> alone = eachAlone(prompts, 20);
    Error error = new OutOfMemoryError("of the test");
    AtomicBoolean full = new AtomicBoolean();
    engine =
        newEngine(
            (context, sequences, decode) -> {
              decode.run();
              if (full.getAndSet(false)) {
                throw error;
              }
            });
    List<Generation> running = new ArrayList<>();
    for (int[] prompt : prompts) {
      Generation generation = engine.submit(TestRequests.greedy(prompt, 800));
      awaitToken(generation);
      running.add(generation);
    }
    full.set(true);
    for (Generation generation : running) {
      AssertionError failed = assertThrows(AssertionError.class, () -> Outcome.read(generation));
      assertSame(error, failed.getCause());
    }
    for (int i = 0; i < prompts.size(); i++) {
      Outcome again = Outcome.read(engine.submit(TestRequests.greedy(prompts.get(i), 20)));
      Outcome.assertSameButForTies(model, prompts.get(i), alone.get(i), again.ids());
      assertEquals(89, again.end().cachedTokens());
    }
  }

  /** What it left in the cache, unknown to all, gives way to who comes next and needs all of it. */
  @Test
  void aStepThatFailedForWantOfHeapTakesNoRoom() throws InterruptedException {
    AtomicBoolean full = new AtomicBoolean();
    engine =
        newEngine(
            512,
            512,
            (context, sequences, decode) -> {
              decode.run();
              if (full.get() && context.sequenceLength(sequences[0]) >= 400) {
                full.set(false);
                throw new OutOfMemoryError("of the test");
              }
            });
    Outcome.read(engine.submit(TestRequests.greedy(random(1, 450), 1)));
    full.set(true);
    // Of 450 tokens, which are one step now.
    failure(Outcome.of(engine.submit(TestRequests.greedy(random(2, 450), 1))));
    Outcome next = Outcome.read(engine.submit(TestRequests.greedy(random(3, 450), 1)));
    assertEquals(FinishReason.MAX_TOKENS, next.end().reason());
  }

  /** Cancelled in the step that finds no room for it: it ends then, and not when there is room. */
  @Test
  void oneThatIsCancelledAsItIsPausedEnds() throws InterruptedException {
    AtomicReference<Generation> cancelled = new AtomicReference<>();
    engine =
        newEngine(
            (context, sequences, decode) -> {
              Generation last = cancelled.getAndSet(null);
              if (last != null) {
                last.cancel();
                throw new ContextFullException("of the test", 0, 0, 0);
              }
              decode.run();
            });
    CompletableFuture<Outcome> first =
        Outcome.of(engine.submit(TestRequests.greedy(random(1, 50), 900)));
    Generation second = engine.submit(TestRequests.greedy(random(2, 50), 900));
    awaitToken(second);
    cancelled.set(second);
    assertEquals(FinishReason.CANCELLED, Outcome.read(second).end().reason());
    assertFalse(first.isDone());
  }

  /** A token that cannot be taken, and a prompt that cannot be one. */
  @Test
  void whatOneAloneDoesFailsItAlone() throws InterruptedException {
    List<int[]> prompts = List.of(random(1, 50));
    List<int[]> alone = eachAlone(prompts, 200);
    engine = newEngine((context, sequences, decode) -> decode.run());
    CompletableFuture<Outcome> other =
        Outcome.of(engine.submit(TestRequests.greedy(prompts.get(0), 200)));
    Error error = new StackOverflowError("of the test");
    int[] prompt = random(2, 50);
    SamplingRow sampling = new SamplingRow(Sampling.greedy(), 0, prompt, null, new int[0]);
    CompletableFuture<Outcome> fails =
        Outcome.of(
            engine.submit(
                new GenerationRequest(
                    prompt,
                    sampling,
                    -1,
                    null,
                    1,
                    token -> {
                      throw error;
                    })));
    assertSame(error, failure(fails));
    CompletableFuture<Outcome> empty =
        Outcome.of(engine.submit(TestRequests.greedy(new int[0], 1)));
    assertEquals(IllegalArgumentException.class, failure(empty).getClass());
    Outcome.assertSameButForTies(model, prompts.get(0), alone.get(0), other.join().ids());
  }

  /** What runs and what waits fails with it, and what comes later is told. */
  @Test
  void whatItsThreadFailedWithIsTold() {
    Error error = new LinkageError("of the test");
    AtomicBoolean fails = new AtomicBoolean();
    engine =
        newEngine(
            (context, sequences, decode) -> {
              if (fails.get()) {
                throw error;
              }
              decode.run();
            });
    List<CompletableFuture<Outcome>> outcomes =
        IntStream.range(0, Engine.PLACES + 3)
            .mapToObj(i -> Outcome.of(engine.submit(TestRequests.greedy(random(i, 20), 1000))))
            .toList();
    fails.set(true);
    outcomes.forEach(outcome -> assertSame(error, failure(outcome)));
    for (Executable call :
        List.<Executable>of(
            () -> engine.submit(TestRequests.greedy(random(1, 5), 1)), engine::requireOpen)) {
      IllegalStateException closed = assertThrows(IllegalStateException.class, call);
      assertEquals("this model is closed: its engine failed: " + error, closed.getMessage());
      assertSame(error, closed.getCause());
    }
  }
}
