package dev.nautil.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.ModelStore;
import dev.nautil.PullException;
import dev.nautil.PullProgress;
import dev.nautil.registry.Fault;
import dev.nautil.registry.ModelArtifact;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Duration;
import java.util.Arrays;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Pulls that find parts of a blob which are not what they should be. */
class ResumedPullTest {
  private static final int SIZE = 3 << 20;
  private static final int PIECE = 256 << 10;

  @TempDir Path folder;
  private Origin origin;
  private Origin.Source model;
  private Path home;

  private static final class Enough extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  /** Half of the blob is there. */
  @BeforeEach
  void begin() throws IOException {
    origin = new Origin(folder);
    model = origin.push("resumed", ModelArtifact.docker(origin.file(SIZE)));
    home = folder.resolve("home");
    origin.proxy.add(Fault.on("GET", ".*/blobs/" + model.weights()).rate(4 * SIZE));
    assertThrows(
        Enough.class,
        () ->
            store()
                .pull(
                    model.reference(),
                    ModelStore.pullOptions().connections(1).onProgress(this::requireLess)));
    assertTrue(journalled() >= SIZE / 4 && journalled() < SIZE, journalled() + " bytes");
    origin.proxy.reset();
  }

  private void requireLess(PullProgress progress) {
    if (progress.done() > SIZE / 4) {
      throw new Enough();
    }
  }

  @AfterEach
  void end() {
    origin.close();
  }

  private ModelStore store() {
    return origin.store(home);
  }

  private Path part(String suffix) {
    return home.resolve("blobs/sha256").resolve(model.weights().substring(7) + suffix);
  }

  private long journalled() throws IOException {
    return (long) new StoreCheck(home).pieces(model.weights()).cardinality() * PIECE;
  }

  private void requirePulled(long least, long most) throws IOException {
    store().pull(model.reference());
    long sent = origin.sent(model.weights());
    assertTrue(sent >= least && sent <= most, sent + " bytes were sent");
    StoreCheck check = new StoreCheck(home);
    check.requireValid(origin.sources());
    check.requireNoWaste();
  }

  private void spoil() throws IOException {
    byte[] bytes = Files.readAllBytes(part(".incomplete"));
    bytes[10] ^= 1;
    Files.write(part(".incomplete"), bytes);
  }

  @Test
  void theRestAlone() throws IOException {
    requirePulled(SIZE - journalled(), SIZE - journalled());
  }

  @Test
  void aPieceIsNotWhatArrived() throws IOException {
    long rest = SIZE - journalled();
    spoil();
    requirePulled(rest + SIZE, rest + SIZE);
  }

  @Test
  void aPieceIsNotWhatArrivedAndTheServerHasNoSuchRange() throws IOException {
    spoil();
    // Meanwhile the pieces before are hashed, which are then forgotten.
    origin.proxy.add(
        Fault.on("GET", ".*/blobs/" + model.weights())
            .delay(Duration.ofMillis(500))
            .status(416)
            .times(1));
    requirePulled(SIZE, 2 * SIZE);
  }

  @Test
  void theFileIsLongerThanTheBlob() throws IOException {
    // As another size in another manifest would have made it.
    Files.write(part(".incomplete"), new byte[SIZE + PIECE], StandardOpenOption.APPEND);
    requirePulled(SIZE - journalled(), SIZE - journalled());
  }

  @Test
  void theJournalIsOfNoUse() throws IOException {
    Files.write(part(".journal"), new byte[] {1, 2, 3});
    requirePulled(SIZE, SIZE);
  }

  @Test
  void theFileIsGoneAndTheJournalIsNot() throws IOException {
    Files.delete(part(".incomplete"));
    origin.proxy.add(Fault.on("GET", ".*/blobs/" + model.weights()).cutAfter(2 * PIECE).times(1));
    requirePulled(SIZE, SIZE + PIECE);
  }

  @Test
  void theFileIsGoneAndAPieceBehindArrivesFirst() throws IOException {
    // The journal must not seem true of holes: here all but the first pieces fail to arrive.
    Files.delete(part(".incomplete"));
    origin.proxy.add(Fault.on("GET", ".*/blobs/" + model.weights()).status(404));
    assertThrows(PullException.class, () -> store().pull(model.reference()));
    try (var file =
        Files.newByteChannel(
            part(".incomplete"), StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      file.position(SIZE - 1).write(java.nio.ByteBuffer.wrap(new byte[1]));
    }
    assertEquals(0, journalled());
    origin.proxy.reset();
    requirePulled(SIZE, SIZE);
  }

  @Test
  void theServerSendsSomethingElse() throws IOException {
    origin.proxy.add(Fault.on("GET", ".*/blobs/" + model.weights()).flip(100));
    PullException failure =
        assertThrows(PullException.class, () -> store().pull(model.reference()));
    assertTrue(failure.getMessage().contains("damaged"), failure.getMessage());
    assertEquals(0, store().list().size());
    origin.proxy.reset();
    requirePulled(SIZE, SIZE);
  }

  @Test
  void aCutThatWasNoFault() throws IOException {
    byte[] bytes = Files.readAllBytes(part(".incomplete"));
    Files.write(part(".incomplete"), Arrays.copyOf(bytes, PIECE + 1));
    requirePulled(SIZE - PIECE, SIZE - PIECE);
  }
}
