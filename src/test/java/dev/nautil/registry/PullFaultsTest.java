package dev.nautil.registry;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.ModelNotFoundException;
import dev.nautil.ModelStore;
import dev.nautil.PullException;
import dev.nautil.RegistryAccessException;
import dev.nautil.StoredModel;
import dev.nautil.registry.Artifacts.Pushed;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.List;
import java.util.Random;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What can go wrong between a registry and a pull, and what a pull makes of it. */
@Timeout(60)
class PullFaultsTest {
  private static final int SIZE = 5_000_000;

  /** Of which a pull fetches several parts at once. */
  private static final int LARGE_SIZE = 70 << 20;

  /** What is journalled at once, and so may be fetched twice where a connection breaks. */
  private static final int PIECE = 256 << 10;

  @TempDir static Path folder;
  @RegisterExtension static final ProxiedRegistry server = new ProxiedRegistry();
  private static final FaultProxy proxy = server.proxy;
  private static final Artifacts artifacts = server.artifacts;
  private static Path weights;
  private static String model;
  private static String blob;
  private static Path largeWeights;
  private static String largeModel;
  private static String largeBlob;

  private final TestStore store = new TestStore();

  @BeforeAll
  static void start() {
    weights = TestStore.random(folder.resolve("m.gguf"), SIZE, 1);
    Pushed pushed = artifacts.pushByCurl("m", "latest", weights);
    model = proxy.host() + "/m";
    blob = "/v2/m/blobs/" + pushed.layers().get(0).digest();
    largeWeights = TestStore.random(folder.resolve("large.gguf"), LARGE_SIZE, 2);
    Pushed large = artifacts.pushByCurl("large", "latest", largeWeights);
    largeModel = proxy.host() + "/large";
    largeBlob = "/v2/large/blobs/" + large.layers().get(0).digest();
  }

  @AfterEach
  void closeStore() {
    store.assertSound();
    store.close();
  }

  private static Fault onBlob() {
    return Fault.on("GET", blob);
  }

  private void assertPulled() throws IOException {
    assertHas(store.pull(model), weights);
  }

  private void assertLargePulled() throws IOException {
    assertHas(store.pull(largeModel, ModelStore.pullOptions()), largeWeights);
  }

  private void assertHas(StoredModel pulled, Path file) throws IOException {
    assertEquals(-1, Files.mismatch(file, pulled.file()));
    // Neither a journal nor a part.
    assertEquals(2, store.blobs().size(), () -> store.blobs().toString());
  }

  private long partialBytes() {
    return store.store().diskUsage().partialBytes();
  }

  @Test
  void cutsResumeWithinAPull() throws IOException {
    Random random = new Random(3);
    int cuts = 6;
    for (int i = 0; i < cuts; i++) {
      proxy.add(onBlob().times(1).cutAfter(random.nextInt(SIZE / cuts)));
    }
    assertPulled();
    long sent = proxy.bodyBytes("GET", blob);
    assertTrue(sent >= SIZE && sent <= SIZE + (long) cuts * PIECE, "sent " + sent);
    for (FaultProxy.Exchange each : proxy.exchanges("GET", blob)) {
      assertEquals(each.header("Range") == null ? 200 : 206, each.status());
    }
  }

  @Test
  void cutsOfParallelPartsResume() throws IOException {
    Random random = new Random(4);
    int cuts = 8;
    for (int i = 0; i < cuts; i++) {
      proxy.add(Fault.on("GET", largeBlob).times(1).cutAfter(random.nextInt(4 << 20)));
    }
    assertLargePulled();
    long sent = proxy.bodyBytes("GET", largeBlob);
    assertTrue(sent >= LARGE_SIZE && sent <= LARGE_SIZE + (long) cuts * PIECE, "sent " + sent);
  }

  @Test
  void layersComeAtOnce() throws IOException {
    Path[] layers = new Path[3];
    for (int i = 0; i < layers.length; i++) {
      layers[i] = TestStore.random(folder.resolve("layer-" + i), 100_000, 10 + i);
    }
    artifacts.pushByCurl("layers", "latest", layers);
    String blobs = "/v2/layers/blobs/(" + String.join("|", digests(layers)) + ")";
    proxy.add(Fault.on("GET", blobs).delay(Duration.ofSeconds(1)));
    store.pull(proxy.host() + "/layers", ModelStore.pullOptions().connections(3));
    List<FaultProxy.Exchange> asked = proxy.exchanges("GET", blobs);
    assertEquals(3, asked.size());
    Duration between = Duration.between(asked.get(0).time(), asked.get(2).time());
    assertTrue(between.toMillis() < 1000, between.toString());
  }

  private static List<String> digests(Path... files) {
    return Stream.of(files).map(ModelArtifact::digest).toList();
  }

  @Test
  void aPullGoesOnWhereTheLastOneFailed() throws IOException {
    proxy.add(onBlob().times(1).cutAfter(3_000_000)).add(onBlob().status(403));
    store.refusal(RegistryAccessException.class, model);
    long first = proxy.bodyBytes("GET", blob);
    long arrived = partialBytes();
    assertTrue(arrived > 3_000_000 - PIECE && arrived <= 3_000_000, "arrived " + arrived);
    proxy.reset();
    assertPulled();
    assertEquals(SIZE - arrived, proxy.bodyBytes("GET", blob));
    assertTrue(first >= 3_000_000);
    assertEquals(0, partialBytes());
  }

  @Test
  void aRangeThatCannotBeSatisfiedBeginsAnew() throws IOException {
    proxy.add(onBlob().times(1).cutAfter(1_000_000)).add(onBlob().times(1).status(416));
    assertPulled();
  }

  @Test
  void rangesThatAreAllRefusedAtOnceBeginAnewOnce() throws IOException {
    // One for each connection.
    proxy.add(Fault.on("GET", largeBlob).times(3).delay(Duration.ofMillis(100)).status(416));
    assertLargePulled();
  }

  @Test
  void rangesOfSomethingElseBeginAnew() throws IOException {
    proxy.add(onBlob().times(1).cutAfter(1_000_000)).add(onBlob().times(1).shiftRange(1));
    assertPulled();
  }

  @Test
  void anotherTotalBeginsAnew() throws IOException {
    proxy.add(onBlob().times(1).cutAfter(1_000_000)).add(onBlob().times(1).shiftRangeTotal(1));
    assertPulled();
  }

  @Test
  void anotherTotalEachTimeIsAnError() {
    proxy.add(onBlob().cutAfter(1_000_000).header("Content-Length", String.valueOf(SIZE + 1)));
    String message = store.refusal(PullException.class, model);
    assertTrue(message.contains(String.valueOf(SIZE + 1)), message);
    assertEquals(2, proxy.exchanges("GET", blob).size());
  }

  @Test
  void aServerWithoutRanges() throws IOException {
    proxy.add(Fault.on("GET", largeBlob).ignoreRange());
    assertLargePulled();
  }

  @Test
  void aServerWithoutRangesAfterAPart() throws IOException {
    proxy.add(onBlob().times(1).cutAfter(2_000_000)).add(onBlob().ignoreRange());
    assertPulled();
  }

  @Test
  void aServerWithoutRangesThatBreaksEachTimeIsGivenUp() {
    proxy.add(onBlob().ignoreRange().cutAfter(1_000_000));
    store.with("NAUTIL_TIMEOUT", "1");
    String message = store.refusal(PullException.class, model);
    assertTrue(message.contains("ended the connection early"), message);
    int requests = proxy.exchanges("GET", blob).size();
    assertTrue(requests <= 9, requests + " requests");
  }

  @Test
  void aFlippedByteIsFetchedAgain() throws IOException {
    proxy.add(onBlob().times(1).flip(1_234_567));
    assertPulled();
    assertEquals(2, proxy.exchanges("GET", blob).size());
  }

  @Test
  void whatStaysWrongIsAnError() {
    proxy.add(onBlob().flip(1_234_567));
    String message = store.refusal(PullException.class, model);
    assertTrue(message.contains(blob.replaceFirst(".*/", "")), message);
    assertEquals(2, proxy.exchanges("GET", blob).size());
    assertTrue(store.store().list().isEmpty());
  }

  @Test
  void aFlippedByteOfTheConfigIsFetchedAgain() throws IOException {
    proxy.add(
        Fault.on("GET", "/v2/m/blobs/(?!" + blob.replaceFirst(".*/", "") + ").*").times(1).flip(1));
    assertPulled();
    proxy.reset();
    proxy.add(Fault.on("GET", "/v2/m/blobs/.*").flip(1));
    String message = store.refusal(PullException.class, model);
    assertTrue(message.contains("another digest"), message);
    assertEquals(2, proxy.exchanges("GET", "/v2/m/blobs/.*").size());
  }

  @Test
  void damageOfWhatHasArrivedIsFetchedAgain() throws IOException {
    proxy.add(onBlob().times(1).cutAfter(3_000_000)).add(onBlob().status(403));
    store.refusal(RegistryAccessException.class, model);
    Path part =
        store.home().resolve("blobs/sha256").resolve(blob.replaceFirst(".*:", "") + ".incomplete");
    try (RandomAccessFile file = new RandomAccessFile(part.toFile(), "rw")) {
      file.seek(1_000_000);
      file.writeInt(12);
    }
    proxy.reset();
    assertPulled();
  }

  @Test
  void aServerThatFallsSilentIsAskedAgain() throws IOException {
    store.with("NAUTIL_TIMEOUT", "1");
    proxy.add(onBlob().times(1).stallAfter(1_000_000));
    assertPulled();
    long sent = proxy.bodyBytes("GET", blob);
    assertTrue(sent <= SIZE + PIECE, "sent " + sent);
  }

  @Test
  void aSlowLorisIsGivenUp() throws IOException {
    store.with("NAUTIL_TIMEOUT", "1");
    proxy.add(onBlob().times(1).rate(200));
    proxy.add(Fault.on("GET", ".*/manifests/.*").times(1).rate(50));
    assertPulled();
    assertEquals(2, proxy.exchanges("GET", blob).size());
    assertEquals(2, proxy.exchanges("GET", ".*/manifests/.*").size());
  }

  @Test
  void aServerThatDoesNotAnswerIsAskedAgain() throws IOException {
    store.with("NAUTIL_TIMEOUT", "1");
    proxy.add(onBlob().times(1).delay(Duration.ofSeconds(30)));
    assertPulled();
  }

  @Test
  void droppedConnectionsAreTriedAgain() throws IOException {
    proxy.add(Fault.on("GET", ".*/manifests/.*").times(2).drop()).add(onBlob().times(2).drop());
    assertPulled();
  }

  /** The first wait would be of a tenth of a second, up to twice that. */
  @ParameterizedTest
  @ValueSource(ints = {429, 503})
  void aRetryAfterInSecondsIsHonoured(int status) throws IOException {
    String manifest = "/v2/m/manifests/latest";
    proxy.add(Fault.on("GET", manifest).times(1).status(status).retryAfter(Duration.ofSeconds(2)));
    assertPulled();
    var requests = proxy.exchanges("GET", manifest);
    long waited = Duration.between(requests.get(0).time(), requests.get(1).time()).toMillis();
    assertTrue(waited >= 2000 && waited < 3500, "waited for " + waited + " ms");
  }

  @ParameterizedTest
  @ValueSource(ints = {429, 503})
  void aRetryAfterWithADateIsHonoured(int status) throws IOException {
    // A date has no fractions of a second.
    Instant date = Instant.now().plusSeconds(4).truncatedTo(ChronoUnit.SECONDS);
    proxy.add(onBlob().times(1).status(status).retryAfter(date));
    assertPulled();
    Instant again = proxy.exchanges("GET", blob).get(1).time();
    assertTrue(
        !again.isBefore(date) && again.isBefore(date.plusMillis(1500)),
        "asked again at " + again + " instead of " + date);
  }

  @Test
  void aRetryAfterThatIsOverDoesNotShortenTheWait() throws IOException {
    proxy.add(onBlob().times(1).status(503).retryAfter(Instant.now().minusSeconds(60)));
    proxy.add(onBlob().times(1).status(503).retryAfter(Duration.ZERO));
    proxy.add(onBlob().times(1).status(503).header("Retry-After", "soon"));
    assertPulled();
    var requests = proxy.exchanges("GET", blob);
    for (int i = 0; i < 3; i++) {
      long waited = Duration.between(requests.get(i).time(), requests.get(i + 1).time()).toMillis();
      assertTrue(waited >= 100L << i, "waited for " + waited + " ms");
    }
  }

  @Test
  void aLongWaitIsNotTaken() {
    proxy.add(onBlob().status(429).retryAfter(Duration.ofHours(1)));
    String message = store.refusal(PullException.class, model);
    assertTrue(message.contains("asked too often"), message);
    assertEquals(1, proxy.exchanges("GET", blob).size());
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 401, 403, 404, 451})
  void whatIsRefusedIsNotAskedForAgain(int status) {
    proxy.add(Fault.on("GET", ".*/manifests/.*").status(status));
    Class<? extends dev.nautil.NautilException> type =
        status == 404
            ? ModelNotFoundException.class
            : status == 401 || status == 403 ? RegistryAccessException.class : PullException.class;
    String message = store.refusal(type, model);
    assertTrue(message.contains(proxy.host()), message);
    assertEquals(1, proxy.exchanges("GET", ".*/manifests/.*").size());
  }

  @ParameterizedTest
  @ValueSource(ints = {408, 500, 502, 503, 504, 520, 522, 524})
  void whatIsTransientIsAskedForAgain(int status) throws IOException {
    proxy.add(Fault.on("GET", ".*/manifests/.*").times(2).status(status));
    assertPulled();
    assertEquals(3, proxy.exchanges("GET", ".*/manifests/.*").size());
  }

  @Test
  void whatStaysTransientIsGivenUp() {
    store.with("NAUTIL_TIMEOUT", "1");
    proxy.add(Fault.on("GET", ".*/manifests/.*").status(500));
    String message = store.refusal(PullException.class, model);
    assertTrue(message.contains("500"), message);
    assertEquals(6, proxy.exchanges("GET", ".*/manifests/.*").size());
  }

  @Test
  void aMissingBlobIsNoMissingModel() {
    proxy.add(onBlob().status(404));
    String message = store.refusal(PullException.class, model);
    assertTrue(message.contains("lacks its part sha256:"), message);
    assertEquals(1, proxy.exchanges("GET", blob).size());
    // Nor is a missing configuration, which is asked for first.
    proxy.reset();
    proxy.add(Fault.on("GET", "/v2/m/blobs/.*").status(404));
    message = store.refusal(PullException.class, model);
    assertTrue(message.contains("lacks its part sha256:"), message);
  }

  @Test
  void whatArrivedOfWhatHasMovedSinceIsFreed() throws IOException {
    Path old = TestStore.random(folder.resolve("old"), SIZE, 5);
    artifacts.pushByCurl("moving", "latest", old);
    String reference = proxy.host() + "/moving";
    String path = "/v2/moving/blobs/" + ModelArtifact.digest(old);
    proxy.add(Fault.on("GET", path).times(1).cutAfter(3_000_000));
    proxy.add(Fault.on("GET", path).status(403));
    store.refusal(RegistryAccessException.class, reference);
    Path now = TestStore.random(folder.resolve("now"), SIZE, 6);
    artifacts.pushByCurl("moving", "latest", now);
    assertHas(store.pull(reference), now);
    assertEquals(0, partialBytes());
  }

  @Test
  void redirectsToAnotherHostKeepTheRange() throws IOException {
    try (FaultProxy other = FaultProxy.to(server.registry.url())) {
      proxy.add(onBlob().redirect(307, other.host()));
      other.add(onBlob().times(1).cutAfter(2_000_000));
      assertPulled();
      assertEquals(0, proxy.bodyBytes("GET", blob));
      assertEquals(2, other.exchanges("GET", blob).size());
      String range = String.valueOf(other.exchanges("GET", blob).get(1).header("Range"));
      Matcher matcher = Pattern.compile("bytes=(\\d+)-" + (SIZE - 1)).matcher(range);
      assertTrue(matcher.matches(), range);
      assertTrue(Integer.parseInt(matcher.group(1)) > 2_000_000 - PIECE, range);
    }
  }

  @Test
  void connectionsAreUsedAgain() throws IOException {
    try (FaultProxy other = FaultProxy.to(server.registry.url())) {
      int before = proxy.connections();
      byte[] page = "<a href=\"there\">Temporary Redirect</a>.\n\n".getBytes(UTF_8);
      proxy.add(
          Fault.on("GET", largeBlob)
              .answer(307, "text/html", page)
              .rate(400)
              .header("Location", other.url() + largeBlob));
      assertHas(store.pull(largeModel, ModelStore.pullOptions().connections(2)), largeWeights);
      int parts = proxy.exchanges("GET", largeBlob).size();
      assertTrue(parts >= 5, parts + " parts");
      // One that asks whether there is TLS, and one for each thread.
      int used = proxy.connections() - before;
      assertTrue(used <= 4, used + " connections for " + parts + " parts");
      assertTrue(other.connections() <= 3, other.connections() + " to the other host");
    }
  }

  @Test
  void redirectsWithoutEnd() {
    proxy.add(Fault.on("GET", ".*/manifests/.*").redirect(302, proxy.host()));
    String message = store.refusal(PullException.class, model);
    assertTrue(message.contains("redirects more than"), message);
  }
}
