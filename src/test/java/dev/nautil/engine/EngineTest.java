package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.BusyException;
import dev.nautil.FinishReason;
import dev.nautil.KvCacheType;
import dev.nautil.TestModels;
import dev.nautil.engine.Generation.Signal;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.NativeContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** With SmolLM2: many generations at once. */
@Timeout(120)
class EngineTest {
  private static final int PLACES = 16;
  private static final List<String> BEGINNINGS =
      List.of(
          "The capital of France is",
          "Once upon a time there was a king who",
          "Water boils at",
          "def fibonacci(n):",
          "The three laws of motion are",
          "My favourite animal is the elephant, because",
          "In 1969, the first man",
          "To bake bread, you need");

  private static LoadedModel model;
  private Engine engine;

  @BeforeAll
  static void open() {
    model = LoadedModel.open(TestModels.smolLm2(), false, 0, ContextParams.DEFAULT, null, null);
  }

  @AfterAll
  static void closeModel() {
    model.close();
  }

  @BeforeEach
  void start() {
    engine = newEngine(1024);
  }

  @AfterEach
  void close() {
    engine.close();
  }

  private static Engine newEngine(int maxWaiting) {
    return new Engine(newContext(PLACES + 1), model.model().info(), maxWaiting);
  }

  private static NativeContext newContext(int sequences) {
    return model.newContext(
        new ContextParams(8192, sequences, 0, false, false, KvCacheType.F16, true));
  }

  private static GenerationRequest request(int[] prompt, int tokens) {
    return TestRequests.greedy(prompt, tokens);
  }

  /** A prompt of random tokens, of which no two begin alike. */
  private static int[] random(int seed, int length) {
    return new Random(seed).ints(length, 1000, 40_000).toArray();
  }

  private static int[] prompt(int i) {
    String text = BEGINNINGS.get(i % BEGINNINGS.size());
    return model.tokenizer().encode(i < BEGINNINGS.size() ? text : "Chapter " + i + ". " + text);
  }

  private List<Outcome> together(List<int[]> prompts, int tokens) {
    return prompts.stream()
        .map(prompt -> Outcome.of(engine.submit(request(prompt, tokens))))
        .toList()
        .stream()
        .map(CompletableFuture::join)
        .toList();
  }

  /** Reads until a generation has said some tokens. */
  private static void awaitTokens(Generation generation, int tokens) throws InterruptedException {
    for (int n = 0; n < tokens; ) {
      n += generation.take() instanceof Signal.Token ? 1 : 0;
    }
  }

  @Test
  void sixteenSayWhatEachSaysAlone() throws InterruptedException {
    List<int[]> prompts = IntStream.range(0, PLACES).mapToObj(EngineTest::prompt).toList();
    List<int[]> alone = new ArrayList<>();
    for (int[] prompt : prompts) {
      alone.add(Outcome.read(engine.submit(request(prompt, 48))).ids());
    }
    engine.close();
    engine = newEngine(1024);
    List<Outcome> together = together(prompts, 48);
    for (int i = 0; i < PLACES; i++) {
      Outcome.assertSameButForTies(model, prompts.get(i), alone.get(i), together.get(i).ids());
    }
  }

  /** Measured on two idle cores: 5 times; a busy machine leaves less of it. */
  @Test
  void sixteenTogetherAreFasterThanOneAfterAnother() throws InterruptedException {
    List<int[]> prompts = IntStream.range(0, PLACES).mapToObj(EngineTest::prompt).toList();
    together(prompts, 8);
    double gain = 0;
    for (int attempt = 0; attempt < 3 && gain < 3; attempt++) { // the machine may have pauses
      long start = System.nanoTime();
      for (int[] prompt : prompts) {
        Outcome.read(engine.submit(request(prompt, 32)));
      }
      long alone = System.nanoTime() - start;
      start = System.nanoTime();
      together(prompts, 32);
      gain = (double) alone / (System.nanoTime() - start);
    }
    assertTrue(gain >= 3, "only " + gain);
  }

  /** The bound, 300 ms, may be missed by one step in ten, which met a pause of the machine. */
  @Test
  void aLongPromptDoesNotHaltTheOthers() throws InterruptedException {
    double gap = gapBesideALongPrompt(1);
    for (int attempt = 2; attempt <= 3 && gap >= 0.3; attempt++) { // other programs may be busy
      gap = Math.min(gap, gapBesideALongPrompt(attempt));
    }
    assertTrue(gap < 0.3, gap + " s");
  }

  /**
   * Has 15 generations go on while a prompt of 2,500 tokens is read.
   *
   * @return seconds that nine in ten of the next tokens came within, in the worst of the 15
   */
  private double gapBesideALongPrompt(int seed) throws InterruptedException {
    List<Generation> running = new ArrayList<>();
    for (int i = 0; i < PLACES - 1; i++) {
      running.add(engine.submit(request(prompt(i), 4000)));
    }
    for (Generation generation : running) {
      awaitTokens(generation, 20);
    }
    List<CompletableFuture<Outcome>> others = running.stream().map(Outcome::of).toList();
    Outcome reader = Outcome.read(engine.submit(request(random(seed, 2500), 1)));
    running.forEach(Generation::cancel);
    List<Long> prompt = reader.promptNanos();
    int chunks = prompt.size() - 1;
    assertTrue(chunks > 4, chunks + " chunks");
    long worst = 0;
    for (CompletableFuture<Outcome> other : others) {
      long[] during =
          other.join().tokens().stream()
              .mapToLong(Outcome.Timed::nanos)
              .filter(at -> at > prompt.get(0) && at <= prompt.get(chunks))
              .toArray();
      assertTrue(during.length >= chunks - 2, during.length + " tokens in " + chunks + " steps");
      long[] gaps =
          IntStream.range(1, during.length)
              .mapToLong(i -> during[i] - during[i - 1])
              .sorted()
              .toArray();
      worst = Math.max(worst, gaps[gaps.length * 9 / 10]);
    }
    return worst / 1e9;
  }

  /** A short prompt is not read after the long ones that came before. */
  @Test
  void aShortPromptOvertakesLongOnes() throws InterruptedException {
    List<CompletableFuture<Outcome>> longOnes = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      longOnes.add(Outcome.of(engine.submit(request(random(i, 2000), 1))));
    }
    Outcome shortOne = Outcome.read(engine.submit(request(prompt(0), 2)));
    assertEquals(2, shortOne.tokens().size());
    assertTrue(longOnes.stream().noneMatch(CompletableFuture::isDone));
    List<Long> ends =
        longOnes.stream().map(f -> f.join().tokens().get(0).nanos()).sorted().toList();
    long begin = shortOne.promptNanos().get(0);
    double spread = (double) (ends.get(2) - ends.get(0)) / (ends.get(2) - begin);
    assertTrue(spread < 0.3, "read one after another: " + spread);
  }

  @Test
  void aCommonBeginningIsReadOnce() {
    int[] system = random(3, 1000);
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < PLACES; i++) {
      int[] prompt = Arrays.copyOf(system, 1010);
      System.arraycopy(random(100 + i, 10), 0, prompt, 1000, 10);
      prompts.add(prompt);
    }
    int[] cached =
        together(prompts, 2).stream().mapToInt(o -> o.end().cachedTokens()).sorted().toArray();
    assertEquals(0, cached[0]);
    for (int i = 1; i < PLACES; i++) {
      assertTrue(cached[i] >= 1000, Arrays.toString(cached));
    }
  }

  /** Also if the one that they wait for never gets there. */
  @Test
  void aCommonBeginningIsReadByAnotherIfItsReaderIsCancelled() throws InterruptedException {
    int[] prompt = random(3, 3000);
    Generation reader = engine.submit(request(prompt, 1));
    CompletableFuture<Outcome> second = Outcome.of(engine.submit(request(prompt, 1)));
    CompletableFuture<Outcome> third = Outcome.of(engine.submit(request(prompt, 1)));
    while (((Signal.Prompt) reader.take()).done() == 0) {
      // Not begun.
    }
    reader.cancel();
    assertEquals(FinishReason.MAX_TOKENS, second.join().end().reason());
    assertEquals(FinishReason.MAX_TOKENS, third.join().end().reason());
    int read = 6000 - second.join().end().cachedTokens() - third.join().end().cachedTokens();
    assertTrue(read < 3100, "read " + read);
  }

  @Test
  void refusesWhatMayNotWait() throws InterruptedException {
    engine.close();
    engine = newEngine(2);
    List<Generation> taken = new ArrayList<>();
    for (int i = 0; i < PLACES + 2; i++) {
      taken.add(engine.submit(request(prompt(i), 2000)));
    }
    BusyException busy =
        assertThrows(BusyException.class, () -> engine.submit(request(prompt(0), 1)));
    assertEquals(2, busy.waiting());
    assertEquals(2, busy.limit());
    assertEquals(
        "the model is busy: 2 requests wait, and 2 may (ModelOptions.maxWaiting); try again later",
        busy.getMessage());
    // One that waits makes room at once, and one that runs with its step.
    taken.get(PLACES + 1).cancel();
    assertInstanceOf(Signal.End.class, taken.get(PLACES + 1).take());
    Generation next = engine.submit(request(prompt(0), 1));
    assertThrows(BusyException.class, () -> engine.submit(request(prompt(0), 1)));
    taken.get(0).cancel();
    taken.get(1).cancel();
    assertEquals(1, Outcome.read(next).tokens().size());
    for (Generation generation : taken) {
      generation.cancel();
    }
  }

  /** If each of them undid the step under way, there would be no step to its end. */
  @Test
  void cancellingOneDoesNotUndoTheStepOfOthers() throws InterruptedException {
    CompletableFuture<Outcome> kept = Outcome.of(engine.submit(request(prompt(0), 40)));
    int cancelled = 0;
    for (; !kept.isDone(); cancelled++) {
      Generation other = engine.submit(request(prompt(1), 1000));
      Thread.sleep(2);
      other.cancel();
      assertEquals(FinishReason.CANCELLED, Outcome.of(other).join().end().reason());
    }
    assertEquals(40, kept.join().tokens().size());
    assertTrue(cancelled >= 10, cancelled + " cancelled");
  }

  /** A prompt that would be read in long steps. */
  @Test
  void cancelTakesEffectWithinAStep() throws InterruptedException {
    for (int i = 0; i < 3; i++) {
      Generation reader = engine.submit(request(random(i, 6000), 1));
      Thread.sleep(300);
      long start = System.nanoTime();
      reader.cancel();
      assertEquals(FinishReason.CANCELLED, Outcome.read(reader).end().reason());
      double seconds = (System.nanoTime() - start) / 1e9;
      assertTrue(seconds < 0.5, seconds + " s");
    }
  }

  /** A long step that reads a prompt is interrupted for who comes, and yet the prompt is read. */
  @Test
  void whoComesDoesNotWaitForALongStep() throws InterruptedException {
    CompletableFuture<Outcome> reader = Outcome.of(engine.submit(request(random(1, 3000), 1)));
    List<Double> waits = new ArrayList<>();
    for (int i = 0; !reader.isDone(); i++) {
      Thread.sleep(500);
      long start = System.nanoTime();
      Outcome outcome = Outcome.read(engine.submit(request(random(10 + i, 4), 1)));
      waits.add((outcome.promptNanos().get(0) - start) / 1e9);
    }
    assertEquals(1, reader.join().tokens().size());
    waits.sort(null);
    assertTrue(waits.get(waits.size() / 2) < 0.3, waits + " s");
  }
}
