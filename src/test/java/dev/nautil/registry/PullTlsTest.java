package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.ModelNotFoundException;
import dev.nautil.ModelStore;
import dev.nautil.PullException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyFactory;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;
import java.security.spec.PKCS8EncodedKeySpec;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whom a pull trusts, and that it does not do without TLS unless told. */
@Timeout(60)
class PullTlsTest {
  @TempDir static Path folder;
  private static Certificates certificates;
  private static DockerRegistry secure;
  private static DockerRegistry plain;
  private static ForwardProxy proxy;
  private static String model;

  private final TestStore store = new TestStore();

  @BeforeAll
  static void start() {
    certificates = Certificates.of("registry.test", "registry-1.docker.io");
    secure = DockerRegistry.builder().tls(certificates).basic("ada", "secret").start();
    plain = DockerRegistry.start();
    Path weights = TestStore.random(folder.resolve("m.gguf"), 600_000, 1);
    Artifacts.in(secure, "ada", "secret").pushByCurl("ai/m", "latest", weights);
    Artifacts.in(plain).pushByCurl("ai/m", "latest", weights);
    model = secure.host() + "/ai/m";
    proxy =
        ForwardProxy.start()
            .lead("registry.test:443", secure.host())
            .lead("other.test:443", secure.host())
            .lead("registry-1.docker.io:443", secure.host())
            .lead("plain.test:5000", plain.host());
  }

  @AfterAll
  static void stop() {
    proxy.close();
    plain.close();
    secure.close();
    certificates.close();
  }

  @AfterEach
  void closeStore() {
    store.close();
  }

  private TestStore known(String host) {
    String pair = Base64.getEncoder().encodeToString("ada:secret".getBytes(StandardCharsets.UTF_8));
    return store.docker("{\"auths\":{\"" + host + "\":{\"auth\":\"" + pair + "\"}}}");
  }

  private TestStore proxied() {
    return store
        .with("HTTPS_PROXY", proxy.url().toString())
        .with("HTTP_PROXY", proxy.url().toString());
  }

  private static String authority() {
    return certificates.authority().toString();
  }

  @Test
  void withoutTheAuthorityItIsRefused() throws IOException {
    String message = known(secure.host()).refusal(PullException.class, model);
    assertTrue(message.contains(secure.host()), message);
    assertTrue(message.contains("NAUTIL_CA_FILE"), message);
    // Nor is it asked a second time, or without TLS.
    long handshakes =
        Files.readString(secure.log())
            .lines()
            .filter(each -> each.contains("TLS handshake"))
            .count();
    assertTrue(handshakes <= 1, handshakes + " handshakes");
  }

  @ParameterizedTest
  @ValueSource(strings = {"NAUTIL_CA_FILE", "SSL_CERT_FILE"})
  void withTheAuthorityItIsTrusted(String variable) {
    known(secure.host()).with(variable, authority()).pull(model);
  }

  @Test
  void aFileWithoutCertificatesIsAnError() throws IOException {
    Path none = Files.writeString(folder.resolve("none.pem"), "nothing");
    String message =
        store.with("NAUTIL_CA_FILE", none.toString()).refusal(PullException.class, model);
    assertTrue(message.contains("NAUTIL_CA_FILE: " + none), message);
    message = store.with("NAUTIL_CA_FILE", none + ".missing").refusal(PullException.class, model);
    assertTrue(message.contains(none + ".missing"), message);
  }

  @Test
  void aCertificateForAnotherNameIsRefused() {
    proxied().with("NAUTIL_CA_FILE", authority());
    known("registry.test").pull("registry.test/ai/m");
    String message = known("other.test").refusal(PullException.class, "other.test/ai/m");
    assertTrue(message.contains("other.test (through the proxy " + proxy.host()), message);
    assertTrue(message.contains("no certificate that is trusted"), message);
    assertEquals(1, requests("other.test:443"));
  }

  private static long requests(String target) {
    return proxy.requests().stream().filter(each -> each.target().contains(target)).count();
  }

  @Test
  void dockerHub() {
    proxied().with("NAUTIL_CA_FILE", authority());
    known("https://index.docker.io/v1/").pull("m");
    assertEquals("docker.io/ai/m:latest", store.store().list().get(0).references().get(0));
    store.docker("{}");
    store.program(
        "docker-credential-hub",
        """
        read key
        test "$key" = https://index.docker.io/v1/ || exit 1
        echo '{"Username":"ada","Secret":"secret"}'
        """);
    store.docker("{\"credsStore\":\"hub\",\"auths\":{\"https://index.docker.io/v1/\":{}}}");
    store.pull("ai/m");
    // Docker Desktop adds keys that have other tokens, or nothing.
    String pair = Base64.getEncoder().encodeToString("ada:secret".getBytes(StandardCharsets.UTF_8));
    store.docker(
        "{\"auths\":{\"https://index.docker.io/v1/access-token\":{},"
            + "\"https://index.docker.io/v1/\":{\"auth\":\""
            + pair
            + "\"}}}");
    store.pull("docker.io/ai/m");
  }

  @Test
  void withoutTlsOnlyWhenAsked() {
    proxied();
    String model = "plain.test:5000/ai/m";
    String message = store.refusal(PullException.class, model);
    assertTrue(message.contains("does not speak TLS"), message);
    assertTrue(message.contains("NAUTIL_PLAIN_HTTP=plain.test:5000"), message);
    assertEquals(1, requests("plain.test:5000"));
    store.with("NAUTIL_PLAIN_HTTP", "else.test, plain.test");
    store.refusal(PullException.class, model);
    store.pull(model, ModelStore.pullOptions().plainHttp());
    store.store().remove(model);
    store.with("NAUTIL_PLAIN_HTTP", "else.test, plain.test:5000").pull(model);
  }

  @Test
  void aMirrorWithoutTlsIsNotSpokenTo() {
    proxied()
        .with("NAUTIL_CA_FILE", authority())
        .with("NAUTIL_MIRRORS", "registry.test=http://plain.test:5000");
    long before = requests("plain.test:5000");
    known("registry.test").pull("registry.test/ai/m");
    assertEquals(before, requests("plain.test:5000"));
  }

  @Test
  void redirectsDoNotLeaveTls() throws Exception {
    String answer =
        "HTTP/1.1 307 Elsewhere\r\nContent-Length: 0\r\nConnection: close\r\nLocation: "
            + plain.url()
            + "/v2/ai/m/manifests/latest?secret\r\n\r\n";
    try (ServerSocket server = tls(answer)) {
      store.with("NAUTIL_CA_FILE", authority());
      String model = "127.0.0.1:" + server.getLocalPort() + "/ai/m";
      String message = store.refusal(PullException.class, model);
      assertTrue(message.contains("without TLS: it is not followed"), message);
      assertFalse(message.contains("secret"), message);
    }
  }

  @Test
  void theProxysPasswordStaysWithTheProxy() throws Exception {
    List<Http1.Head> heads = new CopyOnWriteArrayList<>();
    try (ServerSocket server = tls("HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n", heads);
        ForwardProxy own = ForwardProxy.start()) {
      own.lead("registry.test:443", "127.0.0.1:" + server.getLocalPort());
      store
          .with("NAUTIL_CA_FILE", authority())
          .with("HTTPS_PROXY", "http://ada:secret@" + own.host())
          .refusal(ModelNotFoundException.class, "registry.test/m");
      assertEquals(1, heads.size());
      assertTrue(heads.get(0).has("Host", "registry.test"));
      assertFalse(heads.get(0).fields.containsKey("Proxy-Authorization"));
    }
  }

  private static ServerSocket tls(String answer) throws Exception {
    return tls(answer, new ArrayList<>());
  }

  /** A server that gives one answer to all, and keeps what it is asked. */
  private static ServerSocket tls(String answer, List<Http1.Head> heads) throws Exception {
    PrivateKey key =
        KeyFactory.getInstance("EC")
            .generatePrivate(
                new PKCS8EncodedKeySpec(Certificates.decode(certificates.serverKey())));
    KeyStore keys = KeyStore.getInstance("PKCS12");
    keys.load(null, null);
    try (InputStream in = Files.newInputStream(certificates.server())) {
      Certificate certificate = CertificateFactory.getInstance("X.509").generateCertificate(in);
      keys.setKeyEntry("server", key, new char[0], new Certificate[] {certificate});
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, new char[0]);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    ServerSocket server =
        context
            .getServerSocketFactory()
            .createServerSocket(0, 0, InetAddress.getByName("127.0.0.1"));
    Thread thread = new Thread(() -> serve(server, answer, heads), "tls-server");
    thread.setDaemon(true);
    thread.start();
    return server;
  }

  private static void serve(ServerSocket server, String answer, List<Http1.Head> heads) {
    while (!server.isClosed()) {
      try (Socket client = server.accept();
          OutputStream out = client.getOutputStream()) {
        heads.add(Http1.Head.read(client.getInputStream()));
        out.write(answer.getBytes(StandardCharsets.US_ASCII));
      } catch (IOException e) {
        // The client went.
      }
    }
  }

  @Test
  void aLoopbackServerThatHangsUpOnTlsIsSpokenToWithoutIt() throws IOException {
    try (LoopbackServer server =
        new LoopbackServer(
            "no-tls",
            client -> {
              InputStream in = client.getInputStream();
              if (in.read() == 'G') {
                client
                    .getOutputStream()
                    .write(
                        "HTTP/1.1 404 No\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
                            .getBytes(StandardCharsets.US_ASCII));
              }
            })) {
      String message = store.refusal(ModelNotFoundException.class, server.host() + "/ai/m");
      assertTrue(message.contains("does not have it"), message);
    }
  }
}
