package dev.nautil.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.ModelStore;
import dev.nautil.registry.Fault;
import dev.nautil.registry.FaultProxy.Exchange;
import dev.nautil.registry.ModelArtifact;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code kill -9} of processes that pull, at any instant. */
class KilledPullTest {
  private static final int KILLS = Integer.getInteger("nautil.test.kills", 50);
  private static final int SIZE = 16 << 20;
  private static final int PIECE = 256 << 10;
  private static final int CONNECTIONS = 2;

  /** Bytes a second of a connection. */
  private static final int RATE = 8 << 20;

  /**
   * Of a connection that ends: what has come of a piece, what the client has read ahead, and the
   * proxy's last portions.
   */
  private static final long IN_FLIGHT = PIECE + 3 * (RATE / 50) + (256 << 10);

  @TempDir Path folder;

  private static void delete(Path root) throws IOException {
    if (Files.exists(root)) {
      try (Stream<Path> all = Files.walk(root)) {
        for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(each);
        }
      }
    }
  }

  @Test
  void theStoreIsValidAndTheNextPullGoesOn() throws Exception {
    Path home = folder.resolve("home");
    StoreCheck check = new StoreCheck(home);
    Random random = new Random(20);
    try (Origin origin = new Origin(folder)) {
      Origin.Source model =
          origin.push(
              "killed",
              ModelArtifact.docker(origin.file(SIZE))
                  .layer(origin.file(3 * PIECE + 5), ModelArtifact.DOCKER_LICENSE)
                  .layer(origin.file(1000), ModelArtifact.DOCKER_TEMPLATE));
      origin.proxy.add(Fault.on("GET", ".*").rate(RATE));
      long start = System.nanoTime();
      assertEquals(0, pull(origin, home, model).waitFor(), () -> said(origin));
      long whole = System.nanoTime() - start;
      int resumed = 0;
      int complete = 0;
      for (int i = 0; i < KILLS; i++) {
        if (check.requireValid(origin.sources()).containsKey(model.reference())) {
          complete++;
          delete(home);
        }
        BitSet before = check.pieces(model.weights());
        boolean hadBlob = check.hasBlob(model.weights());
        origin.proxy.reset();
        origin.proxy.add(Fault.on("GET", ".*").rate(RATE));
        Process process = pull(origin, home, model);
        if (i % 3 == 0) {
          // The last moments, in which files get their names, are rarely met by chance.
          awaitLastByte(origin, model, process, before, hadBlob);
          TimeUnit.MICROSECONDS.sleep(random.nextInt(30_000));
        } else {
          // Nothing is fetched before the JVM is there.
          TimeUnit.NANOSECONDS.sleep((long) (whole * (0.15 + 0.65 * random.nextDouble())));
        }
        process.destroyForcibly().waitFor();

        Map<String, String> references = check.requireValid(origin.sources());
        requireUsable(origin, home, model, references);
        requireNothingTwice(origin, model, before, hadBlob);
        long sent = origin.sent(model.weights());
        BitSet after = check.pieces(model.weights());
        boolean hasBlob = check.hasBlob(model.weights());
        long gained = hadBlob ? 0 : (hasBlob ? SIZE : bytes(after)) - bytes(before);
        assertTrue(
            sent <= gained + CONNECTIONS * IN_FLIGHT,
            "kill " + i + ": " + sent + " bytes were sent, and " + gained + " kept");
        resumed += before.isEmpty() ? 0 : 1;
      }
      assertEquals(0, pull(origin, home, model).waitFor(), () -> said(origin));
      assertEquals(model.digest(), check.requireValid(origin.sources()).get(model.reference()));
      check.requireNoWaste();
      assertEquals(0, origin.store(home).diskUsage().partialBytes());
      // Else the instants are not spread over the pull.
      assertTrue(resumed >= KILLS / 4, resumed + " of the pulls found something");
      assertTrue(complete >= 1, "no pull ended before it was killed");
      System.out.println(
          KILLS + " kills: " + resumed + " pulls went on, " + complete + " had ended");
    }
  }

  private static long bytes(BitSet pieces) {
    return (long) pieces.cardinality() * PIECE;
  }

  private static Process pull(Origin origin, Path home, Origin.Source model) throws IOException {
    return origin.start(
        home, "pull", "--connections", String.valueOf(CONNECTIONS), model.reference());
  }

  private static String said(Origin origin) {
    try {
      return Files.readString(origin.said());
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  private static void awaitLastByte(
      Origin origin, Origin.Source model, Process process, BitSet before, boolean hadBlob)
      throws InterruptedException {
    long wanted = hadBlob ? 0 : SIZE - bytes(before);
    while (process.isAlive()
        && (origin.proxy.exchanges().isEmpty() || origin.sent(model.weights()) < wanted)) {
      Thread.sleep(2);
    }
  }

  /** Commands work on what a killed process left, and a model is shown only if it is whole. */
  private static void requireUsable(
      Origin origin, Path home, Origin.Source model, Map<String, String> references) {
    ModelStore store = origin.store(home);
    assertEquals(references.size(), store.list().size());
    assertEquals(references.size(), store.diskUsage().models());
    store.list().forEach(each -> assertEquals(1, each.references().size()));
    assertTrue(store.verify(progress -> {}).isEmpty());
    assertEquals(
        references.containsKey(model.reference()), store.find(model.reference()).isPresent());
  }

  /** No request asks for what was there. */
  private static void requireNothingTwice(
      Origin origin, Origin.Source model, BitSet before, boolean hadBlob) {
    for (Exchange each : origin.proxy.exchanges("GET", ".*/blobs/" + model.weights())) {
      assertFalse(hadBlob, "a blob is fetched that was there");
      String range = each.header("Range");
      String[] ends = range == null ? null : range.replace("bytes=", "").split("-");
      int first = ends == null ? 0 : Integer.parseInt(ends[0]) / PIECE;
      int last = ends == null ? SIZE / PIECE : Integer.parseInt(ends[1]) / PIECE;
      int there = before.nextSetBit(first);
      assertFalse(there >= 0 && there <= last, () -> "piece " + there + " was there: " + each);
    }
  }
}
