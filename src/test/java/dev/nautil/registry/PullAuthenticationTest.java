package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.NautilException;
import dev.nautil.PullException;
import dev.nautil.RegistryAccessException;
import dev.nautil.registry.Artifacts.Pushed;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Base64;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Registries that ask who pulls. */
@Timeout(60)
class PullAuthenticationTest {
  private static final String PASSWORD = "correct:horse ä";

  @TempDir static Path folder;
  private static TokenServer tokens;
  private static DockerRegistry registry;
  private static DockerRegistry basic;
  private static FaultProxy proxy;
  private static FaultProxy basicProxy;
  private static Pushed pushed;
  private static String open;
  private static String closed;
  private static String basicModel;

  private final TestStore store = new TestStore();

  @BeforeAll
  static void start() {
    tokens = TokenServer.start().user("ada", PASSWORD).makePrivate("closed");
    registry = DockerRegistry.builder().tokens(tokens).start();
    proxy = FaultProxy.to(registry.url());
    Path weights = TestStore.random(folder.resolve("m.gguf"), 1_000_000, 1);
    pushed = Artifacts.in(registry, "ada", PASSWORD).pushByCurl("open", "latest", weights);
    Artifacts.in(registry, "ada", PASSWORD).pushByCurl("closed", "latest", weights);
    open = proxy.host() + "/open";
    closed = proxy.host() + "/closed";
    basic = DockerRegistry.builder().basic("ada", PASSWORD).start();
    basicProxy = FaultProxy.to(basic.url());
    Artifacts.in(basic, "ada", PASSWORD).pushByCurl("m", "latest", weights);
    basicModel = basicProxy.host() + "/m";
  }

  @AfterAll
  static void stop() {
    proxy.close();
    basicProxy.close();
    registry.close();
    basic.close();
    tokens.close();
  }

  @BeforeEach
  void reset() {
    proxy.reset();
    basicProxy.reset();
    tokens.forget();
    tokens.answerAs("token", "access_token");
  }

  @AfterEach
  void closeStore() {
    store.close();
  }

  private static String auth(String user, String password) {
    String pair = user + ":" + password;
    return Base64.getEncoder().encodeToString(pair.getBytes(StandardCharsets.UTF_8));
  }

  private TestStore login(String host, String entry) {
    return store.docker("{\"auths\":{\"" + host + "\":" + entry + "}}");
  }

  private static String entry(String password) {
    return "{\"auth\":\"" + auth("ada", password) + "\"}";
  }

  @ParameterizedTest
  @ValueSource(strings = {"token", "access_token"})
  void anonymousTokens(String field) {
    tokens.answerAs(field);
    store.pull(open);
    assertEquals(1, tokens.requests().size());
    TokenServer.Request request = tokens.requests().get(0);
    assertEquals("GET", request.method());
    assertEquals("repository:open:pull", request.parameter("scope"));
    assertEquals(TokenServer.SERVICE, request.parameter("service"));
    assertNull(request.authorization());
  }

  @Test
  void credentialsGoToTheTokenServiceAlone() {
    login(proxy.host(), entry(PASSWORD)).pull(closed);
    assertEquals("Basic " + auth("ada", PASSWORD), tokens.requests().get(0).authorization());
    for (FaultProxy.Exchange each : proxy.exchanges()) {
      String sent = each.header("Authorization");
      assertTrue(sent == null || sent.startsWith("Bearer "), sent);
    }
  }

  @Test
  void userAndPasswordInTheirOwnMembers() {
    login(
        "https://" + proxy.host() + "/v1/",
        "{\"username\":\"ada\",\"password\":\"" + PASSWORD + "\"}");
    store.pull(closed);
    assertEquals("Basic " + auth("ada", PASSWORD), tokens.requests().get(0).authorization());
  }

  @Test
  void identityTokens() {
    String token = tokens.refreshToken("ada");
    String json = "{\"auth\":\"" + auth("<token>", "") + "\",\"identitytoken\":\"" + token + "\"}";
    login(proxy.host(), json).pull(closed);
    TokenServer.Request request = tokens.requests().get(0);
    assertEquals("POST", request.method());
    assertEquals("refresh_token", request.parameter("grant_type"));
    assertEquals(token, request.parameter("refresh_token"));
    assertEquals("repository:closed:pull", request.parameter("scope"));
  }

  @Test
  void oneHelperForAHost() {
    store.program(
        "docker-credential-one",
        """
        read key
        test "$1" = get && test "$key" = "%s" || exit 1
        echo '{"ServerURL":"x","Username":"ada","Secret":"%s"}'
        """
            .formatted(proxy.host(), PASSWORD));
    store.docker("{\"credHelpers\":{\"" + proxy.host() + "\":\"one\"}}").pull(closed);
    assertNotNull(tokens.requests().get(0).authorization());
  }

  @Test
  void aHelperForAllWithAnIdentityToken() {
    String token = tokens.refreshToken("ada");
    store.program(
        "docker-credential-all",
        "read key\necho '{\"Username\":\"<token>\",\"Secret\":\"" + token + "\"}'\n");
    store.docker("{\"credsStore\":\"all\"}").pull(closed);
    assertEquals(token, tokens.requests().get(0).parameter("refresh_token"));
  }

  @Test
  void aHelperThatFailsIsAsIfThereWereNone() {
    store.program("docker-credential-bad", "cat >/dev/null\necho no such credentials\nexit 1\n");
    store.program("docker-credential-odd", "cat >/dev/null\necho this is no JSON\n");
    for (String helper : new String[] {"bad", "odd", "missing", "../bad"}) {
      tokens.forget();
      store.docker("{\"credsStore\":\"" + helper + "\",\"auths\":{}}").pull(open);
      assertNull(tokens.requests().get(0).authorization(), helper);
    }
    // Or what the file has.
    String auths = "\"auths\":{\"" + proxy.host() + "\":" + entry(PASSWORD) + "}";
    store.docker("{\"credHelpers\":{\"" + proxy.host() + "\":\"bad\"}," + auths + "}").pull(closed);
  }

  @Test
  void aFileThatIsNoneIsAsIfThereWereNone() {
    for (String json : new String[] {"", "nonsense", "[]", "{\"auths\":[]}", "{\"auths\":null}"}) {
      tokens.forget();
      store.docker(json).pull(open);
      assertNull(tokens.requests().get(0).authorization(), json);
    }
    login(proxy.host(), "{\"auth\":\"no base64!\",\"identitytoken\":null}").pull(open);
  }

  @Test
  void expiredCredentialsDoNotKeepOneFromWhatIsPublic() {
    login(proxy.host(), entry("old")).pull(open);
    login(proxy.host(), "{\"identitytoken\":\"old\"}").pull(open);
  }

  @Test
  void withoutCredentialsOrWithWrongOnes() {
    String message = store.refusal(RegistryAccessException.class, closed);
    assertTrue(message.contains("wants credentials"), message);
    assertTrue(message.contains("docker login " + proxy.host()), message);
    int requests = proxy.exchanges("GET", ".*/manifests/.*").size();
    assertTrue(requests <= 2, requests + " requests");
    login(proxy.host(), entry("seCret9"));
    message = store.refusal(RegistryAccessException.class, closed);
    assertTrue(message.contains("does not accept the credentials"), message);
    assertHidden("seCret9");
  }

  /** Nothing of what a failed pull throws has the secret. */
  private void assertHidden(String secret) {
    NautilException e = assertThrows(NautilException.class, () -> store.pull(closed));
    StringWriter trace = new StringWriter();
    e.printStackTrace(new PrintWriter(trace));
    assertFalse(trace.toString().contains(secret), trace.toString());
    assertFalse(trace.toString().contains(auth("ada", secret)), trace.toString());
  }

  @Test
  void basicAuthentication() {
    login(basicProxy.host(), entry(PASSWORD)).pull(basicModel);
    String sent = null;
    for (FaultProxy.Exchange each : basicProxy.exchanges()) {
      // Once asked for, they are sent at once.
      assertTrue(sent == null || sent.equals(each.header("Authorization")));
      sent = each.header("Authorization");
    }
    assertEquals("Basic " + auth("ada", PASSWORD), sent);

    store.store().remove(basicModel);
    login(basicProxy.host(), entry("wrong"));
    String message = store.refusal(RegistryAccessException.class, basicModel);
    assertTrue(message.contains("does not accept the credentials"), message);
    store.docker("{}");
    message = store.refusal(RegistryAccessException.class, basicModel);
    assertTrue(message.contains("wants credentials"), message);
  }

  @Test
  void aTokenThatExpiresMeanwhileIsRenewed() {
    String blob = "/v2/open/blobs/" + pushed.layers().get(0).digest();
    String challenge =
        "Bearer realm=\"%s\",service=\"%s\",scope=\"repository:open:pull\",error=\"invalid_token\""
            .formatted(tokens.realm(), TokenServer.SERVICE);
    proxy.add(Fault.on("GET", blob).times(1).cutAfter(500_000));
    proxy.add(Fault.on("GET", blob).times(1).status(401).header("WWW-Authenticate", challenge));
    store.pull(open);
    assertEquals(2, tokens.requests().size());
    var requests = proxy.exchanges("GET", blob);
    assertEquals(3, requests.size());
    assertNotNull(requests.get(2).header("Range"));
    assertFalse(
        String.valueOf(requests.get(1).header("Authorization"))
            .equals(requests.get(2).header("Authorization")));
  }

  @Test
  void anotherHostGetsNoCredentials() {
    try (FaultProxy other = FaultProxy.to(basic.url())) {
      String blob = ".*/blobs/" + pushed.layers().get(0).digest();
      basicProxy.add(Fault.on("GET", blob).redirect(307, other.host()));
      other.add(Fault.on("GET", blob).answer(200, "text/plain", new byte[10]));
      login(basicProxy.host(), entry(PASSWORD));
      store.refusal(PullException.class, basicModel);
      assertFalse(other.exchanges().isEmpty());
      for (FaultProxy.Exchange each : other.exchanges()) {
        assertNull(each.header("Authorization"));
      }
      assertNotNull(basicProxy.exchanges("GET", blob).get(0).header("Authorization"));
      // Nor is a challenge of the other host answered.
      other.reset();
      other.add(
          Fault.on("GET", blob).status(401).header("WWW-Authenticate", "Basic realm=\"give\""));
      store.refusal(RegistryAccessException.class, basicModel);
      for (FaultProxy.Exchange each : other.exchanges()) {
        assertNull(each.header("Authorization"));
      }
    }
  }

  @Test
  void tokensThatAreNone() {
    String manifests = ".*/manifests/.*";
    String challenge = "Bearer realm=\"" + proxy.url() + "/token\"";
    byte[] large =
        ("{\"token\":\"" + "x".repeat(40 << 20) + "\"}").getBytes(StandardCharsets.UTF_8);
    byte[] split = "{\"token\":\"a\\r\\nX: y\"}".getBytes(StandardCharsets.UTF_8);
    for (byte[] answer : new byte[][] {large, split, "{}".getBytes(StandardCharsets.UTF_8), {}}) {
      proxy.reset();
      proxy.add(Fault.on("GET", manifests).status(401).header("WWW-Authenticate", challenge));
      proxy.add(
          Fault.on("GET", "/token")
              .answer(200, "text/plain", answer)
              .header("Content-Length", null));
      String message = store.refusal(PullException.class, open);
      assertTrue(message.contains(proxy.host()), message);
      assertTrue(message.length() < 300, message);
      assertTrue(proxy.bodyBytes("GET", "/token") < 20 << 20);
      assertEquals(1, proxy.exchanges("GET", manifests).size());
    }
  }

  @Test
  void tokenServicesThatAreNone() {
    String manifests = ".*/manifests/.*";
    String[] challenges = {
      "Bearer",
      "Bearer realm=\"\"",
      "Bearer realm=\"not an address\"",
      "Bearer realm=\"file:///etc/passwd\"",
      "Bearer realm=\"http://token.example/\"",
      "Negotiate",
      ""
    };
    for (String challenge : challenges) {
      proxy.reset();
      proxy.add(Fault.on("GET", manifests).status(401).header("WWW-Authenticate", challenge));
      NautilException e = assertThrows(NautilException.class, () -> store.pull(open), challenge);
      assertEquals(1, proxy.exchanges("GET", manifests).size());
      assertNotNull(e.getMessage());
    }
  }
}
