package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.FinishReason;
import dev.nautil.GrammarException;
import dev.nautil.KvCacheType;
import dev.nautil.Sampling;
import dev.nautil.TestModels;
import dev.nautil.grammar.Grammar;
import dev.nautil.grammar.GrammarMatcher;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.SamplingRow;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Grammars that are asked for at once. */
@Timeout(60)
class GrammarsTest {
  private static LoadedModel model;
  private final Grammars grammars = new Grammars(model.tokenizer());

  /** How often the slow one was asked for, and what it waits for. */
  private final AtomicInteger asked = new AtomicInteger();

  private final CountDownLatch begun = new CountDownLatch(1);
  private final CountDownLatch goOn = new CountDownLatch(1);

  @BeforeAll
  static void open() {
    model = LoadedModel.open(TestModels.smolLm2(), false, 0, ContextParams.DEFAULT, null, null);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  private Grammar slow() {
    asked.incrementAndGet();
    begun.countDown();
    try {
      goOn.await();
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    return Grammar.regex("yes|no");
  }

  private CompletableFuture<GrammarMatcher> askForTheSlowOne() {
    Supplier<GrammarMatcher> ask = () -> grammars.newMatcher("slow", this::slow);
    CompletableFuture<GrammarMatcher> matcher = new CompletableFuture<>();
    Thread thread = new Thread(() -> matcher.completeAsync(ask, Runnable::run));
    thread.setDaemon(true);
    thread.start();
    return matcher;
  }

  /** Neither those that ask for another grammar nor their replies. */
  @Test
  void aSlowOneHoldsUpNobodyElse() throws InterruptedException {
    CompletableFuture<GrammarMatcher> first = askForTheSlowOne();
    begun.await();
    ContextParams params = new ContextParams(256, 3, 0, false, false, KvCacheType.F16, true);
    try (Engine engine = new Engine(model.newContext(params), model.model().info(), 0)) {
      GrammarMatcher other = grammars.newMatcher("other", () -> Grammar.regex("[a-c]{5}"));
      int[] prompt = model.tokenizer().encode("The letters are");
      SamplingRow sampling = new SamplingRow(Sampling.greedy(), 0, prompt, null, new int[0]);
      Outcome reply =
          Outcome.read(
              engine.submit(
                  new GenerationRequest(prompt, sampling, -1, other, 20, token -> false)));
      assertEquals(FinishReason.STOP, reply.end().reason());
      assertTrue(model.tokenizer().decode(reply.ids()).matches("[a-c]{5}"));
    }
    assertFalse(first.isDone());
    goOn.countDown();
    assertFalse(first.join().mustEnd());
  }

  @Test
  void thoseThatAskForTheSameOneWaitForIt() throws InterruptedException {
    CompletableFuture<GrammarMatcher> first = askForTheSlowOne();
    begun.await();
    CompletableFuture<GrammarMatcher> second = askForTheSlowOne();
    Thread.sleep(100);
    assertFalse(second.isDone());
    goOn.countDown();
    int token = model.tokenizer().encode("yes")[0];
    assertTrue(first.join().allows(token) && second.join().allows(token));
    assertEquals(1, asked.get());
  }

  @Test
  void oneThatCouldNotBeMadeIsAskedForAgain() {
    assertThrows(
        GrammarException.class,
        () ->
            grammars.newMatcher(
                "a",
                () -> {
                  throw new GrammarException("not now");
                }));
    assertFalse(grammars.newMatcher("a", () -> Grammar.regex("a")).mustEnd());
  }
}
