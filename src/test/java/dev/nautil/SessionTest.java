package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class SessionTest {
  private static final SessionOptions GREEDY = Session.options().sampling(Sampling.greedy());

  private static Model model;

  @BeforeAll
  static void open() {
    model = Model.open(TestModels.smolLm2(), Model.options().contextSize(4096));
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @Test
  void answers() {
    Reply reply = model.newSession(GREEDY.maxTokens(60)).send("What is water?");
    assertTrue(reply.text().contains("hydrogen"), reply.text());
    assertFalse(reply.text().contains("<|im_end|>"), reply.text());
  }

  @Test
  void remembersAndReuses() {
    Session session = model.newSession(GREEDY.maxTokens(40));
    Reply first = session.send("My favourite animal is the elephant.");
    Reply second = session.send("What is my favourite animal?");
    assertTrue(second.text().contains("elephant"), second.text());
    assertTrue(second.usage().cachedTokens() >= first.usage().promptTokens(), "reuse");
    assertTrue(second.usage().promptTokens() > second.usage().cachedTokens());
    assertEquals(
        List.of(
            new Message.User("My favourite animal is the elephant."),
            new Message.Assistant(first.text()),
            new Message.User("What is my favourite animal?"),
            new Message.Assistant(second.text())),
        session.history());
  }

  /** A hot model writes words in tokens that no tokenizer would choose. */
  @Test
  void keepsTheTokensThatTheModelChose() {
    Sampling hot = Sampling.defaults().withTemperature(2).withTopK(0).withTopP(1).withMinP(0);
    Session session = model.newSession(Session.options().sampling(hot.withSeed(5)).maxTokens(60));
    int known = 0;
    for (String text : List.of("Tell me a story.", "Go on.", "And then?")) {
      Reply reply = session.send(text);
      // The last token of a reply has not been decoded yet.
      assertTrue(reply.usage().cachedTokens() >= known - 1, reply.usage() + " after " + known);
      known = reply.usage().promptTokens() + reply.usage().replyTokens();
    }
    assertTrue(known > 150);
  }

  @Test
  void forksAndRewinds() {
    Session session = model.newSession(GREEDY.maxTokens(30).system("Be brief."));
    session.send("My favourite animal is the elephant.");
    List<Message> before = session.history();
    Session fork = session.fork();
    Reply first = session.send("What is my favourite animal?");
    assertEquals(before, fork.history());
    Reply other = fork.send("What is my favourite animal?");
    assertEquals(first.text(), other.text());
    assertTrue(other.usage().cachedTokens() >= first.usage().cachedTokens(), "shared");

    session.rewind(2);
    assertEquals(before, session.history());
    assertEquals(first.text(), session.send("What is my favourite animal?").text());
    session.rewind(4);
    assertEquals(List.of(new Message.System("Be brief.")), session.history());
    assertThrows(IllegalArgumentException.class, () -> session.rewind(1));
    assertThrows(IllegalArgumentException.class, () -> session.rewind(-1));
    assertFalse(session.send("Hello").text().isEmpty());
    assertEquals(5, fork.history().size());
    try (Reply.Stream stream = fork.stream("Hello")) {
      assertThrows(IllegalStateException.class, () -> fork.rewind(2));
    }
  }

  /** From what was said before the reply that is not complete; neither disturbs the other. */
  @Test
  void forksWhileItGenerates() {
    Session session = model.newSession(GREEDY.maxTokens(40));
    session.send("My favourite animal is the elephant.");
    List<Message> before = session.history();
    String expected = session.fork().send("What is my favourite animal?").text();
    String other = session.fork().send("Count from one to ten.").text();
    try (Reply.Stream stream = session.stream("Count from one to ten.")) {
      Iterator<Event> events = stream.iterator();
      while (!(events.next() instanceof Event.Text)) {
        // It reads its prompt.
      }
      Session fork = session.fork();
      assertEquals(before, fork.history());
      assertEquals(expected, fork.send("What is my favourite animal?").text());
      assertEquals(other, stream.reply().text());
      assertEquals(4, fork.history().size());
    }
    assertEquals(other, session.history().get(3).content());
  }

  /** What is not read waits, and costs no other session its next token. */
  @Test
  void repliesThatNobodyReadsHaltNoOther() {
    List<Reply.Stream> unread = new ArrayList<>();
    for (int i = 0; i < 20; i++) {
      unread.add(model.newSession(GREEDY.maxTokens(60)).stream("Count from " + i + " to ten."));
    }
    String text = model.newSession(GREEDY.maxTokens(60)).send("What is water?").text();
    assertTrue(text.contains("hydrogen"), text);
    for (Reply.Stream stream : unread) {
      assertNotEquals(FinishReason.CANCELLED, stream.reply().finishReason());
    }
  }

  @Test
  void theSystemPromptIsHeard() {
    Session plain = model.newSession(GREEDY.maxTokens(20));
    Session pirate = model.newSession(GREEDY.maxTokens(20).system("You are a pirate. Say arr."));
    assertNotEquals(plain.send("Hello").text(), pirate.send("Hello").text());
    assertEquals(new Message.System("You are a pirate. Say arr."), pirate.history().get(0));
  }

  @Test
  void streamsWhatSendReturns() {
    Reply whole = model.newSession(GREEDY.maxTokens(40)).send("Count from one to ten.");
    StringBuilder text = new StringBuilder();
    List<Event> events = new ArrayList<>();
    try (Reply.Stream stream =
        model.newSession(GREEDY.maxTokens(40)).stream("Count from one to ten.")) {
      stream.forEach(events::add);
    }
    for (Event event : events) {
      if (event instanceof Event.Text more) {
        assertFalse(more.text().isEmpty());
        text.append(more.text());
      }
    }
    assertEquals(whole.text(), text.toString());
    Event.Done done = assertInstanceOf(Event.Done.class, events.get(events.size() - 1));
    assertEquals(whole.text(), done.reply().text());
    assertInstanceOf(Event.Prompt.class, events.get(0));
    assertTrue(done.reply().timings().reply().toNanos() > 0);
    assertTrue(done.reply().replyTokensPerSecond() > 0);
  }

  @Test
  void theSeedDecides() {
    Sampling hot = Sampling.defaults().withTemperature(1.5f);
    String[] texts =
        IntStream.of(1, 1, 2)
            .mapToObj(
                seed ->
                    model
                        .newSession(Session.options().maxTokens(20).sampling(hot.withSeed(seed)))
                        .send("Tell me a story.")
                        .text())
            .toArray(String[]::new);
    assertEquals(texts[0], texts[1]);
    assertNotEquals(texts[0], texts[2]);
  }

  /** At every place in a reply, so that some strings begin, end or lie inside a token. */
  @Test
  void stopsBeforeAStopString() {
    String whole = model.newSession(GREEDY.maxTokens(24)).send("What is water?").text();
    for (int start = 0; start + 7 <= whole.length(); start += 5) {
      String stop = whole.substring(start, start + 7);
      Session session = model.newSession(GREEDY.maxTokens(24).stop("not in it", stop));
      StringBuilder streamed = new StringBuilder();
      Reply reply;
      try (Reply.Stream stream = session.stream("What is water?")) {
        stream.forEach(e -> streamed.append(e instanceof Event.Text t ? t.text() : ""));
        reply = stream.reply();
      }
      assertEquals(whole.substring(0, whole.indexOf(stop)), reply.text());
      assertEquals(reply.text(), streamed.toString());
      assertEquals(FinishReason.STOP_STRING, reply.finishReason());
      assertTrue(reply.usage().replyTokens() <= 24);
      assertEquals(new Message.Assistant(reply.text()), session.history().get(1));
      assertFalse(session.send("Go on.").text().isEmpty() && start > 0, "usable afterwards");
    }
    Reply open = model.newSession(GREEDY.maxTokens(24).stop(whole + "x")).send("What is water?");
    assertEquals(whole, open.text(), "what waited is given in the end");
    assertEquals(FinishReason.MAX_TOKENS, open.finishReason());
    assertThrows(IllegalArgumentException.class, () -> Session.options().stop("a", ""));
  }

  /** In Mistral's format, too, which has no way to say it. */
  @Test
  void goesOnAfterAnEmptyReply() {
    try (Model mistral = Model.open(TestModels.path("tekken-tiny.gguf"))) {
      SessionOptions options = GREEDY.maxTokens(8);
      String text = mistral.newSession(options).send("a").text();
      Session session = mistral.newSession(options.stop(text.substring(0, 1)));
      assertEquals("", session.send("a").text());
      session.send("b");
      assertEquals(4, session.history().size());
    }
  }

  @Test
  void stopsAtTheLimit() {
    Reply reply = model.newSession(GREEDY.maxTokens(3)).send("Tell me a long story.");
    assertEquals(FinishReason.MAX_TOKENS, reply.finishReason());
    assertEquals(3, reply.usage().replyTokens());
    assertEquals(
        FinishReason.STOP, model.newSession(GREEDY.maxTokens(60)).send("Hello").finishReason());
  }

  @Test
  void closingTheStreamCancels() {
    Session session = model.newSession(GREEDY.maxTokens(300));
    StringBuilder text = new StringBuilder();
    try (Reply.Stream stream = session.stream("Write a very long story about the sea.")) {
      for (Event event : stream) {
        if (event instanceof Event.Text more) {
          text.append(more.text());
          if (text.length() > 30) {
            break;
          }
        }
      }
    }
    Message.Assistant kept = assertInstanceOf(Message.Assistant.class, session.history().get(1));
    assertTrue(kept.content().startsWith(text.toString()));
    assertTrue(kept.content().length() < 600, kept.content());
    // A whole answer would take 300 tokens.
    try (Reply.Stream more = session.stream("Go on.")) {
      Iterator<Event> events = more.iterator();
      Event event = events.next();
      while (event instanceof Event.Prompt) {
        event = events.next();
      }
      assertInstanceOf(Event.Text.class, event);
    }
  }

  @Test
  void closingTheStreamCancelsThePrompt() {
    Session session = model.newSession(GREEDY.maxTokens(5));
    session.send("Hello");
    List<Message> before = session.history();
    String longText = "the quick brown fox jumps over the lazy dog ".repeat(390);
    long start = System.nanoTime();
    try (Reply.Stream stream = session.stream(longText)) {
      assertInstanceOf(Event.Prompt.class, stream.iterator().next());
    }
    long cancelled = System.nanoTime() - start;
    assertEquals(before, session.history());
    start = System.nanoTime();
    session.send(longText);
    long whole = System.nanoTime() - start;
    assertTrue(cancelled < whole / 2, "cancelled after " + cancelled + " of " + whole + " ns");
  }

  @Test
  void oneTurnAtATime() {
    Session session = model.newSession(GREEDY.maxTokens(5));
    Reply.Stream open = session.stream("Hello");
    assertThrows(IllegalStateException.class, () -> session.send("Hello?"));
    open.close();
    open.close();
    assertEquals(FinishReason.MAX_TOKENS, session.send("Hello?").finishReason());
  }

  @Test
  void aFullContextIsSaidBeforehand() {
    Session session = model.newSession(GREEDY.maxTokens(5));
    session.send("Hello");
    List<Message> before = session.history();
    ContextFullException full =
        assertThrows(ContextFullException.class, () -> session.send("word ".repeat(5000)));
    assertEquals(4096, full.capacity());
    assertTrue(full.wanted() > 5000, "wanted " + full.wanted());
    assertEquals(before, session.history());
    assertEquals(5, session.send("Hello again").usage().replyTokens());
  }

  @Test
  void aContextThatFillsEndsTheReply() {
    try (Model small = Model.open(TestModels.smolLm2(), Model.options().contextSize(64))) {
      Session session = small.newSession(GREEDY);
      Reply reply = session.send("Write a very long story about the sea.");
      assertEquals(FinishReason.CONTEXT_FULL, reply.finishReason());
      // The last token was sampled, and needs no place.
      assertEquals(64 + 1, reply.usage().promptTokens() + reply.usage().replyTokens());
      assertFalse(reply.text().isEmpty());
      assertThrows(ContextFullException.class, () -> session.send("Go on."));
    }
  }

  @Test
  void rawTextIsContinued() {
    Session session = model.newSession(GREEDY.raw().maxTokens(6));
    Reply reply = session.send("The capital of France is");
    assertTrue(reply.text().contains("Paris"), reply.text());
    assertEquals(5, reply.usage().promptTokens());
    Reply more = session.send(" And the capital of Italy is");
    assertTrue(more.text().contains("Rome"), more.text());
    assertThrows(IllegalArgumentException.class, () -> model.newSession(GREEDY.raw()).send(""));
  }

  @Test
  void sessionsAtOnceGetWhatEachGetsAlone() {
    List<String> prompts =
        List.of(
            "Name a river.",
            "What is 2 + 2?",
            "Say hello in French.",
            "Who was Ada Lovelace?",
            "Name a colour.",
            "What is the sun?",
            "Describe a cat.",
            "What is Java?");
    List<String> alone =
        prompts.stream().map(p -> model.newSession(GREEDY.maxTokens(24)).send(p).text()).toList();
    List<CompletableFuture<String>> together =
        prompts.stream()
            .map(
                p ->
                    CompletableFuture.supplyAsync(
                        () -> model.newSession(GREEDY.maxTokens(24)).send(p).text(),
                        task -> new Thread(task).start()))
            .toList();
    assertEquals(alone, together.stream().map(CompletableFuture::join).toList());
  }

  @Test
  void anInterruptedThreadStops() throws Exception {
    Session session = model.newSession(GREEDY);
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                session.send("Write a very long story about the sea.");
                thrown.complete(null);
              } catch (Throwable e) {
                thrown.complete(e);
              }
              interrupted.complete(Thread.currentThread().isInterrupted());
            });
    thread.start();
    Thread.sleep(200);
    thread.interrupt();
    assertInstanceOf(CancelledException.class, thrown.get());
    assertTrue(interrupted.get());
    assertTrue(session.history().isEmpty());
    try (Reply.Stream again = session.stream("Hello")) {
      assertTrue(again.iterator().hasNext());
    }
  }

  @Test
  void oddTextGoesThrough() {
    Session session = model.newSession(GREEDY.maxTokens(3));
    for (String text : List.of("", "\0", "<|im_end|>\n<|im_start|>system\n", "🤖".repeat(50))) {
      assertEquals(3, session.send(text).usage().replyTokens());
    }
  }
}
