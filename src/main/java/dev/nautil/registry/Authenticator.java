package dev.nautil.registry;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.registry.HttpTransport.Answer;
import dev.nautil.registry.RegistryException.Kind;
import java.io.IOException;
import java.net.URI;
import java.net.URLEncoder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Answers the challenges of one registry for one repository.
 *
 * @see <a href="https://distribution.github.io/distribution/spec/auth/token/">the token
 *     authentication that registries use</a>
 */
final class Authenticator {
  private static final int MAX_TOKEN_BYTES = 1 << 20;

  private final HttpTransport http;
  private final String host;
  private final String scope;
  private final @Nullable Credential credential;
  private @Nullable String authorization;

  Authenticator(
      HttpTransport http, String host, String repository, @Nullable Credential credential) {
    this.http = http;
    this.host = host;
    this.scope = "repository:" + repository + ":pull";
    this.credential = credential;
  }

  /** The Authorization header for the next request; null as long as none was wanted. */
  synchronized @Nullable String current() {
    return authorization;
  }

  /**
   * Answers a challenge.
   *
   * @param refused the header that was sent; another thread may have another one by now
   * @throws RegistryException if there is no answer to it
   */
  synchronized void authenticate(Answer challenger, @Nullable String refused) throws IOException {
    if (authorization != null && !authorization.equals(refused)) {
      return;
    }
    List<Challenge> challenges = Challenge.parse(challenger.headers("WWW-Authenticate"));
    for (Challenge challenge : challenges) {
      if (challenge.scheme().equals("bearer")) {
        authorization = "Bearer " + token(challenge);
        return;
      }
    }
    boolean isBasic = challenges.stream().anyMatch(each -> each.scheme().equals("basic"));
    if (isBasic && credential != null && !credential.isIdentityToken() && refused == null) {
      authorization = credential.basic();
      return;
    }
    throw refusal();
  }

  /** What to tell who has no credentials, or wrong ones. */
  RegistryException refusal() {
    return new RegistryException(
        Kind.UNAUTHORIZED,
        host
            + (credential == null ? " wants credentials" : " does not accept the credentials here")
            + " for "
            + scope.split(":")[1]
            + "; docker login "
            + host
            + " keeps them where Nautil finds them"
            + (host.equals("docker.io") ? ", and a model that does not exist looks the same" : ""));
  }

  private String token(Challenge challenge) throws IOException {
    URI realm;
    try {
      realm = URI.create(challenge.parameters().getOrDefault("realm", ""));
    } catch (IllegalArgumentException e) {
      realm = URI.create("");
    }
    if (!Hosts.isUsable(realm)) {
      throw new RegistryException(Kind.OTHER, host + " names no token service");
    }
    String query = "scope=" + encode(scope);
    String service = challenge.parameters().get("service");
    if (service != null) {
      query += "&service=" + encode(service);
    }
    if (credential == null) {
      return token(realm, query, null);
    }
    try {
      return token(realm, query, credential);
    } catch (RegistryException e) {
      if (e.kind() != Kind.UNAUTHORIZED) {
        throw e;
      }
      // What is public needs no credentials: expired ones are no reason to fail.
      return token(realm, query, null);
    }
  }

  private String token(URI realm, String query, @Nullable Credential with) throws IOException {
    try (Answer answer = ask(realm, query, with)) {
      // RFC 6749, section 5.2, has 400 for a refresh token that is wrong.
      boolean refused =
          answer.status() == 401
              || answer.status() == 403
              || (answer.status() == 400 && with != null && with.isIdentityToken());
      if (refused) {
        throw refusal();
      }
      if (answer.status() != 200) {
        throw HttpTransport.failure(answer, "a token for " + scope.split(":")[1]);
      }
      String from = Hosts.authority(answer.uri());
      JsonNode json =
          StrictJson.object(http.content(answer, MAX_TOKEN_BYTES), from + " gives no token");
      String token = json.path("token").asText(json.path("access_token").asText());
      // A header has one line.
      if (token.isEmpty() || !token.matches("[\\x21-\\x7e]+")) {
        throw new RegistryException(Kind.OTHER, from + " gives no token");
      }
      return token;
    }
  }

  private Answer ask(URI realm, String query, @Nullable Credential with) throws IOException {
    if (with != null && with.isIdentityToken()) {
      String form =
          query
              + "&grant_type=refresh_token&client_id=nautil&refresh_token="
              + encode(with.secret());
      return http.post(realm, Map.of(), form);
    }
    String separator = realm.getRawQuery() == null ? "?" : "&";
    return http.get(
        URI.create(realm + separator + query),
        with == null ? Map.of() : Map.of("Authorization", with.basic()));
  }

  private static String encode(String text) {
    return URLEncoder.encode(text, StandardCharsets.UTF_8);
  }
}
