package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.PullException;
import dev.nautil.TestModels;
import dev.nautil.json.JsonValues;
import dev.nautil.registry.Artifacts.Descriptor;
import dev.nautil.store.RemoteFiles;
import dev.nautil.store.Store;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Registries that send what they should not: nothing of it is kept, and it is told. */
@Timeout(60)
class HostileRegistryTest {
  private static final String MANIFEST = "/v2/m/manifests/latest";

  @TempDir static Path folder;
  @RegisterExtension static final ProxiedRegistry server = new ProxiedRegistry();
  private static final FaultProxy proxy = server.proxy;
  private static final Artifacts artifacts = server.artifacts;
  private static Descriptor config;
  private static Descriptor weights;
  private static String model;

  private final TestStore store = new TestStore();

  @BeforeAll
  static void start() {
    Path file = TestStore.random(folder.resolve("m.gguf"), 400_000, 1);
    var pushed = artifacts.pushByCurl("m", "latest", file);
    config = pushed.config();
    weights = pushed.layers().get(0);
    model = proxy.host() + "/m";
  }

  @AfterEach
  void nothingIsKept() {
    assertEquals(List.of(), store.store().list());
    assertFalse(store.blobs().contains(weights.digest().substring(7)));
    store.close();
  }

  private static void answer(byte[] manifest) {
    proxy.reset();
    proxy.add(Fault.on("GET", MANIFEST).answer(200, Artifacts.MANIFEST, manifest));
  }

  private static void answer(String manifest) {
    answer(manifest.getBytes(StandardCharsets.UTF_8));
  }

  private static String json(Descriptor config, Descriptor... layers) {
    return new String(Artifacts.manifest(config, List.of(layers)), StandardCharsets.UTF_8);
  }

  private String refused() {
    return refused(model);
  }

  private String refused(String reference) {
    String message = store.refusal(PullException.class, reference);
    // Nor does it fill a screen, or command it.
    assertTrue(message.length() < 1000, () -> message.length() + " characters");
    assertFalse(message.matches("(?s).*\\p{Cc}.*"), message);
    return message;
  }

  private void assertRefused(String manifest, String word) {
    answer(manifest);
    String message = refused();
    assertTrue(message.contains(word), message);
    assertEquals(1, proxy.exchanges("GET", MANIFEST).size());
  }

  private static Descriptor sized(Descriptor descriptor, long size) {
    return new Descriptor(descriptor.mediaType(), descriptor.digest(), size, Map.of());
  }

  @Test
  void whatIsNoManifest() {
    assertRefused("<html>Log in to this network</html>", "it is no JSON");
    assertRefused("", "it is no JSON object");
    assertRefused("[]", "it is no JSON object");
    assertRefused("{}", "no list of layers");
    assertRefused("{\"layers\":{}}", "no list of layers");
    assertRefused("{\"layers\":[]}", "lacks a descriptor");
    assertRefused("{\"layers\":[7],\"config\":null}", "lacks a descriptor");
    assertRefused("{\"manifests\":[]}", "its index names no manifest");
    assertRefused("[".repeat(100_000), "no JSON");
    assertRefused("{\"layers\":" + "[".repeat(100_000), "no JSON");
    assertRefused(json(config, weights) + "{}", "no JSON");
    assertRefused("\u001b[2Jx" + "y".repeat(10_000), "no JSON");
  }

  @Test
  void namesThatComeTwice() {
    String manifest = json(config, weights);
    assertRefused(manifest.replaceFirst("\\{", "{\"layers\":[],"), "Duplicate field 'layers'");
  }

  @Test
  void layersThatAreNone() {
    assertRefused(json(config), "no GGUF file");
    Descriptor odd = new Descriptor("x/\u001b[2J", weights.digest(), 10, Map.of());
    assertRefused(json(config, odd), "no GGUF file");
    List<Descriptor> many = new ArrayList<>();
    for (int i = 0; i < 1000; i++) {
      many.add(new Descriptor("x/" + i, weights.digest(), 10, Map.of()));
    }
    assertRefused(json(config, many.toArray(new Descriptor[0])), "no GGUF file");
    for (String digest :
        List.of(
            "", "sha256:", "sha256:../../x", "md5:" + "0".repeat(32), "sha256:" + "A".repeat(64))) {
      Descriptor layer = new Descriptor(weights.mediaType(), digest, 10, Map.of());
      assertRefused(json(config, layer), "is no digest");
      assertRefused(json(layer, weights), "is no digest");
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "../x.gguf",
        "a/../../x.gguf",
        "/etc/x.gguf",
        "C:\\x.gguf",
        "\\\\host\\x.gguf",
        "a\\..\\x.gguf",
        "x\0.gguf",
        "..",
        "\u001b]0;/../"
      })
  void pathsThatLeadOut(String path) {
    Descriptor layer =
        new Descriptor(
            ModelArtifact.CNCF_RAW,
            weights.digest(),
            weights.size(),
            Map.of(ModelArtifact.FILE_PATH, path));
    assertRefused(json(config, layer), "leads out of the model's folder");
    // Of a layer that is not fetched, too.
    Descriptor other =
        new Descriptor(
            "x/y", weights.digest(), weights.size(), Map.of(ModelArtifact.FILE_PATH, path));
    assertRefused(json(config, weights, other), "leads out of the model's folder");
  }

  @Test
  void sizesThatAreNone() {
    String manifest = json(config, weights);
    for (String size :
        List.of("-1", "1.5", "1e30", "\"4\"", "null", "9223372036854775808", "true")) {
      assertRefused(
          manifest.replace("\"size\":" + weights.size(), "\"size\":" + size), "the size of");
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1_000_000_000_000_000L, Long.MAX_VALUE})
  void whatTheDiskCannotTakeIsNotBegun(long size) {
    answer(json(config, sized(weights, size)));
    String message = refused();
    assertTrue(message.contains("NAUTIL_HOME"), message);
    assertTrue(
        message.contains(String.format(Locale.ROOT, "%.1f GB are to be fetched", size / 1e9)),
        message);
    assertTrue(message.matches(".* has [0-9.]+ GB left.*"), message);
    assertTrue(message.contains(store.home().toString()), message);
    assertEquals(0, proxy.exchanges("GET", ".*/blobs/" + weights.digest()).size());
  }

  @Test
  void severalThatTogetherAreTooMany() {
    Descriptor other =
        new Descriptor(weights.mediaType(), "sha256:" + "1".repeat(64), Long.MAX_VALUE, Map.of());
    answer(json(config, sized(weights, Long.MAX_VALUE), other));
    assertTrue(refused().contains("NAUTIL_HOME"));
  }

  @Test
  void anotherSizeThanTheBlobHas() {
    for (long size : new long[] {0, 1, weights.size() - 1, weights.size() + 1}) {
      answer(json(config, sized(weights, size)));
      refused();
    }
  }

  @Test
  void aConfigThatIsTooLarge() {
    answer(json(sized(config, 300_000_000), weights));
    assertTrue(refused().contains("300000000"));
    answer(json(sized(config, Long.MAX_VALUE), weights));
    refused();
    assertEquals(0, proxy.exchanges("GET", ".*/blobs/.*").size());
  }

  @Test
  void aConfigThatIsNone() throws Exception {
    byte[] text = "[1]".getBytes(StandardCharsets.UTF_8);
    Path file = Files.write(folder.resolve("odd.json"), text);
    artifacts.pushBlob("m", file, ModelArtifact.DOCKER_CONFIG);
    Descriptor odd =
        new Descriptor(
            ModelArtifact.DOCKER_CONFIG, ModelArtifact.digest(file), text.length, Map.of());
    answer(json(odd, weights));
    refused();
  }

  @Test
  void aTemplateThatIsTooLarge() {
    Descriptor template =
        new Descriptor(ModelArtifact.DOCKER_TEMPLATE, weights.digest(), 5 << 20, Map.of());
    Descriptor other =
        new Descriptor(weights.mediaType(), config.digest(), config.size(), Map.of());
    answer(json(config, other, template));
    assertTrue(refused().contains(String.valueOf(5 << 20)));
  }

  @Test
  void aManifestThatIsTooLarge() {
    answer(" ".repeat((4 << 20) + 1));
    assertTrue(refused().contains("more than 4194304 bytes"));
  }

  @Test
  void anAnswerWithoutEnd() {
    proxy.add(
        Fault.on("GET", MANIFEST)
            .answer(200, Artifacts.MANIFEST, new byte[64 << 20])
            .header("Content-Length", null));
    assertTrue(refused().contains("more than 4194304 bytes"));
    assertTrue(proxy.bodyBytes("GET", MANIFEST) < 32 << 20);
  }

  @Test
  void aManifestOfAnotherDigest() {
    String digest = "sha256:" + "5".repeat(64);
    proxy.add(
        Fault.on("GET", ".*/manifests/.*")
            .answer(
                200, Artifacts.MANIFEST, json(config, weights).getBytes(StandardCharsets.UTF_8)));
    String message = store.refusal(PullException.class, model + "@" + digest);
    assertTrue(message.contains("another digest"), message);
    assertEquals(2, proxy.exchanges("GET", ".*/manifests/.*").size());
  }

  @Test
  void anIndexOfItself() {
    String index =
        JsonValues.write(
            Map.of(
                "manifests",
                List.of(Map.of("digest", weights.digest(), "size", 10, "mediaType", "x"))));
    answer(index);
    proxy.add(Fault.on("GET", ".*/manifests/sha256.*").status(404));
    store.refusal(dev.nautil.ModelNotFoundException.class, model);
  }

  /** What is shown of a model before it is pulled is checked, too. */
  @Test
  void aTextOfARemoteModelThatHasAnotherDigest() throws Exception {
    Path text = Files.writeString(folder.resolve("LICENSE"), "Do as you please.\n");
    Path tiny = TestModels.path("tiny-Q8_0.gguf");
    artifacts.push(
        "tiny", "latest", ModelArtifact.docker(tiny).layer(text, ModelArtifact.DOCKER_LICENSE));
    ModelReference reference = ModelReference.parse(proxy.host() + "/tiny");
    RemoteModel remote = new Store(store.environment()).remote(reference, false);
    try (RemoteFiles files = RemoteFiles.fetch(remote)) {
      assertEquals("Do as you please.\n", files.describe("tiny").licenses().get(0));
      proxy.add(Fault.on("GET", ".*/blobs/" + ModelArtifact.digest(text)).flip(1));
      RegistryException e = assertThrows(RegistryException.class, () -> files.describe("tiny"));
      assertTrue(e.getMessage().contains(ModelArtifact.digest(text)), e.getMessage());
    }
  }

  @Test
  void headersWithoutSense() {
    String challenge = "Bearer realm=\"" + "\\\"".repeat(20_000) + "\"," + "a=b,".repeat(2_000);
    proxy.add(Fault.on("GET", MANIFEST).status(401).header("WWW-Authenticate", challenge));
    refused();
    proxy.reset();
    proxy.add(Fault.on("GET", MANIFEST).status(307).header("Location", "http://[x"));
    refused();
    proxy.reset();
    proxy.add(Fault.on("GET", MANIFEST).status(307).header("Location", "file:///etc/passwd"));
    refused();
    proxy.reset();
    proxy.add(Fault.on("GET", MANIFEST).redirect(307, "http://127.0.0.1:70000/"));
    refused();
    proxy.reset();
    proxy.add(Fault.on("GET", MANIFEST).redirect(307, "http://else.test/%1b%5d0;x%07"));
    assertTrue(refused().contains("http://else.test/%1b%5d0;x%07 is not spoken to without TLS"));
    proxy.reset();
    proxy.add(
        Fault.on("GET", MANIFEST)
            .status(401)
            .header("WWW-Authenticate", "Bearer realm=\"http://127.0.0.1:70000/\""));
    refused();
    proxy.reset();
    proxy.add(Fault.on("GET", MANIFEST).status(429).header("Retry-After", "99999999999999999999"));
    proxy.add(Fault.on("GET", MANIFEST).status(404).times(1));
    store.with("NAUTIL_TIMEOUT", "1");
    refused();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\u001b[2J\r\n\r\n",
        "HTTP/1.1\r\n\r\n",
        "HTTP/1.1 2\u001b00 OK\r\n\r\n",
        "HTTP/1.1 200 OK\r\n\u001b[2J: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: some\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: x\r\n\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n\u001b\r\n{}",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-2\r\n{}\r\n0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n{}",
        "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}",
        "HTTP/1.1 206 OK\r\nContent-Length: 2\r\nContent-Range: bytes 5-1/-1\r\n\r\n{}",
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: h2c\r\n\r\n{}",
        "HTTP/1.1 100 Continue\r\n\r\n",
        "HTTP/1.1 999 \u001b[2J\r\nContent-Length: 0\r\n\r\n",
      })
  void answersThatAreNoHttp(String answer) {
    store.with("NAUTIL_TIMEOUT", "1");
    try (LoopbackServer odd =
        new LoopbackServer(
            "odd",
            client -> {
              Http1.Head.read(client.getInputStream());
              client.getOutputStream().write(answer.getBytes(StandardCharsets.ISO_8859_1));
            })) {
      store.with("NAUTIL_PLAIN_HTTP", odd.host());
      String message = refused(odd.host() + "/m");
      assertTrue(message.contains(odd.host()), message);
    }
  }

  @Test
  void hostsThatNoAddressCanHave() {
    for (String host : List.of("registry.1", "1.2.3.4.5:5000", "300.1.1.1")) {
      String message = refused(host + "/m");
      assertTrue(message.contains(host), message);
    }
  }
}
