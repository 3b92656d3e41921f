package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.JavaProcess;
import dev.nautil.ModelNotFoundException;
import dev.nautil.PullException;
import dev.nautil.StoredModel;
import java.io.IOException;
import java.net.ProxySelector;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Proxies that clients know of, and mirrors. */
@Timeout(60)
class PullProxyTest {
  private static final int SIZE = 3_000_000;
  private static final String MODEL = "registry.test:5000/m";

  @TempDir static Path folder;
  private static Certificates certificates;
  private static DockerRegistry registry;
  private static DockerRegistry secure;
  private static FaultProxy origin;
  private static Path weights;
  private static String blob;

  private final TestStore store = new TestStore();
  private final ForwardProxy proxy = ForwardProxy.start();

  @BeforeAll
  static void start() {
    certificates = Certificates.of("secure.test");
    registry = DockerRegistry.start();
    secure = DockerRegistry.builder().tls(certificates).start();
    origin = FaultProxy.to(registry.url());
    weights = TestStore.random(folder.resolve("m.gguf"), SIZE, 1);
    blob = "/v2/m/blobs/" + ModelArtifact.digest(weights);
    Artifacts.in(registry).pushByCurl("m", "latest", weights);
    Artifacts.in(secure).pushByCurl("m", "latest", weights);
  }

  @AfterAll
  static void stop() {
    origin.close();
    registry.close();
    secure.close();
    certificates.close();
  }

  @BeforeEach
  void lead() {
    origin.reset();
    proxy.lead("registry.test:5000", origin.host()).lead("secure.test:443", secure.host());
    store.with("NAUTIL_PLAIN_HTTP", "registry.test:5000");
    store.with("NAUTIL_CA_FILE", certificates.authority().toString());
  }

  @AfterEach
  void close() {
    proxy.close();
    store.close();
  }

  private void assertPulled(String reference) throws IOException {
    StoredModel model = store.pull(reference);
    assertEquals(-1, Files.mismatch(weights, model.file()));
    store.assertSound();
  }

  @ParameterizedTest
  @ValueSource(strings = {"HTTP_PROXY", "http_proxy"})
  void withoutTls(String variable) throws IOException {
    assertPulled(pulledBy(variable, proxy.url().toString()));
    assertTrue(proxy.requests().size() >= 3);
    assertTrue(proxy.requests().get(0).target().startsWith("http://registry.test:5000/v2/"));
  }

  private String pulledBy(String variable, String value) {
    store.with(variable, value);
    return MODEL;
  }

  @ParameterizedTest
  @ValueSource(strings = {"HTTPS_PROXY", "https_proxy"})
  void throughTunnels(String variable) throws IOException {
    store.with(variable, proxy.host());
    assertPulled("secure.test/m");
    assertEquals("CONNECT", proxy.requests().get(0).method());
    assertEquals("secure.test:443", proxy.requests().get(0).target());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "registry.test",
        ".test",
        "*.test",
        "*",
        "a.b, test",
        "registry.test:5000",
        "TEST"
      })
  void exempt(String list) {
    store.with("HTTP_PROXY", proxy.url().toString()).with("no_proxy", list);
    store.refusal(PullException.class, MODEL);
    assertEquals(0, proxy.requests().size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"registry", "istry.test", "registry.test:5001", "10.0.0.0/8", "", ","})
  void notExempt(String list) throws IOException {
    store.with("HTTP_PROXY", proxy.url().toString()).with("NO_PROXY", list);
    assertPulled(MODEL);
  }

  @Test
  void thisMachineIsNotProxied() throws IOException {
    store.with("HTTP_PROXY", proxy.url().toString()).with("HTTPS_PROXY", proxy.url().toString());
    assertPulled(origin.host() + "/m");
    assertEquals(0, proxy.requests().size());
  }

  @Test
  void aProxyWithAPassword() throws IOException {
    proxy.require("me", "p@ss:w%rd");
    String message =
        store.with("HTTP_PROXY", proxy.url().toString()).refusal(PullException.class, MODEL);
    assertTrue(message.contains("the proxy wants credentials"), message);
    assertTrue(message.contains(proxy.host()), message);
    message =
        store
            .with("HTTP_PROXY", "http://me:wrong@" + proxy.host())
            .refusal(PullException.class, MODEL);
    assertTrue(message.contains("does not accept"), message);
    assertFalse(message.contains("wrong"), message);
    // Refusals are not repeated.
    assertEquals(2, proxy.requests().size());
    store.with("HTTP_PROXY", "http://me:p%40ss%3Aw%25rd@" + proxy.host());
    assertPulled(MODEL);
    assertEquals(0, origin.exchanges().stream().filter(PullProxyTest::hasPassword).count());
  }

  private static boolean hasPassword(FaultProxy.Exchange exchange) {
    return exchange.header("Proxy-Authorization") != null
        || exchange.header("Authorization") != null;
  }

  @Test
  void whatIsNoProxyIsAnError() {
    for (String value :
        new String[] {
          "socks5://ada:secret@x:1", "http://ada:secret@a b", "http://", "http://ada:secret@x:70000"
        }) {
      String message = store.with("HTTP_PROXY", value).refusal(PullException.class, MODEL);
      assertTrue(message.contains("HTTP_PROXY: "), message);
      assertFalse(message.contains("secret"), message);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {400, 403, 405})
  void aProxyThatMakesNoTunnelIsNotAskedAgain(int status) throws IOException {
    try (LoopbackServer refusing =
        new LoopbackServer(
            "refusing",
            client -> {
              Http1.Head.read(client.getInputStream());
              Http1.Head refusal = new Http1.Head("HTTP/1.1 " + status + " No");
              refusal.set("Content-Length", "0");
              refusal.writeTo(client.getOutputStream());
            })) {
      store.with("HTTPS_PROXY", "http://" + refusing.host());
      String message = store.refusal(PullException.class, "secure.test/m");
      assertTrue(message.contains("the proxy answers with HTTP status " + status), message);
      assertTrue(message.contains(refusing.host()), message);
      assertEquals(1, refusing.connections());
    }
  }

  /** The JDK reads once what it sends in tunnels, so that each case takes a process. */
  @Test
  void aTunnelWithAPassword() throws Exception {
    proxy.require("me", "p@ss");
    store.with("HTTPS_PROXY", "http://me:p%40ss@" + proxy.host());
    String said = run(List.of("dev.nautil.registry.PullProxyTest$Library"));
    assertTrue(said.contains("-Djdk.http.auth.tunneling.disabledSchemes="), said);
    assertFalse(said.contains("p@ss"), said);
    assertFalse(said.contains("p%40ss"), said);
    said = run(List.of("-Djdk.http.auth.tunneling.disabledSchemes=", Library.class.getName()));
    assertEquals("pulled", said);
    store.store().remove("secure.test/m");
    said = run(List.of("dev.nautil.cli.Main", "pull", "secure.test/m"));
    assertTrue(said.startsWith("sha256:"), said);
  }

  /** Pulls as a program that uses the library. */
  static final class Library {
    public static void main(String[] arguments) {
      try {
        dev.nautil.ModelStore.open().pull("secure.test/m");
        System.out.println("pulled");
      } catch (PullException e) {
        System.out.println(e.getMessage());
      }
    }
  }

  private String run(List<String> command) throws Exception {
    ProcessBuilder builder = JavaProcess.of(command).redirectErrorStream(true);
    builder.environment().putAll(store.environment());
    Process process = builder.start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(30, TimeUnit.SECONDS));
    return said.strip();
  }

  @Test
  void theJvmsProxyComesFirstAndGetsNoPasswordOfTheEnvironments() throws IOException {
    store.with("HTTP_PROXY", "http://me:secret@127.0.0.1:1");
    ProxySelector before = ProxySelector.getDefault();
    URI url = proxy.url();
    ProxySelector.setDefault(
        ProxySelector.of(new java.net.InetSocketAddress(url.getHost(), url.getPort())));
    try {
      assertPulled(MODEL);
    } finally {
      ProxySelector.setDefault(before);
    }
    assertFalse(proxy.requests().isEmpty());
    proxy.requests().forEach(each -> assertNull(each.authorization()));
  }

  @Test
  void theJvmsProperties() throws IOException {
    System.setProperty("http.proxyHost", "127.0.0.1");
    System.setProperty("http.proxyPort", String.valueOf(proxy.url().getPort()));
    try {
      assertPulled(MODEL);
    } finally {
      System.clearProperty("http.proxyHost");
      System.clearProperty("http.proxyPort");
    }
    assertFalse(proxy.requests().isEmpty());
  }

  @ParameterizedTest
  @ValueSource(strings = {"ALL_PROXY", "all_proxy"})
  void oneProxyForAll(String variable) throws IOException {
    store.with(variable, proxy.url().toString());
    assertPulled(MODEL);
    assertPulled("secure.test/m");
    assertTrue(proxy.requests().get(0).target().startsWith("http://registry.test:5000/v2/"));
    assertTrue(proxy.requests().stream().anyMatch(each -> each.method().equals("CONNECT")));
    // What is named for the scheme comes first.
    int before = proxy.requests().size();
    store.with("HTTP_PROXY", "http://127.0.0.1:1");
    store.refusal(PullException.class, MODEL);
    assertEquals(before, proxy.requests().size());
  }

  @ParameterizedTest
  @ValueSource(strings = {"registry.test", "registry.test:80"})
  void withoutTlsOnItsOwnPort(String listed) throws IOException {
    proxy.lead("registry.test:80", origin.host());
    store.with("HTTP_PROXY", proxy.url().toString()).with("HTTPS_PROXY", proxy.url().toString());
    store.with("NAUTIL_PLAIN_HTTP", listed);
    assertPulled("registry.test/m");
    assertPulled("registry.test:80/m");
  }

  private FaultProxy mirror() {
    FaultProxy mirror = FaultProxy.to(registry.url());
    store.with("NAUTIL_MIRRORS", origin.host() + "=" + mirror.url() + ", else.test=http://x");
    return mirror;
  }

  @Test
  void aMirrorIsUsedFirst() throws IOException {
    try (FaultProxy mirror = mirror()) {
      assertPulled(origin.host() + "/m");
      assertEquals(0, origin.exchanges().size());
      assertEquals(1, mirror.exchanges("GET", blob).size());
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {401, 403, 404, 429, 500})
  void whatAMirrorDoesNotGiveComesFromTheRegistry(int status) throws IOException {
    try (FaultProxy mirror = mirror()) {
      mirror.add(Fault.on("GET", blob).status(status));
      assertPulled(origin.host() + "/m");
      assertEquals(1, origin.exchanges("GET", blob).size());
      mirror.add(Fault.on("GET", ".*").status(status));
      assertPulled(origin.host() + "/m");
    }
  }

  @Test
  void aMirrorThatIsNotThere() throws IOException {
    mirror().close();
    assertPulled(origin.host() + "/m");
  }

  @Test
  void aMirrorThatBreaksMidway() throws IOException {
    try (FaultProxy mirror = mirror()) {
      mirror.add(Fault.on("GET", blob).cutAfter(1_000_000));
      assertPulled(origin.host() + "/m");
      assertEquals(1, mirror.exchanges("GET", blob).size());
      long sent = origin.bodyBytes("GET", blob);
      assertTrue(sent < SIZE - 700_000, "the registry sent " + sent);
    }
  }

  @Test
  void aMirrorWithOtherBytes() throws IOException {
    try (FaultProxy mirror = mirror()) {
      mirror.add(Fault.on("GET", ".*/blobs/.*").flip(1));
      assertPulled(origin.host() + "/m");
      assertEquals(1, mirror.exchanges("GET", blob).size());
      assertEquals(1, origin.exchanges("GET", blob).size());
    }
  }

  @Test
  void whatNobodyHasIsTheRegistrysFailure() {
    try (FaultProxy mirror = mirror()) {
      mirror.add(Fault.on("GET", ".*").status(500));
      String message = store.refusal(ModelNotFoundException.class, origin.host() + "/none");
      assertTrue(message.contains(origin.host() + " does not have it"), message);
    }
  }

  /** As Harbor's proxy caches and other pull-through caches have them. */
  @ParameterizedTest
  @ValueSource(strings = {"/v2/cache/hub", "/v2/cache/hub/"})
  void aMirrorUnderAPrefix(String path) throws IOException {
    try (TokenServer tokens = TokenServer.start().user("ada", "secret");
        DockerRegistry closed = DockerRegistry.builder().tokens(tokens).start();
        FaultProxy mirror = FaultProxy.to(closed.url())) {
      Artifacts.in(closed, "ada", "secret").pushByCurl("cache/hub/m", "latest", weights);
      tokens.forget();
      store.with("NAUTIL_MIRRORS", origin.host() + "=" + mirror.url() + path);
      assertPulled(origin.host() + "/m");
      assertEquals(0, origin.exchanges().size());
      assertEquals(1, mirror.exchanges("GET", blob.replace("/v2/", "/v2/cache/hub/")).size());
      assertEquals("repository:cache/hub/m:pull", tokens.requests().get(0).parameter("scope"));
    }
  }

  @Test
  void aMirrorThatIsNoAddress() {
    for (String address : List.of("http://ada:secret@ a", "http://ada:secret@x:70000", "ftp://x")) {
      store.with("NAUTIL_MIRRORS", origin.host() + "=" + address);
      String message = store.refusal(PullException.class, origin.host() + "/m");
      assertTrue(message.contains("NAUTIL_MIRRORS"), message);
      assertFalse(message.contains("secret"), message);
    }
  }
}
