package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.engine.ChatFormat;
import dev.nautil.engine.Engine;
import dev.nautil.engine.GenerationRequest;
import dev.nautil.engine.Grammars;
import dev.nautil.engine.LoadedModel;
import dev.nautil.engine.Samplers;
import dev.nautil.engine.SignalSource;
import dev.nautil.internal.ContextParams;
import dev.nautil.tokenizer.Tokenizer;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * With SmolLM2: a reply that is paused, since the KV cache has no room for two, is as any other.
 */
@Timeout(120)
class PausedReplyTest {
  private static final String FORM = "([a-e]{7}\\n){24}";
  private static final SessionOptions RAW =
      Session.options().raw().sampling(Sampling.greedy()).maxTokens(250);

  private static LoadedModel loaded;

  @BeforeAll
  static void open() {
    loaded = LoadedModel.open(TestModels.smolLm2(), false, 0, ContextParams.DEFAULT, null, null);
  }

  @AfterAll
  static void close() {
    loaded.close();
  }

  private static Engine newEngine(long capacity) {
    ContextParams params =
        new ContextParams(512, 5, 0, false, false, KvCacheType.F16, true, capacity);
    return new Engine(loaded.newContext(params), loaded.model().info(), 0);
  }

  /** What the session says, which is another text than what the first one says. */
  private record Said(Reply reply, String streamed, long decodedAgain) {}

  /**
   * @param capacity tokens that the KV cache has room for
   */
  private static Said saidBesideAnother(SessionOptions options, long capacity)
      throws InterruptedException {
    try (Engine engine = newEngine(capacity)) {
      SessionModel model = new Scarce(engine);
      Session first = new Session(model, RAW);
      try (Reply.Stream stream = first.stream("one two three ".repeat(50))) {
        Iterator<Event> events = stream.iterator();
        while (!(events.next() instanceof Event.Text)) {
          // It is the older one.
        }
        CompletableFuture<Reply> other =
            CompletableFuture.supplyAsync(
                () -> {
                  events.forEachRemaining(event -> {});
                  return stream.reply();
                });
        StringBuilder streamed = new StringBuilder();
        Reply reply;
        try (Reply.Stream second = new Session(model, options).stream("a b c d e ".repeat(15))) {
          second.forEach(
              event -> {
                if (event instanceof Event.Text text) {
                  streamed.append(text.text());
                }
              });
          reply = second.reply();
        }
        assertEquals(FinishReason.MAX_TOKENS, other.join().finishReason());
        Usage usage = reply.usage();
        Usage others = other.join().usage();
        long told =
            usage.promptTokens()
                + usage.replyTokens()
                + others.promptTokens()
                + others.replyTokens();
        long again = engine.context().info().decodedTokens() - told;
        return new Said(reply, streamed.toString(), again);
      }
    }
  }

  @Test
  void aGrammarAndLogprobsGoOn() throws InterruptedException {
    SessionOptions options = RAW.constraint(Constraint.regex(FORM)).logprobs(1);
    Said whole = saidBesideAnother(options, 0);
    Said paused = saidBesideAnother(options, 512);
    assertTrue(whole.decodedAgain <= 0 && paused.decodedAgain > 0, paused + " again");
    assertTrue(paused.reply.text().matches(FORM), paused.reply.text());
    assertEquals(FinishReason.STOP, paused.reply.finishReason());
    assertEquals(paused.reply.text(), paused.streamed);
    assertEquals(whole.reply.usage().promptTokens(), paused.reply.usage().promptTokens());
    assertEquals(whole.reply.usage().cachedTokens(), paused.reply.usage().cachedTokens());
    List<TokenLogprob> expected = whole.reply.logprobs();
    List<TokenLogprob> actual = paused.reply.logprobs();
    assertEquals(paused.reply.usage().replyTokens(), actual.size());
    int same = 0;
    for (; same < expected.size() && same < actual.size(); same++) {
      assertEquals(expected.get(same).logprob(), actual.get(same).logprob(), 0.02, "at " + same);
      if (expected.get(same).id() != actual.get(same).id()) {
        break; // A tie: what follows is another text.
      }
    }
  }

  @Test
  void aStopStringIsFound() throws InterruptedException {
    SessionOptions options =
        RAW.constraint(Constraint.regex(FORM + "no more[a-z ]*")).stop("no more");
    Said paused = saidBesideAnother(options, 512);
    assertTrue(paused.decodedAgain > 0, paused + " again");
    assertTrue(paused.reply.text().matches(FORM), paused.reply.text());
    assertEquals(FinishReason.STOP_STRING, paused.reply.finishReason());
    assertEquals(paused.reply.text(), paused.streamed);
  }

  /** With an engine whose KV cache is small. */
  private record Scarce(Engine engine) implements RepliesOnly {
    @Override
    public Tokenizer tokenizer() {
      return loaded.tokenizer();
    }

    @Override
    public ChatFormat chatFormat() {
      return loaded.chatFormat();
    }

    @Override
    public int contextLength() {
      return engine.context().info().contextLength();
    }

    @Override
    public Samplers samplers() {
      return loaded.samplers();
    }

    @Override
    public Grammars grammars() {
      return loaded.grammars();
    }

    @Override
    public SignalSource submit(GenerationRequest request) {
      return engine.submit(request);
    }
  }
}
