package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.OptionalLong;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.LongStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class BatchTest {
  private static final SessionOptions GREEDY =
      Session.options().sampling(Sampling.greedy()).maxTokens(6);
  private static final SessionOptions RAW = GREEDY.raw().maxTokens(3);

  private static Model chat;
  private static Model tiny;

  @BeforeAll
  static void open() {
    chat = Model.open(TestModels.smolLm2());
    tiny = openTiny(Model.options().maxWaiting(0));
  }

  @AfterAll
  static void close() {
    chat.close();
    tiny.close();
  }

  @AfterEach
  void noThreadIsLeft() throws InterruptedException {
    for (int i = 0; batchThreads() > 0 && i < 200; i++) {
      Thread.sleep(50);
    }
    assertEquals(0, batchThreads());
  }

  private static long batchThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("nautil-batch"))
        .count();
  }

  private static Model openTiny(ModelOptions options) {
    return Model.open(TestModels.path("tiny-Q8_0.gguf"), options);
  }

  private static List<String> prompts(int n) {
    return IntStream.range(0, n).mapToObj(i -> "Number " + i).toList();
  }

  private static List<Long> indices(List<Batch.Result> results) {
    return results.stream().map(Batch.Result::index).sorted().toList();
  }

  private static List<Long> firstLongs(int n) {
    return LongStream.range(0, n).boxed().toList();
  }

  @Test
  void answersEachPromptAsASessionDoes() {
    List<String> questions =
        List.of("What is the capital of France?", "Say hello.", "What is 2 + 2?");
    List<Batch.Result> results;
    try (Batch batch = chat.batch(questions, GREEDY)) {
      results = batch.stream().toList();
    }
    assertEquals(firstLongs(3), indices(results));
    for (Batch.Result result : results) {
      String question = questions.get((int) result.index());
      assertEquals(question, result.prompt());
      assertNull(result.failure());
      assertSame(result.reply(), result.orThrow());
      assertEquals(chat.newSession(GREEDY).send(question).text(), result.orThrow().text());
    }
  }

  @Test
  void whatIsCompleteFirstComesFirst() {
    List<String> questions = List.of("word ".repeat(3000), "Say hello.");
    try (Batch batch = chat.batch(questions, GREEDY)) {
      assertEquals(List.of(1L, 0L), batch.stream().map(Batch.Result::index).toList());
    }
  }

  @Test
  void aSystemPromptIsReadOnce() {
    String system = "Answer in one word. ".repeat(40);
    int length = chat.countTokens(system);
    try (Batch batch = chat.batch(prompts(30), GREEDY.system(system))) {
      assertEquals(30, batch.stream().count());
      assertTrue(batch.progress().cachedTokens() >= 29L * length, batch.progress().toString());
    }
  }

  @Test
  void aPromptThatFailsIsAResult() {
    try (Model small = openTiny(Model.options().contextSize(64))) {
      List<String> some = List.of("a", "b".repeat(5000), "c");
      try (Batch batch = small.batch(some, RAW)) {
        List<Batch.Result> results = batch.stream().toList();
        assertEquals(firstLongs(3), indices(results));
        Batch.Result failed =
            results.stream().filter(result -> result.reply() == null).findFirst().orElseThrow();
        assertEquals(1, failed.index());
        assertInstanceOf(ContextFullException.class, failed.failure());
        assertSame(failed.failure(), assertThrows(NautilException.class, failed::orThrow));
        assertEquals(1, batch.progress().failed());
        assertEquals(3, batch.progress().done());
      }
    }
  }

  @Test
  void takesPromptsAsItNeedsThem() throws InterruptedException {
    AtomicInteger taken = new AtomicInteger();
    AtomicBoolean closed = new AtomicBoolean();
    Stream<String> endless =
        Stream.generate(() -> "Number " + taken.getAndIncrement()).onClose(() -> closed.set(true));
    try (Batch batch = tiny.batch(endless, RAW)) {
      Iterator<Batch.Result> results = batch.iterator();
      for (int i = 0; i < 50; i++) {
        assertTrue(results.next().orThrow().usage().replyTokens() <= 3);
      }
      assertEquals(OptionalLong.empty(), batch.progress().total());
      int before;
      do {
        before = taken.get();
        Thread.sleep(500);
      } while (taken.get() > before);
      assertTrue(before <= 50 + 3 * Batch.SESSIONS, before + " taken");
      assertFalse(closed.get());
    }
    assertTrue(closed.get());
  }

  @Test
  void tellsItsProgress() {
    try (Batch batch = tiny.batch(prompts(40), RAW)) {
      assertEquals(OptionalLong.of(40), batch.progress().total());
      long read = 0;
      for (Batch.Result result : batch) {
        assertFalse(batch.progress().done() < ++read);
        assertTrue(result.orThrow().usage().promptTokens() > 0);
      }
      Batch.Progress end = batch.progress();
      assertEquals(40, end.done());
      assertEquals(0, end.failed());
      assertEquals(120, end.replyTokens());
      assertTrue(end.promptTokens() > 0 && end.tokensPerSecond() > 0);
      assertEquals(end, batch.progress(), "the clock has stopped");
      assertThrows(NoSuchElementException.class, batch.iterator()::next);
    }
  }

  /** A batch needs one thread, and does with as many as the system gives. */
  @Test
  void withoutMoreThreadsItGoesOn() {
    AtomicInteger made = new AtomicInteger();
    ThreadFactory three =
        work -> {
          boolean given = made.getAndIncrement() < 3;
          return new Thread(work, "nautil-batch") {
            @Override
            public void start() {
              if (!given) {
                throw new OutOfMemoryError("unable to create native thread");
              }
              super.start();
            }
          };
        };
    Iterator<String> prompts = prompts(20).iterator();
    try (Batch batch = new Batch(tiny, prompts, OptionalLong.of(20), RAW, () -> {}, three)) {
      assertEquals(firstLongs(20), indices(batch.stream().toList()));
    }
    Iterator<String> none = prompts(1).iterator();
    assertThrows(
        OutOfMemoryError.class,
        () -> new Batch(tiny, none, OptionalLong.empty(), RAW, () -> {}, three));
  }

  @Test
  void noPromptsAreNoResults() {
    try (Batch batch = tiny.batch(List.of(), RAW)) {
      assertFalse(batch.iterator().hasNext());
    }
    try (Batch batch = tiny.batch(Stream.empty(), RAW)) {
      assertEquals(OptionalLong.of(0), batch.progress().total());
      assertFalse(batch.iterator().hasNext());
    }
  }

  @Test
  void whatThePromptsThrowComesAfterTheResults() {
    Stream<String> breaking =
        IntStream.range(0, 100).mapToObj(i -> "Number " + i / (i < 20 ? 1 : 0));
    try (Batch batch = tiny.batch(breaking, RAW)) {
      List<Batch.Result> results = new ArrayList<>();
      assertThrows(ArithmeticException.class, () -> batch.forEach(results::add));
      assertEquals(firstLongs(20), indices(results));
      assertThrows(ArithmeticException.class, batch.iterator()::hasNext);
    }
    try (Batch batch = tiny.batch(Stream.of("a", null), RAW)) {
      NullPointerException e =
          assertThrows(NullPointerException.class, () -> batch.stream().count());
      assertEquals("prompt 1 is null", e.getMessage());
    }
  }

  @Test
  void closingCancelsWhatHasBegun() {
    Batch batch = chat.batch(prompts(100), GREEDY.maxTokens(0));
    CompletableFuture<Long> reader =
        CompletableFuture.supplyAsync(() -> batch.stream().filter(r -> r.index() < 0).count());
    while (batchThreads() < Batch.SESSIONS) {
      Thread.onSpinWait();
    }
    batch.close();
    batch.close();
    CompletionException e = assertThrows(CompletionException.class, reader::join);
    assertInstanceOf(CancelledException.class, e.getCause());
    assertThrows(CancelledException.class, batch.iterator()::hasNext);
    assertFalse(chat.newSession(GREEDY).send("Say hello.").text().isEmpty());
  }

  @Test
  void anInterruptedReaderIsTold() {
    try (Batch batch = chat.batch(prompts(1), GREEDY.maxTokens(2000))) {
      Thread.currentThread().interrupt();
      assertThrows(CancelledException.class, batch.iterator()::hasNext);
      assertTrue(Thread.interrupted());
    }
  }

  @Test
  void endsWithTheModel() {
    Model model = openTiny(Model.options());
    try (Batch batch = model.batch(Stream.generate(() -> "a"), RAW)) {
      batch.iterator().next();
      model.close();
      assertThrows(IllegalStateException.class, () -> batch.stream().count());
    }
    assertThrows(IllegalStateException.class, () -> model.batch(List.of("a")));
  }

  /** Although nothing may wait for a place. */
  @Test
  void leavesPlacesForOthers() {
    try (Batch batch = tiny.batch(Stream.generate(() -> "a"), RAW.maxTokens(100))) {
      for (int i = 0; i < 20; i++) {
        assertTrue(tiny.newSession(RAW).send("Number " + i).usage().replyTokens() > 0);
      }
      assertTrue(batch.iterator().hasNext());
    }
  }

  @Test
  void waitsWhereTheModelIsBusy() {
    try (Batch first = tiny.batch(prompts(40), RAW.maxTokens(20));
        Batch second = tiny.batch(prompts(40), RAW.maxTokens(20))) {
      List<Batch.Result> results =
          Stream.of(first, second)
              .flatMap(Batch::stream)
              .collect(Collectors.toCollection(ArrayList::new));
      assertEquals(80, results.size());
      results.forEach(Batch.Result::orThrow);
    }
  }
}
