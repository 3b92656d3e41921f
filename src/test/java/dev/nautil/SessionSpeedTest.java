package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** That what was computed before is not computed again. */
@Timeout(300)
class SessionSpeedTest {
  private static final SessionOptions GREEDY =
      Session.options().sampling(Sampling.greedy()).maxTokens(1);

  @TempDir Path folder;

  private static Model open(int contextSize) {
    return Model.open(TestModels.smolLm2(), Model.options().contextSize(contextSize));
  }

  private static String words(int n) {
    return "word ".repeat(n);
  }

  @Test
  void restoringIsMuchQuickerThanReading() {
    int tokens = 8192;
    int context = tokens + 256;
    Path saved = folder.resolve("long.session");
    Duration reading;
    try (Model model = open(context)) {
      Session session = model.newSession(GREEDY);
      Reply reply = session.send(words(tokens));
      assertTrue(reply.usage().promptTokens() >= tokens, reply.usage().toString());
      reading = reply.timings().prompt();
      session.save(saved);
    }
    Duration restoring = Duration.ofDays(1);
    for (int i = 0; i < 3; i++) {
      try (Model model = open(context)) {
        long start = System.nanoTime();
        Session session = model.restoreSession(saved, GREEDY);
        Duration time = Duration.ofNanos(System.nanoTime() - start);
        restoring = time.compareTo(restoring) < 0 ? time : restoring;
        assertTrue(session.send("Go on.").usage().cachedTokens() >= tokens);
      }
    }
    assertTrue(reading.toNanos() > 20 * restoring.toNanos(), reading + " and " + restoring);
  }

  @Test
  void aKnownSystemPromptIsNotReadAgain() {
    try (Model model = open(4096)) {
      SessionOptions options = GREEDY.system(words(2000));
      Reply first = model.newSession(options).send("Name a river.");
      Reply second = model.newSession(options).send("What is two and two?");
      assertEquals(0, first.usage().cachedTokens());
      assertTrue(second.usage().cachedTokens() >= 2000, second.usage().toString());
      Duration slow = first.timings().prompt();
      Duration quick = second.timings().prompt();
      assertTrue(slow.toNanos() > 10 * quick.toNanos(), slow + " and " + quick);
    }
  }

  /** More than are decoded together, one after the other and again. */
  @Test
  void conversationsThatTakeTurnsKeepWhatWasRead() {
    try (Model model = open(4096)) {
      SessionOptions options = GREEDY.system(words(200));
      List<Session> sessions = new ArrayList<>();
      List<Usage> known = new ArrayList<>();
      for (int i = 0; i < 40; i++) {
        sessions.add(model.newSession(options));
        known.add(sessions.get(i).send("The number is " + i + ".").usage());
        assertTrue(i == 0 || known.get(i).cachedTokens() >= 200, "session " + i);
      }
      for (int i = 0; i < 40; i++) {
        Usage usage = sessions.get(i).send("Which number is it?").usage();
        assertTrue(usage.cachedTokens() >= known.get(i).promptTokens(), i + ": " + usage);
      }
    }
  }
}
