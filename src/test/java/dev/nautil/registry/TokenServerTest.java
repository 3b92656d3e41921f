package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.json.JsonValues;
import dev.nautil.registry.Artifacts.Descriptor;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The way to a token, gone step by step with curl; the registry judges the tokens. */
class TokenServerTest {
  private static final Pattern CHALLENGE =
      Pattern.compile("Bearer realm=\"([^\"]+)\",service=\"([^\"]+)\",scope=\"([^\"]+)\".*");

  @TempDir Path folder;
  private final TokenServer tokens = TokenServer.start().user("ada", "a:b c");
  private final DockerRegistry registry = DockerRegistry.builder().tokens(tokens).start();
  private String blob;

  @BeforeEach
  void push() throws IOException {
    Path file = Files.writeString(folder.resolve("m.gguf"), "weights");
    Descriptor pushed = Artifacts.in(registry).pushBlob("ai/m", file, ModelArtifact.DOCKER_GGUF);
    blob = registry.url() + "/v2/ai/m/blobs/" + pushed.digest();
  }

  @AfterEach
  void close() {
    registry.close();
    tokens.close();
  }

  /** Asks the server that the challenge names for a token of its scope. */
  private Curl.Answer ask(String... arguments) {
    Curl.Answer refusal = Curl.run(blob);
    assertEquals(401, refusal.status());
    Matcher challenge = CHALLENGE.matcher(refusal.header("WWW-Authenticate"));
    assertTrue(challenge.matches(), refusal.head());
    assertEquals("repository:ai/m:pull", challenge.group(3));
    List<String> command = new ArrayList<>(List.of(arguments));
    command.addAll(List.of("--data-urlencode", "service=" + challenge.group(2)));
    command.addAll(List.of("--data-urlencode", "scope=" + challenge.group(3)));
    command.add(challenge.group(1));
    return Curl.run(command);
  }

  private int statusWith(Curl.Answer answer) {
    JsonNode json = JsonValues.parse(answer.ok().text());
    String token = json.get(json.has("token") ? "token" : "access_token").textValue();
    return Curl.run("-H", "Authorization: Bearer " + token, blob).status();
  }

  @Test
  void anybodyPullsWhatIsPublic() {
    assertEquals(200, statusWith(ask("-G")));
    TokenServer.Request request = tokens.requests().get(0);
    assertEquals("GET", request.method());
    assertEquals("/token", request.path());
    assertEquals("repository:ai/m:pull", request.parameter("scope"));
    assertEquals(List.of(TokenServer.SERVICE), request.parameters().get("service"));
    assertNull(request.authorization());
  }

  @Test
  void usersPullWhatIsPrivate() {
    tokens.makePrivate("ai/m");
    assertEquals(401, statusWith(ask("-G")));
    assertEquals(200, statusWith(ask("-G", "-u", "ada:a:b c")));
    assertNotNull(tokens.requests().get(1).authorization());
    assertEquals(401, ask("-G", "-u", "ada:wrong").status());
    tokens.forget();
    assertEquals(List.of(), tokens.requests());
  }

  @Test
  void refreshTokensAndPasswordsArePosted() {
    tokens.makePrivate("ai/m").answerAs("access_token");
    String[] refresh = {
      "-d", "grant_type=refresh_token", "-d", "refresh_token=" + tokens.refreshToken("ada")
    };
    assertEquals(200, statusWith(ask(refresh)));
    assertEquals("POST", tokens.requests().get(0).method());
    assertEquals("refresh_token", tokens.requests().get(0).parameter("grant_type"));
    assertEquals(
        200, statusWith(ask("-d", "grant_type=password&username=ada", "-d", "password=a:b c")));
    assertEquals(401, ask("-d", "grant_type=refresh_token&refresh_token=wrong").status());
  }

  @Test
  void tokensExpire() {
    tokens.lifetime(Duration.ofMinutes(-2));
    assertEquals(401, statusWith(ask("-G")));
  }

  @Test
  void orasPushesWithAToken() throws IOException {
    Path file = Files.writeString(folder.resolve("n.gguf"), "more");
    Artifacts.in(registry, "ada", "a:b c").push("ai/n", "latest", ModelArtifact.docker(file));
    // The registry names the actions in any order.
    String[] scope = scopes().get(0).split(":");
    assertEquals("repository:ai/n", scope[0] + ":" + scope[1]);
    assertEquals(Set.of("pull", "push"), Set.of(scope[2].split(",")));
    Map<String, Object> tags =
        JsonValues.toMap(
            JsonValues.parse(
                Artifacts.in(registry)
                    .curl("ai/n", registry.url() + "/v2/ai/n/tags/list")
                    .ok()
                    .text()));
    assertEquals(List.of("latest"), tags.get("tags"));
  }

  private List<String> scopes() {
    return tokens.requests().stream().map(request -> request.parameter("scope")).toList();
  }
}
