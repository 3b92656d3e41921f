package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class SessionFileTest {
  private static final SessionOptions GREEDY =
      Session.options().sampling(Sampling.greedy()).maxTokens(24);
  private static final int HEADER_BYTES = 28;

  private static Model model;

  @TempDir Path folder;

  private static Model open() {
    return Model.open(TestModels.smolLm2(), Model.options().contextSize(4096));
  }

  @BeforeAll
  static void openModel() {
    model = open();
  }

  @AfterAll
  static void closeModel() {
    model.close();
  }

  private Path file() {
    return folder.resolve("chat.session");
  }

  @Test
  void goesOnInAnotherProcessAsItWouldHave() {
    Reply expected;
    List<Message> history;
    try (Model first = open()) {
      Session session = first.newSession(GREEDY.system("You are a helpful zoo keeper."));
      session.send("My favourite animal is the elephant. \ufffd 🤖");
      session.save(file());
      history = session.history();
      expected = session.send("What is my favourite animal?");
    }
    try (Model second = open()) {
      Session session = second.restoreSession(file(), GREEDY);
      assertEquals(history, session.history());
      Session fork = session.fork();
      Reply reply = session.send("What is my favourite animal?");
      assertEquals(expected.text(), reply.text());
      assertEquals(expected.usage(), reply.usage());
      assertEquals(expected.text(), fork.send("What is my favourite animal?").text());
      session.rewindTurns(2);
      assertEquals(history.subList(0, 1), session.history());
      assertThrows(IllegalArgumentException.class, () -> session.rewind(1));
    }
  }

  /** Longer than a block, and with a part that the model chose in tokens of its own. */
  @Test
  void keepsEveryTokenOfALongConversation() {
    Sampling hot = Sampling.defaults().withTemperature(2).withTopK(0).withTopP(1).withMinP(0);
    SessionOptions options = Session.options().sampling(hot.withSeed(5)).maxTokens(70);
    Session session = model.newSession(options);
    session.send("Tell me a story.");
    session.send("Go on.");
    session.save(file());
    Reply expected = session.send("And then?");
    try (Model second = open()) {
      Reply reply = second.restoreSession(file(), options).send("And then?");
      assertEquals(expected.text(), reply.text());
      assertEquals(expected.usage(), reply.usage());
      assertTrue(reply.usage().cachedTokens() > 140, reply.usage().toString());
    }
  }

  @Test
  void whatWasForgottenIsNotInTheFile() throws IOException {
    Session session = model.newSession(GREEDY.system("Be brief."));
    session.send("Hello.");
    session.save(file());
    long before = Files.size(file());
    session.send("My password is xyzzy. " + "Keep it to yourself. ".repeat(40));
    session.save(file());
    assertTrue(Files.size(file()) > before + 100_000);
    session.rewindTurns(1);
    session.save(file());
    // The file is as long as before, but for the next turn's first tokens, which are the same.
    assertTrue(Files.size(file()) < before + 10_000, before + " and " + Files.size(file()));
    byte[] bytes = Files.readAllBytes(file());
    assertFalse(new String(bytes, java.nio.charset.StandardCharsets.UTF_16BE).contains("xyzzy"));
  }

  @Test
  void toolCallsComeBack() {
    List<Message> history =
        List.of(
            new Message.System("Be brief."),
            new Message.User("Weather in Oslo and Rome?"),
            new Message.Assistant(
                "Let me see.",
                List.of(
                    new ToolCall("call00000", "weather", "{\"city\":\"Oslo\"}"),
                    new ToolCall("call00001", "weather", "{\"city\":\"Rome\"}"))),
            new Message.ToolResult("call00000", "weather", "rain"),
            new Message.ToolResult("call00001", "weather", "sun"),
            new Message.Assistant("Rain in Oslo, sun in Rome."));
    model.newSession(GREEDY, history).save(file());
    Session restored = model.restoreSession(file(), GREEDY.system("Be brief."));
    assertEquals(history, restored.history());
    assertFalse(restored.send("Thank you.").text().isEmpty());
    IllegalArgumentException other =
        assertThrows(
            IllegalArgumentException.class,
            () -> model.restoreSession(file(), GREEDY.system("Be long.")));
    assertTrue(other.getMessage().contains("another system prompt"), other.getMessage());
  }

  @Test
  void rawTextStaysRawText() {
    Session session = model.newSession(GREEDY.raw().maxTokens(6));
    session.send("The capital of France is");
    session.save(file());
    String expected = session.send(" And the capital of Italy is").text();
    Session restored = model.restoreSession(file(), GREEDY.maxTokens(6));
    assertEquals(expected, restored.send(" And the capital of Italy is").text());
    model.newSession(GREEDY).save(file());
    assertThrows(IllegalArgumentException.class, () -> model.restoreSession(file(), GREEDY.raw()));
    assertTrue(model.restoreSession(file()).history().isEmpty());
  }

  @Test
  void otherModelsAndCachesRefuseIt() {
    Session session = model.newSession(GREEDY);
    session.send("Hello");
    session.save(file());
    try (Model other = Model.open(TestModels.path("tekken-tiny.gguf"))) {
      String reason = refusal(other, file());
      assertTrue(reason.contains("another model"), reason);
      assertEquals(0, other.newSession().history().size());
    }
    ModelOptions q8 = Model.options().contextSize(1024).kvCacheType(KvCacheType.Q8_0);
    try (Model other = Model.open(TestModels.smolLm2(), q8)) {
      String reason = refusal(other, file());
      assertTrue(reason.contains("f16") && reason.contains("q8_0"), reason);
      Session own = other.newSession(GREEDY);
      own.send("Hello");
      own.save(file());
      String expected = own.send("Who are you?").text();
      assertEquals(expected, other.restoreSession(file(), GREEDY).send("Who are you?").text());
    }
  }

  private static String refusal(Model model, Path file) {
    SessionFileException refused =
        assertThrows(SessionFileException.class, () -> model.restoreSession(file));
    assertEquals(file, refused.file());
    assertTrue(refused.getMessage().endsWith(refused.reason()));
    return refused.reason();
  }

  @Test
  void damageIsRefused() throws IOException {
    Session session = model.newSession(GREEDY);
    session.send("Hello");
    session.save(file());
    byte[] good = Files.readAllBytes(file());
    Path damaged = folder.resolve("damaged.session");
    Random random = new Random(1);
    int conversationBytes = ByteBuffer.wrap(good).getInt(20);
    for (int i = 0; i < 250; i++) {
      byte[] bytes = good.clone();
      // Every byte of the header, many of what was said, and some of the keys and values.
      int most = i < 200 ? HEADER_BYTES + conversationBytes : bytes.length;
      int at = i < HEADER_BYTES ? i : random.nextInt(most);
      bytes[at] ^= (byte) (1 << random.nextInt(8));
      Files.write(damaged, bytes);
      assertFalse(refusal(model, damaged).isEmpty());
    }
    for (int i = 0; i < 250; i++) {
      int length = i < 200 ? i : random.nextInt(good.length);
      Files.write(damaged, Arrays.copyOf(good, length));
      assertFalse(refusal(model, damaged).isEmpty());
    }
    Files.write(damaged, Arrays.copyOf(good, good.length + 1));
    assertTrue(refusal(model, damaged).contains("should have"));
    assertTrue(refusal(model, folder.resolve("none")).contains("there is no such file"));
    assertFalse(refusal(model, folder).isEmpty());
    assertFalse(model.restoreSession(file(), GREEDY).send("Go on.").text().isEmpty());
  }

  /** With good checksums: what somebody made up. */
  @Test
  void hostileFilesAreRefusedOrHarmless() throws IOException {
    Session session = model.newSession(GREEDY);
    session.send("Hello");
    session.save(file());
    final String expected = model.restoreSession(file(), GREEDY).send("Go on.").text();
    byte[] good = Files.readAllBytes(file());
    int conversationBytes = ByteBuffer.wrap(good).getInt(20);
    Path hostile = folder.resolve("hostile.session");
    Random random = new Random(2);
    int refused = 0;
    for (int i = 0; i < 300; i++) {
      byte[] bytes = good.clone();
      for (int changes = 1 + random.nextInt(3); changes > 0; changes--) {
        int at = HEADER_BYTES + random.nextInt(conversationBytes);
        bytes[at] = (byte) (random.nextBoolean() ? random.nextInt(256) : -random.nextInt(2));
      }
      seal(bytes, HEADER_BYTES, conversationBytes);
      Files.write(hostile, bytes);
      try {
        Session made = model.restoreSession(hostile, GREEDY.maxTokens(1));
        if (i % 20 == 0) {
          made.send("Go on.");
        }
      } catch (NautilException e) {
        refused++;
      }
    }
    assertTrue(refused > 30, "refused " + refused);
    assertEquals(expected, model.restoreSession(file(), GREEDY).send("Go on.").text());
  }

  @Test
  void keysAndValuesThatAreNoNumbersHarmNobody() throws IOException {
    Session session = model.newSession(GREEDY);
    final String expected = session.send("Hello").text();
    session.save(file());
    byte[] bytes = Files.readAllBytes(file());
    int block = HEADER_BYTES + ByteBuffer.wrap(bytes).getInt(20) + 4;
    int blockHeader = 40;
    Arrays.fill(bytes, block + blockHeader, bytes.length - 4, (byte) -1);
    seal(bytes, block, bytes.length - 4 - block);
    Files.write(file(), bytes);
    try (Model other = open()) {
      Session restored = other.restoreSession(file(), GREEDY);
      assertThrows(NautilException.class, () -> restored.send("Go on."));
      assertThrows(NautilException.class, () -> restored.fork().send("Go on."));
      // Nor would others that begin with the same words go on from it.
      assertEquals(expected, other.newSession(GREEDY).send("Hello").text());
    }
    bytes[block + 20] = 1;
    seal(bytes, block, bytes.length - 4 - block);
    Files.write(file(), bytes);
    assertTrue(refusal(model, file()).contains("keys and values"));
  }

  private static void seal(byte[] bytes, int start, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, start, length);
    ByteBuffer.wrap(bytes).putInt(start + length, (int) crc.getValue());
  }

  @Test
  void savesWhileOthersTalk() {
    Session session = model.newSession(GREEDY);
    session.send("Count from one to ten. " + "Take your time. ".repeat(100));
    session.save(file());
    final String expected = session.fork().send("Go on.").text();
    final String other = model.newSession(GREEDY.maxTokens(60)).send("What is water?").text();
    List<CompletableFuture<String>> talks =
        Stream.generate(
                () ->
                    CompletableFuture.supplyAsync(
                        () -> model.newSession(GREEDY.maxTokens(60)).send("What is water?").text(),
                        task -> new Thread(task).start()))
            .limit(3)
            .toList();
    int saves = 0;
    while (saves < 3 || talks.stream().anyMatch(talk -> !talk.isDone())) {
      session.save(file());
      assertEquals(session.history(), model.restoreSession(file(), GREEDY).history());
      saves++;
    }
    talks.forEach(talk -> assertEquals(other, talk.join()));
    assertEquals(expected, model.restoreSession(file(), GREEDY).send("Go on.").text());
  }

  @Test
  void nothingIsLeftBehind() throws IOException {
    Session session = model.newSession(GREEDY);
    session.send("Hello");
    SessionFileException none =
        assertThrows(
            SessionFileException.class, () -> session.save(folder.resolve("none/chat.session")));
    assertTrue(none.reason().contains("cannot be written"), none.reason());
    assertThrows(SessionFileException.class, () -> session.save(folder));
    session.save(file());
    session.save(file());
    Thread.currentThread().interrupt();
    assertThrows(CancelledException.class, () -> session.save(file()));
    assertTrue(Thread.interrupted());
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(List.of(file()), files.toList());
    }
    assertFalse(session.send("Go on.").text().isEmpty());
    try (Reply.Stream stream = session.stream("Hello")) {
      assertThrows(IllegalStateException.class, () -> session.save(file()));
    }
  }

  @Test
  void aSmallerContextTakesWhatFits() {
    Session session = model.newSession(GREEDY);
    session.send("the quick brown fox jumps over the lazy dog ".repeat(40));
    session.save(file());
    try (Model small = Model.open(TestModels.smolLm2(), Model.options().contextSize(256))) {
      Session restored = small.restoreSession(file(), GREEDY);
      assertThrows(ContextFullException.class, () -> restored.send("Go on."));
      assertFalse(small.newSession(GREEDY).send("Hello").text().isEmpty());
    }
  }

  @Test
  void aClosedModelSaysSo() {
    Session session;
    try (Model closed = open()) {
      session = closed.newSession(GREEDY);
      session.send("Hello");
      session.save(file());
      closed.close();
      assertThrows(IllegalStateException.class, () -> closed.restoreSession(file()));
    }
    assertThrows(IllegalStateException.class, () -> session.save(file()));
  }
}
