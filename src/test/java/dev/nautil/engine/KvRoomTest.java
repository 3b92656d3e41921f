package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.ContextFullException;
import dev.nautil.FinishReason;
import dev.nautil.KvCacheType;
import dev.nautil.Pooling;
import dev.nautil.TestModels;
import dev.nautil.engine.Generation.Signal;
import dev.nautil.internal.ContextParams;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** With less room in the KV cache than the generations take together. */
@Timeout(120)
class KvRoomTest {
  private static final int SEQUENCES = 33;

  private static LoadedModel smolLm2;
  private static LoadedModel tiny;
  private LoadedModel model = smolLm2;
  private Engine engine;

  @BeforeAll
  static void open() {
    smolLm2 = open(TestModels.smolLm2());
    tiny = open(TestModels.path("tiny-Q8_0.gguf"));
  }

  private static LoadedModel open(Path path) {
    return LoadedModel.open(path, false, 0, ContextParams.DEFAULT, null, null);
  }

  @AfterAll
  static void closeModels() {
    smolLm2.close();
    tiny.close();
  }

  @AfterEach
  void close() {
    engine.close();
  }

  private Engine newEngine(int contextLength, long capacity) {
    ContextParams params =
        new ContextParams(
            contextLength, SEQUENCES, 0, false, false, KvCacheType.F16, true, capacity);
    return new Engine(model.newContext(params), model.model().info(), 1024);
  }

  private int[] random(int seed, int length) {
    int size = model.tokenizer().size();
    return new Random(seed).ints(length, size / 4, size / 2).toArray();
  }

  private List<int[]> eachAlone(List<GenerationRequest> requests) throws InterruptedException {
    engine = newEngine(2048, 0);
    List<int[]> alone = new ArrayList<>();
    for (GenerationRequest request : requests) {
      alone.add(Outcome.read(engine.submit(request)).ids());
    }
    engine.close();
    return alone;
  }

  /** At once, in a cache that has room for all: what others say is no matter. */
  private List<int[]> withRoom(List<GenerationRequest> requests) {
    engine = newEngine(2048, 0);
    List<int[]> ids = together(requests).stream().map(Outcome::ids).toList();
    engine.close();
    return ids;
  }

  private static List<GenerationRequest> requests(List<int[]> prompts, int[] tokens) {
    return IntStream.range(0, tokens.length)
        .mapToObj(i -> TestRequests.greedy(prompts.get(i), tokens[i]))
        .toList();
  }

  private List<Outcome> together(List<GenerationRequest> requests) {
    return requests.stream().map(request -> Outcome.of(engine.submit(request))).toList().stream()
        .map(CompletableFuture::join)
        .toList();
  }

  private void assertSame(List<int[]> prompts, List<int[]> alone, List<Outcome> together) {
    for (int i = 0; i < alone.size(); i++) {
      Outcome.assertSameButForTies(model, prompts.get(i), alone.get(i), together.get(i).ids());
      assertEquals(FinishReason.MAX_TOKENS, together.get(i).end().reason());
    }
  }

  /** Two fit at once to their ends, three until they have said some. */
  @Test
  void thoseThatDoNotFitTogetherComeOutWhole() throws InterruptedException {
    List<int[]> prompts = IntStream.range(0, 6).mapToObj(i -> random(i, 300)).toList();
    int[] tokens = {100, 100, 100, 100, 100, 100};
    List<int[]> alone = eachAlone(requests(prompts, tokens));
    engine = newEngine(1024, 1024);
    assertSame(prompts, alone, together(requests(prompts, tokens)));
    // Nothing was read in vain but by who was paused.
    long decoded = engine.context().info().decodedTokens();
    assertTrue(decoded < 6 * 400 + 2 * 400, decoded + " decoded");
  }

  /** What they begin with is there once, so that all fit at once. */
  @Test
  void whatIsSharedTakesRoomOnce() throws InterruptedException {
    int[] system = random(3, 700);
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      int[] prompt = Arrays.copyOf(system, 710);
      System.arraycopy(random(100 + i, 10), 0, prompt, 700, 10);
      prompts.add(prompt);
    }
    int[] tokens = {40, 40, 40};
    List<int[]> alone = eachAlone(requests(prompts, tokens));
    engine = newEngine(1024, 1024);
    List<Outcome> together = together(requests(prompts, tokens));
    assertSame(prompts, alone, together);
    long firstEnd = together.stream().mapToLong(KvRoomTest::end).min().orElseThrow();
    long lastBegin = together.stream().mapToLong(o -> o.promptNanos().get(0)).max().orElseThrow();
    assertTrue(lastBegin < firstEnd, "one after another");
    assertTrue(engine.context().info().decodedTokens() < 700 + 3 * (10 + 40 + 64));
  }

  private static long end(Outcome outcome) {
    return outcome.tokens().get(outcome.tokens().size() - 1).nanos();
  }

  /** Prompts of random lengths, some of which begin alike. */
  private List<int[]> someAlike(Random random, int n, int longest) {
    List<int[]> prompts = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      int[] prompt = random(random.nextInt(), 1 + random.nextInt(longest));
      if (i > 0 && random.nextInt(3) == 0) {
        int[] other = prompts.get(random.nextInt(i));
        System.arraycopy(other, 0, prompt, 0, Math.min(other.length, prompt.length));
      }
      prompts.add(prompt);
    }
    return prompts;
  }

  /** Prompts that go on from replies, of which some have several such forks. */
  private List<int[]> forks(Random random, List<int[]> prompts, List<int[]> replies) {
    List<int[]> forks = new ArrayList<>();
    for (int i = 0; i < prompts.size(); i++) {
      int which = random.nextInt(prompts.size());
      int[] prompt = prompts.get(which);
      int[] reply = replies.get(which);
      int[] fork = Arrays.copyOf(prompt, prompt.length + reply.length + 5);
      System.arraycopy(reply, 0, fork, prompt.length, reply.length);
      System.arraycopy(random(i, 5), 0, fork, fork.length - 5, 5);
      forks.add(fork);
    }
    return forks;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12})
  void anyNumberOfThemComesOutWhole(int seed) {
    model = tiny;
    Random random = new Random(seed);
    int n = 2 + random.nextInt(15);
    int capacity = 512 + random.nextInt(320);
    List<int[]> prompts = someAlike(random, n, 128);
    int[] tokens = random.ints(n, 50, 310).toArray(); // more than room is kept for: some are paused
    List<int[]> alone = withRoom(requests(prompts, tokens));
    List<int[]> forks = forks(random, prompts, alone);
    int[] tokensOfForks = random.ints(n, 1, 60).toArray();
    List<int[]> forksAlone = withRoom(requests(forks, tokensOfForks));
    engine = newEngine(512, capacity);
    assertSame(prompts, alone, together(requests(prompts, tokens)));
    assertSame(forks, forksAlone, together(requests(forks, tokensOfForks)));
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 6})
  void thoseThatAreCancelledDisturbNoOther(int seed) throws InterruptedException {
    model = tiny;
    Random random = new Random(seed);
    int n = 16;
    List<int[]> prompts = someAlike(random, n, 128);
    int[] tokens = random.ints(n, 50, 310).toArray();
    List<int[]> alone = withRoom(requests(prompts, tokens));
    engine = newEngine(512, 512);
    List<Generation> generations =
        requests(prompts, tokens).stream().map(request -> engine.submit(request)).toList();
    List<CompletableFuture<Outcome>> outcomes = generations.stream().map(Outcome::of).toList();
    boolean[] cancelled = new boolean[n];
    for (int i = 0; i < n / 2; i++) {
      Thread.sleep(random.nextInt(15));
      int which = random.nextInt(n);
      generations.get(which).cancel();
      cancelled[which] = true;
    }
    for (int i = 0; i < n; i++) {
      Outcome outcome = outcomes.get(i).join();
      int[] ids = outcome.ids();
      if (cancelled[i] && outcome.end().reason() == FinishReason.CANCELLED) {
        int[] begun = Arrays.copyOf(alone.get(i), ids.length);
        Outcome.assertSameButForTies(model, prompts.get(i), begun, ids);
      } else {
        Outcome.assertSameButForTies(model, prompts.get(i), alone.get(i), ids);
        assertEquals(FinishReason.MAX_TOKENS, outcome.end().reason());
      }
    }
  }

  /** Its turn comes although there is always somebody for whom there would be room at once. */
  @Test
  void aLargeOneIsNotOvertakenForever() throws InterruptedException {
    engine = newEngine(512, 512);
    List<Generation> small = new ArrayList<>();
    for (int i = 0; i < 8; i++) {
      small.add(engine.submit(TestRequests.greedy(random(i, 60), 20)));
    }
    CompletableFuture<Outcome> large =
        Outcome.of(engine.submit(TestRequests.greedy(random(99, 400), 4)));
    for (int i = 8; i < 400 && !large.isDone(); i++) {
      small.add(engine.submit(TestRequests.greedy(random(i, 60), 20)));
      Outcome.read(small.remove(0));
    }
    assertTrue(large.isDone());
    assertEquals(4, large.join().tokens().size());
    small.forEach(Generation::cancel);
  }

  @Test
  void whatCanNeverFitIsRefusedAtOnce() {
    engine = newEngine(2048, 512);
    engine.submit(TestRequests.greedy(random(1, 500), 1000));
    ContextFullException e =
        assertThrows(
            ContextFullException.class,
            () -> engine.submit(TestRequests.greedy(random(2, 513), 1)));
    assertEquals("the conversation has 513 tokens; the context has room for 512", e.getMessage());
  }

  @Test
  void oneAloneMayFillTheCache() throws InterruptedException {
    engine = newEngine(512, 512);
    Outcome.read(engine.submit(TestRequests.greedy(random(1, 400), 10)));
    Outcome full = Outcome.read(engine.submit(TestRequests.greedy(random(2, 480), 1000)));
    assertEquals(FinishReason.CONTEXT_FULL, full.end().reason());
    assertEquals(33, full.tokens().size());
  }

  /** What it holds is not the cache's to drop, but it is given back soon. */
  @Test
  void oneAloneWaitsForATransfer() throws InterruptedException {
    int[] held = random(1, 300);
    engine = newEngine(512, 512);
    Outcome.read(engine.submit(TestRequests.greedy(held, 1)));
    CompletableFuture<Outcome> waiting;
    try (KvTransfer transfer = engine.transfer()) {
      assertEquals(300, transfer.take(held, null));
      waiting = Outcome.of(engine.submit(TestRequests.greedy(random(2, 150), 150)));
      Thread.sleep(4000);
      assertFalse(waiting.isDone());
    }
    assertEquals(FinishReason.MAX_TOKENS, waiting.join().end().reason());
  }

  /** Not before something gave room, whatever is expected to fit: else neither would go on. */
  @Test
  void oneThatIsPausedDoesNotBeginAgainAtOnce() throws Exception {
    model = tiny;
    int[] held = random(1, 300);
    engine = newEngine(512, 512);
    Outcome.read(engine.submit(TestRequests.greedy(held, 1)));
    try (KvTransfer transfer = engine.transfer()) {
      // That leaves three pages, and each of the two fills them.
      assertEquals(300, transfer.take(held, null));
      List<CompletableFuture<Outcome>> two =
          IntStream.of(2, 3)
              .mapToObj(i -> TestRequests.greedy(random(i, 100), 60))
              .map(request -> Outcome.of(engine.submit(request)))
              .toList();
      for (CompletableFuture<Outcome> outcome : two) {
        assertEquals(FinishReason.MAX_TOKENS, outcome.get(20, TimeUnit.SECONDS).end().reason());
      }
    }
  }

  /** Begins two that outgrow the cache; the second has said some, and waits for the first. */
  private List<Generation> onePaused() throws InterruptedException {
    engine = newEngine(512, 512);
    Generation first = engine.submit(TestRequests.greedy(random(1, 150), 250));
    Generation second = engine.submit(TestRequests.greedy(random(2, 150), 250));
    // Together they have 512 tokens when each has said 106.
    for (int n = 0; n < 130; ) {
      n += first.take() instanceof Signal.Token ? 1 : 0;
    }
    return List.of(first, second);
  }

  @Test
  void oneThatIsPausedCanBeCancelled() throws InterruptedException {
    List<Generation> two = onePaused();
    two.get(1).cancel();
    Outcome second = Outcome.read(two.get(1));
    assertEquals(FinishReason.CANCELLED, second.end().reason());
    int said = second.tokens().size();
    assertTrue(said > 50 && said < 130, said + " tokens");
    assertEquals(FinishReason.MAX_TOKENS, Outcome.read(two.get(0)).end().reason());
  }

  @Test
  void oneThatIsPausedFailsWithTheEngine() throws InterruptedException {
    List<Generation> two = onePaused();
    engine.close();
    for (Generation generation : two) {
      Signal signal;
      do {
        signal = generation.take();
      } while (signal instanceof Signal.Token || signal instanceof Signal.Prompt);
      assertInstanceOf(Signal.Failed.class, signal);
    }
  }

  /** Neither its tokens nor its prompt are told twice, and its usage is what it first found. */
  @Test
  void oneThatWasPausedTellsNothingTwice() throws InterruptedException {
    int[] prompt = random(2, 150);
    List<int[]> alone = eachAlone(List.of(TestRequests.greedy(prompt, 250)));
    List<Generation> two = onePaused();
    List<Integer> told = new ArrayList<>();
    List<Integer> tokens = new ArrayList<>();
    CompletableFuture<Outcome> first = Outcome.of(two.get(0));
    Signal signal = two.get(1).take();
    for (; !(signal instanceof Signal.End); signal = two.get(1).take()) {
      if (signal instanceof Signal.Prompt progress) {
        assertEquals(150, progress.total());
        told.add(progress.done());
      } else {
        tokens.add(assertInstanceOf(Signal.Token.class, signal).id());
      }
    }
    assertEquals(told.stream().distinct().sorted().toList(), told);
    assertEquals(150, told.get(told.size() - 1));
    int[] ids = tokens.stream().mapToInt(Integer::intValue).toArray();
    Outcome.assertSameButForTies(model, prompt, alone.get(0), ids);
    assertEquals(0, ((Signal.End) signal).cachedTokens());
    assertEquals(FinishReason.MAX_TOKENS, first.join().end().reason());
  }

  /** Its hidden states are summed anew. */
  @Test
  void anEmbeddingThatIsPausedIsTheSame() throws InterruptedException {
    int[] text = random(5, 300);
    engine = newEngine(512, 0);
    double[] alone = embedding(engine.submitEmbedding(text, Pooling.MEAN));
    engine.close();
    engine = newEngine(512, 512);
    Generation grows = engine.submit(TestRequests.greedy(random(1, 100), 300));
    CompletableFuture<Outcome> outcome = Outcome.of(grows);
    for (int i = 0; !outcome.isDone(); i++) {
      double[] beside = embedding(engine.submitEmbedding(text, Pooling.MEAN));
      assertArrayEquals(alone, beside, 0.02 * norm(alone), "the " + i + "th");
    }
    assertEquals(300, outcome.join().tokens().size());
  }

  private static double norm(double[] values) {
    return Math.sqrt(Arrays.stream(values).map(v -> v * v).sum());
  }

  private static double[] embedding(SignalSource source) throws InterruptedException {
    Signal signal = source.take();
    while (signal instanceof Signal.Prompt) {
      signal = source.take();
    }
    return assertInstanceOf(Signal.Embedding.class, signal).values();
  }
}
