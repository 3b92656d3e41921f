package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Every byte of small session files, one after the other. */
@Timeout(120)
class SessionFileFuzzTest {
  private static final int HEADER_BYTES = 28;
  private static final int CHECKSUM_BYTES = 4;
  private static final int BLOCK_HEADER_BYTES = 40;

  /** What restoring may take of the heap, whatever a file of some hundred bytes says. */
  private static final long MOST_HEAP_BYTES = 1 << 20;

  /** Of a byte: each of its bits, and several. */
  private static final int[] CHANGES = {1, 2, 4, 8, 16, 32, 64, 128, 0x55, 0x7f, 0xff};

  private static final SessionOptions GREEDY =
      Session.options().sampling(Sampling.greedy()).maxTokens(4);

  private static Model model;

  @TempDir static Path folder;

  /** With messages of every kind, and without keys and values. */
  private static byte[] said;

  /** With keys and values. */
  private static byte[] computed;

  /** What the session of the latter goes on with. */
  private static String expected;

  @BeforeAll
  static void save() throws IOException {
    model = Model.open(TestModels.path("tekken-tiny.gguf"), Model.options().contextSize(512));
    List<Message> history =
        List.of(
            new Message.System("é"),
            new Message.User("a"),
            new Message.Assistant("b", List.of(new ToolCall("callA0000", "f", "{}"))),
            new Message.ToolResult("callA0000", "f", "c"),
            new Message.Assistant("d"));
    Path file = folder.resolve("good.session");
    model.newSession(GREEDY, history).save(file);
    said = Files.readAllBytes(file);
    Session session = model.newSession(GREEDY.raw());
    session.send("a");
    session.save(file);
    computed = Files.readAllBytes(file);
    expected = session.send("b").text();
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @BeforeEach
  void theyAreWhatTheyShouldBe() throws IOException {
    assertEquals(HEADER_BYTES + conversationBytes(said) + CHECKSUM_BYTES, said.length);
    int block = blockStart(computed);
    assertTrue(computed.length > block + BLOCK_HEADER_BYTES + CHECKSUM_BYTES);
    assertEquals(5, restore(said).history().size());
  }

  private static int conversationBytes(byte[] bytes) {
    return ByteBuffer.wrap(bytes).getInt(20);
  }

  private static int blockStart(byte[] bytes) {
    return HEADER_BYTES + conversationBytes(bytes) + CHECKSUM_BYTES;
  }

  private static Session restore(byte[] bytes) throws IOException {
    Path file = Files.write(folder.resolve("fuzzed.session"), bytes);
    return model.restoreSession(file, GREEDY);
  }

  private static void assertRefused(byte[] bytes, String what) {
    assertFalse(
        assertThrows(SessionFileException.class, () -> restore(bytes), what).reason().isEmpty());
  }

  private static void seal(byte[] bytes, int start, int length) {
    CRC32C crc = new CRC32C();
    crc.update(bytes, start, length);
    ByteBuffer.wrap(bytes).putInt(start + length, (int) crc.getValue());
  }

  @Test
  void everyChangedByteIsRefused() {
    for (int at = 0; at < said.length; at++) {
      for (int change : CHANGES) {
        byte[] bytes = said.clone();
        bytes[at] ^= (byte) change;
        assertRefused(bytes, "byte " + at + " changed by " + change);
      }
    }
  }

  @Test
  void everyFlippedByteOfKeysAndValuesIsRefused() {
    // A step that is no multiple of a value's, a head's or a page's bytes.
    for (int at = 0; at < computed.length; at += at < 1000 ? 1 : 37) {
      byte[] bytes = computed.clone();
      bytes[at] = (byte) ~bytes[at];
      assertRefused(bytes, "byte " + at);
    }
  }

  @Test
  void everyTruncationIsRefused() {
    for (int length = 0; length < said.length; length++) {
      assertRefused(Arrays.copyOf(said, length), "of length " + length);
    }
    for (int length = 0; length < computed.length; length += length < 1000 ? 1 : 37) {
      assertRefused(Arrays.copyOf(computed, length), "of length " + length);
    }
    for (byte[] whole : List.of(said, computed)) {
      assertRefused(Arrays.copyOf(whole, whole.length - 1), "without its last byte");
      assertRefused(Arrays.copyOf(whole, whole.length + 1), "with a byte more");
    }
  }

  /** The same with good checksums: a session that nobody had, or a reason, and nothing else. */
  @Test
  void everyChangedByteOfWhatWasSaidIsRefusedOrHarmless() throws IOException {
    int refused = 0;
    int all = 0;
    for (int at = HEADER_BYTES; at < said.length - CHECKSUM_BYTES; at++) {
      for (int change : CHANGES) {
        byte[] bytes = said.clone();
        bytes[at] ^= (byte) change;
        seal(bytes, HEADER_BYTES, conversationBytes(said));
        refused += isRefused(bytes, all++ % 50 == 0) ? 1 : 0;
      }
    }
    assertTrue(refused > all / 4 && refused < all, refused + " of " + all);
    assertEquals(expected, restore(computed).send("b").text());
  }

  /** Of the header too, whose checksum is right: lengths and counts that cannot be. */
  @Test
  void absurdNumbersAreRefusedAtNoCost() throws IOException {
    for (int number :
        new int[] {
          Integer.MAX_VALUE,
          Integer.MIN_VALUE,
          -1,
          1 << 28,
          (1 << 28) + 1,
          1 << 24,
          said.length,
          said.length - HEADER_BYTES,
          said.length - HEADER_BYTES - CHECKSUM_BYTES + 1,
          0
        }) {
      byte[] bytes = said.clone();
      ByteBuffer.wrap(bytes).putInt(20, number);
      seal(bytes, 0, HEADER_BYTES - CHECKSUM_BYTES);
      assertTrue(isRefused(bytes, false), "a conversation of " + number + " bytes");
      for (int at = HEADER_BYTES; at <= said.length - CHECKSUM_BYTES - Integer.BYTES; at++) {
        bytes = said.clone();
        ByteBuffer.wrap(bytes).putInt(at, number);
        seal(bytes, HEADER_BYTES, conversationBytes(said));
        isRefused(bytes, false);
      }
    }
  }

  /** Of the file's keys and values nothing but the values may be another's. */
  @Test
  void everyChangedByteOfABlocksHeaderIsRefused() throws IOException {
    int block = blockStart(computed);
    for (int at = block; at < block + BLOCK_HEADER_BYTES; at++) {
      for (int change : CHANGES) {
        byte[] bytes = computed.clone();
        bytes[at] ^= (byte) change;
        seal(bytes, block, computed.length - CHECKSUM_BYTES - block);
        assertRefused(bytes, "byte " + (at - block) + " changed by " + change);
      }
    }
    assertEquals(expected, restore(computed).send("b").text());
  }

  private static boolean isRefused(byte[] bytes, boolean talk) throws IOException {
    long before = allocated();
    Session session;
    try {
      session = restore(bytes);
    } catch (SessionFileException e) {
      assertFalse(e.reason().isEmpty());
      return true;
    } finally {
      assertTrue(allocated() - before < MOST_HEAP_BYTES, "took " + (allocated() - before));
    }
    if (talk) {
      try {
        session.history();
        session.fork().send("Go on.");
      } catch (NautilException | IllegalStateException e) {
        // The format refuses it, or calls wait for results.
      }
    }
    return false;
  }

  private static long allocated() {
    return ((com.sun.management.ThreadMXBean) ManagementFactory.getThreadMXBean())
        .getThreadAllocatedBytes(Thread.currentThread().getId());
  }
}
