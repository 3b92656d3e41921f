package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.CancelledException;
import dev.nautil.ModelStore;
import dev.nautil.PullOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** A pull ends at once when its thread is interrupted, whatever it waits for, and can go on. */
@Timeout(60)
class CancelledPullTest {
  private static final int SIZE = 10 << 20;
  private static final int PIECE = 256 << 10;
  private static final PullOptions ONE = ModelStore.pullOptions().connections(1);

  /** All that a pull may wait for here takes longer by far. */
  private static final Duration AT_ONCE = Duration.ofMillis(1500);

  private static final Duration LONG = Duration.ofSeconds(40);
  private static final String MANIFEST = "/v2/m/manifests/latest";

  @TempDir static Path folder;
  @RegisterExtension static final ProxiedRegistry server = new ProxiedRegistry();
  private static final FaultProxy proxy = server.proxy;
  private static Path weights;
  private static String model;
  private static String blob;

  private final TestStore store = new TestStore();

  @BeforeAll
  static void start() {
    weights = TestStore.random(folder.resolve("m.gguf"), SIZE, 1);
    server.artifacts.pushByCurl("m", "latest", weights);
    model = proxy.host() + "/m";
    blob = "/v2/m/blobs/" + ModelArtifact.digest(weights);
  }

  @BeforeEach
  void waitLong() {
    // Or the silence would end it as well.
    store.with("NAUTIL_TIMEOUT", "60");
  }

  @AfterEach
  void theNextPullGoesOn() throws IOException {
    proxy.reset();
    store.docker("{}");
    long arrived = partialBytes();
    assertEquals(-1, Files.mismatch(weights, store.pull(model, ONE).file()));
    assertEquals(SIZE - arrived, proxy.bodyBytes("GET", blob));
    store.assertSound();
    store.close();
  }

  private long partialBytes() {
    return store.store().diskUsage().partialBytes();
  }

  /** Pulls on a thread that is interrupted as soon as something holds. */
  private void interrupt(PullOptions options, Callable<Boolean> holds) throws Exception {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    AtomicReference<Boolean> flag = new AtomicReference<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                store.pull(model, options);
              } catch (Throwable e) {
                thrown.set(e);
                flag.set(Thread.currentThread().isInterrupted());
              }
            });
    thread.start();
    while (!holds.call()) {
      assertTrue(thread.isAlive(), () -> String.valueOf(thrown.get()));
      Thread.sleep(5);
    }
    thread.interrupt();
    thread.join(AT_ONCE.toMillis());
    assertFalse(thread.isAlive());
    assertEquals(CancelledException.class, thrown.get().getClass(), () -> "" + thrown.get());
    assertEquals(true, flag.get());
    for (Thread each : Thread.getAllStackTraces().keySet()) {
      if (each.getName().startsWith("nautil-pull-")) {
        each.join(AT_ONCE.toMillis());
        assertFalse(each.isAlive(), each.getName());
      }
    }
  }

  private static Callable<Boolean> asked(String path, int times) {
    return () -> proxy.exchanges("GET", path).size() >= times;
  }

  @Test
  void whileABodyIsSilent() throws Exception {
    proxy.add(Fault.on("GET", blob).stallAfter(3_000_000));
    interrupt(ONE, () -> partialBytes() == PIECE * 11L);
  }

  @Test
  void whileABodyTrickles() throws Exception {
    proxy.add(Fault.on("GET", blob).rate(2 * PIECE));
    interrupt(ONE, () -> partialBytes() > 0);
  }

  @Test
  void whileAllPartsAreSilent() throws Exception {
    proxy.add(Fault.on("GET", blob).stallAfter(PIECE + 10));
    interrupt(ModelStore.pullOptions(), () -> partialBytes() == 4 * PIECE);
  }

  @Test
  void whileABodyIsAwaited() throws Exception {
    proxy.add(Fault.on("GET", blob).delay(LONG));
    interrupt(ModelStore.pullOptions(), asked(blob, 4));
  }

  @Test
  void whileABlobsRetryIsAwaited() throws Exception {
    proxy.add(Fault.on("GET", blob).status(503).retryAfter(LONG));
    interrupt(ModelStore.pullOptions(), asked(blob, 4));
  }

  @Test
  void whileTheManifestIsAwaited() throws Exception {
    proxy.add(Fault.on("GET", MANIFEST).delay(LONG));
    interrupt(ONE, asked(MANIFEST, 1));
    proxy.reset();
    proxy.add(Fault.on("GET", MANIFEST).stallAfter(10));
    interrupt(ONE, asked(MANIFEST, 1));
    proxy.reset();
    proxy.add(Fault.on("GET", MANIFEST).status(503).retryAfter(LONG));
    interrupt(ONE, asked(MANIFEST, 1));
  }

  @Test
  void whileATokenIsAwaited() throws Exception {
    String challenge = "Bearer realm=\"" + proxy.url() + "/token\",service=\"s\"";
    proxy.add(Fault.on("GET", MANIFEST).status(401).header("WWW-Authenticate", challenge));
    proxy.add(Fault.on("GET", "/token").delay(LONG));
    interrupt(ONE, asked("/token", 1));
  }

  @Test
  void whileACredentialHelperIsAwaited() throws Exception {
    Path pid = folder.resolve("pid");
    store.program(
        "docker-credential-slow",
        "echo $$ >" + pid + ".new\nmv " + pid + ".new " + pid + "\nexec sleep 40\n");
    store.docker("{\"credsStore\":\"slow\"}");
    interrupt(ONE, () -> Files.exists(pid));
    ProcessHandle helper =
        ProcessHandle.of(Long.parseLong(Files.readString(pid).strip())).orElse(null);
    if (helper != null) {
      helper.onExit().get(5, TimeUnit.SECONDS);
    }
  }

  @Test
  void byWhatTheListenerThrows() {
    proxy.add(Fault.on("GET", blob).stallAfter(3_000_000));
    IllegalStateException enough = new IllegalStateException("enough");
    PullOptions options =
        ONE.onProgress(
            progress -> {
              if (progress.done() > 2_000_000) {
                throw enough;
              }
            });
    assertEquals(
        enough, assertThrows(IllegalStateException.class, () -> store.pull(model, options)));
    assertTrue(partialBytes() > 1_000_000);
  }
}
