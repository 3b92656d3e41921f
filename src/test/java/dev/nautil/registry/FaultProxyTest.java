package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.Random;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Each fault as curl sees it, whose exit codes its manual page lists. */
class FaultProxyTest {
  private static final int SIZE = 2_000_000;
  private static final String BLOBS = "/v2/m/blobs/.*";

  // Curl's exit codes.
  private static final int PARTIAL_FILE = 18;
  private static final int RANGE_ERROR = 33;
  private static final int TIMED_OUT = 28;
  private static final int EMPTY_REPLY = 52;

  @TempDir static Path folder;
  private static final byte[] BYTES = new byte[SIZE];
  @RegisterExtension static final ProxiedRegistry server = new ProxiedRegistry();
  private static final FaultProxy proxy = server.proxy;
  private static final Artifacts artifacts = server.artifacts;
  private static String url;

  @BeforeAll
  static void start() throws IOException {
    new Random(7).nextBytes(BYTES);
    Path file = Files.write(folder.resolve("m.gguf"), BYTES);
    String digest = artifacts.pushBlob("m", file, ModelArtifact.DOCKER_GGUF).digest();
    url = proxy.url() + "/v2/m/blobs/" + digest;
  }

  private static Fault onBlobs() {
    return Fault.on("GET", BLOBS);
  }

  /**
   * Has curl go on with a file that has the first quarter; of a half it would take a rest of the
   * same length, in the wrong place, for the sign that nothing is missing.
   */
  private static Curl.Answer resume() throws IOException {
    Path file = Files.write(folder.resolve("begun"), Arrays.copyOf(BYTES, SIZE / 4));
    return Curl.run("-C", "-", "-o", file.toString(), url);
  }

  @Test
  void withoutFaultsAllPasses() throws IOException {
    assertArrayEquals(BYTES, Curl.run(url).ok().body());
    assertEquals(0, resume().code());
    assertArrayEquals(BYTES, Files.readAllBytes(folder.resolve("begun")));
    assertEquals(2, proxy.exchanges("GET", BLOBS).size());
    FaultProxy.Exchange second = proxy.exchanges().get(1);
    assertEquals("bytes=" + SIZE / 4 + "-", second.header("range"));
    assertEquals(206, second.status());
    assertEquals(3 * SIZE / 4, second.bodyBytes());
    assertEquals(SIZE + 3 * SIZE / 4, proxy.bodyBytes());
    assertEquals(SIZE + 3 * SIZE / 4, proxy.bodyBytes("GET", BLOBS));
    assertEquals(200, Curl.run("-I", url).ok().status());
  }

  @Test
  void uploadsPass() throws IOException {
    Path file = Files.write(folder.resolve("new"), Arrays.copyOf(BYTES, 1_500_000));
    String uploads = proxy.url() + "/v2/n/blobs/uploads/";
    String location = Curl.run("-X", "POST", uploads).ok().header("Location");
    assertTrue(location.startsWith(proxy.url().toString()), location);
    String digest = ModelArtifact.digest(file);
    // Of this size curl waits to be told that the body is wanted; in chunks, once.
    String target = location + "&digest=" + digest;
    String chunked = "Transfer-Encoding: chunked";
    assertEquals(201, Curl.run("-T", file.toString(), "-H", chunked, target).ok().status());
    assertEquals(
        digest, ModelArtifact.digest(Curl.run(proxy.url() + "/v2/n/blobs/" + digest).body()));
  }

  @Test
  void connectionsAreUsedAgain() throws Exception {
    HttpClient client = HttpClient.newHttpClient();
    HttpRequest request = HttpRequest.newBuilder(URI.create(url)).build();
    for (int i = 0; i < 3; i++) {
      HttpResponse<byte[]> answer = client.send(request, BodyHandlers.ofByteArray());
      assertArrayEquals(BYTES, answer.body());
    }
    assertEquals(3, proxy.exchanges().size());
    Curl.Answer twice = Curl.run("-v", url, "-o", "/dev/null", url);
    assertTrue(twice.errors().contains("Re-using existing connection"), twice.errors());
  }

  @Test
  void cuts() {
    proxy.add(onBlobs().times(1).cutAfter(123_456));
    Curl.Answer answer = Curl.run(url);
    assertEquals(PARTIAL_FILE, answer.code());
    assertArrayEquals(Arrays.copyOf(BYTES, 123_456), answer.body());
    assertEquals(123_456, proxy.bodyBytes());
    assertEquals(0, Curl.run(url).code());
  }

  @Test
  void cutsChunks() {
    proxy.add(onBlobs().skip(1).cutAfter(1000).header("Content-Length", null));
    proxy.add(onBlobs().header("Content-Length", null));
    Curl.Answer whole = Curl.run(url).ok();
    assertEquals("chunked", whole.header("Transfer-Encoding"));
    assertArrayEquals(BYTES, whole.body());
    Curl.Answer cut = Curl.run(url);
    assertEquals(PARTIAL_FILE, cut.code());
    assertEquals(1000, cut.body().length);
  }

  @Test
  void dropsAndStalls() {
    proxy.add(onBlobs().times(1).drop());
    assertEquals(EMPTY_REPLY, Curl.run(url).code());
    proxy.add(onBlobs().times(1).stallAfter(5000));
    Curl.Answer stalled = Curl.run("-m", "1", url);
    assertEquals(TIMED_OUT, stalled.code());
    assertEquals(5000, stalled.body().length);
    proxy.add(onBlobs().delay(Duration.ofMinutes(1)));
    assertEquals(TIMED_OUT, Curl.run("-m", "0.2", url).code());
  }

  @Test
  void isSlow() {
    proxy.add(onBlobs().times(1).rate(10));
    Curl.Answer trickle = Curl.run("-m", "1", url);
    assertEquals(TIMED_OUT, trickle.code());
    assertTrue(trickle.body().length >= 1 && trickle.body().length <= 11, "" + trickle);
    proxy.add(onBlobs().rate(8_000_000));
    long start = System.nanoTime();
    assertArrayEquals(BYTES, Curl.run(url).ok().body());
    double seconds = (System.nanoTime() - start) / 1e9;
    assertTrue(seconds >= 0.2, seconds + " s");
  }

  @Test
  void answersByItself() throws Exception {
    Instant date = Instant.parse("2030-01-02T03:04:05Z");
    proxy.add(onBlobs().times(1).status(429).retryAfter(Duration.ofSeconds(1)));
    proxy.add(onBlobs().times(1).status(503).retryAfter(date));
    proxy.add(onBlobs().times(1).status(401).header("WWW-Authenticate", "Basic realm=\"r\""));
    proxy.add(onBlobs().times(1).answer(404, "text/plain", new byte[] {'n', 'o'}));
    proxy.add(onBlobs().times(1).status(416));
    // Curl waits as long as it is told to, then tries again.
    Curl.Answer unavailable = Curl.run("--retry", "1", url);
    assertEquals(503, unavailable.status());
    assertEquals("Wed, 02 Jan 2030 03:04:05 GMT", unavailable.header("Retry-After"));
    Duration between =
        Duration.between(proxy.exchanges().get(0).time(), proxy.exchanges().get(1).time());
    assertTrue(between.toMillis() >= 900, "" + between);
    assertEquals("Basic realm=\"r\"", Curl.run(url).header("WWW-Authenticate"));
    Curl.Answer absent = Curl.run(url);
    assertEquals(404, absent.status());
    assertEquals("no", absent.text());
    assertEquals(22, Curl.run("-f", url).code());
    assertEquals(416, proxy.exchanges().get(4).status());
    assertArrayEquals(BYTES, Curl.run(url).ok().body());
  }

  @Test
  void changesBytes() {
    proxy.add(onBlobs().times(2).flip(777_777));
    byte[] wrong = Curl.run(url).ok().body();
    assertEquals(777_777, Arrays.mismatch(BYTES, wrong));
    wrong[777_777] ^= (byte) 0xFF;
    assertArrayEquals(BYTES, wrong);
  }

  @Test
  void misbehavesAboutRanges() throws IOException {
    proxy.add(onBlobs().times(1).ignoreRange());
    assertEquals(RANGE_ERROR, resume().code());
    assertEquals(200, proxy.exchanges().get(0).status());
    assertEquals("bytes=" + SIZE / 4 + "-", proxy.exchanges().get(0).header("Range"));

    proxy.add(onBlobs().times(1).shiftRange(-1));
    assertEquals(RANGE_ERROR, resume().code());

    proxy.add(onBlobs().times(1).shiftRangeTotal(5));
    Curl.Answer answer = Curl.run("-r", "10-19", url).ok();
    assertEquals("bytes 10-19/" + (SIZE + 5), answer.header("Content-Range"));
    assertArrayEquals(Arrays.copyOfRange(BYTES, 10, 20), answer.body());
  }

  @Test
  void redirects() {
    try (FaultProxy other = FaultProxy.to(server.registry.url())) {
      String otherName = other.host().replace("127.0.0.1", "localhost");
      proxy.add(onBlobs().times(1).redirect(307, otherName));
      Curl.Answer answer = Curl.run("-L", "-u", "ada:secret", "-r", "5-", url).ok();
      assertEquals(206, answer.status());
      assertArrayEquals(Arrays.copyOfRange(BYTES, 5, SIZE), answer.body());
      assertEquals(307, proxy.exchanges().get(0).status());
      assertTrue(proxy.exchanges().get(0).header("Authorization").startsWith("Basic "));
      FaultProxy.Exchange followed = other.exchanges().get(0);
      assertEquals(otherName, followed.header("Host"));
      assertEquals(proxy.exchanges().get(0).target(), followed.target());
      assertNull(followed.header("Authorization"));
      assertEquals("bytes=5-", followed.header("Range"));

      String place = other.url() + "/elsewhere?x=1";
      proxy.add(onBlobs().times(1).redirect(302, place));
      assertEquals(place, Curl.run(url).header("Location"));
    }
  }
}
