package dev.nautil.registry;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.nautil.json.JsonValues;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.Signature;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.UUID;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * The token service of a registry, as the distribution project's "Token Authentication
 * Specification" and "Oauth2 Token Authentication" describe it: GET with Basic credentials or
 * without, POST with a refresh token (which Docker's settings call an identity token) or a
 * password. Who is not known may pull what is not private; users may do all.
 */
public final class TokenServer implements AutoCloseable {
  static final String SERVICE = "registry of the tests";
  static final String ISSUER = "token server of the tests";

  /**
   * What came.
   *
   * @param parameters of the query, or of a POST's form
   * @param authorization the header field's value; null without one
   */
  public record Request(
      String method,
      String path,
      Map<String, List<String>> parameters,
      @Nullable String authorization) {
    /** A parameter that may be given once; null where it is not. */
    public @Nullable String parameter(String name) {
      List<String> values = parameters.getOrDefault(name, List.of());
      return values.isEmpty() ? null : values.get(0);
    }
  }

  /** Its authority's certificate signs the tokens: it is one that the registry trusts. */
  private final Certificates certificates = Certificates.of();

  private final HttpServer server;
  private final Map<String, String> passwords = new ConcurrentHashMap<>();
  private final Map<String, String> refreshTokens = new ConcurrentHashMap<>();
  private final Set<String> privateRepositories = ConcurrentHashMap.newKeySet();
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private volatile List<String> fields = List.of("token", "access_token");
  private volatile Duration lifetime = Duration.ofMinutes(5);

  private TokenServer() throws IOException {
    server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    server.createContext("/", this::serve);
    server.start();
  }

  public static TokenServer start() {
    try {
      return new TokenServer();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** Makes a user known. */
  public TokenServer user(String name, String password) {
    passwords.put(name, password);
    return this;
  }

  /** From now on only users may pull this. */
  public TokenServer makePrivate(String repository) {
    privateRepositories.add(repository);
    return this;
  }

  /** How later tokens are called: services answer {@code token}, {@code access_token} or both. */
  public TokenServer answerAs(String... fields) {
    this.fields = List.of(fields);
    return this;
  }

  /**
   * How long later tokens last. The registry forgives a minute, so that a token is expired from the
   * start if this is less than minus one minute.
   */
  public TokenServer lifetime(Duration lifetime) {
    this.lifetime = lifetime;
    return this;
  }

  /** A user's refresh token. */
  public String refreshToken(String user) {
    String token = UUID.randomUUID().toString();
    refreshTokens.put(token, user);
    return token;
  }

  public URI realm() {
    return URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/token");
  }

  /** What the registry must trust. */
  Path certificate() {
    return certificates.authority();
  }

  /** All that came, in order. */
  public List<Request> requests() {
    return List.copyOf(requests);
  }

  /** Forgets what came. */
  public void forget() {
    requests.clear();
  }

  /** A token for all of a repository, which the registry accepts whoever brings it. */
  public String token(String repository) {
    return sign(
        "tests", List.of(access("repository", repository, List.of("pull", "push", "delete"))));
  }

  private void serve(HttpExchange exchange) throws IOException {
    try (exchange) {
      boolean isPost = exchange.getRequestMethod().equals("POST");
      String encoded =
          isPost
              ? new String(exchange.getRequestBody().readAllBytes(), StandardCharsets.UTF_8)
              : exchange.getRequestURI().getRawQuery();
      Request request =
          new Request(
              exchange.getRequestMethod(),
              exchange.getRequestURI().getPath(),
              decode(encoded == null ? "" : encoded),
              exchange.getRequestHeaders().getFirst("Authorization"));
      requests.add(request);
      String user = isPost ? grantee(request) : basicUser(request.authorization());
      boolean isAnonymous = !isPost && request.authorization() == null;
      if (!isAnonymous && user == null) {
        answer(exchange, 401, Map.of("details", "incorrect username or password"));
      } else if (!SERVICE.equals(request.parameter("service"))) {
        answer(exchange, 400, Map.of("details", "unknown service"));
      } else {
        answer(exchange, 200, grant(request, user));
      }
    }
  }

  private Map<String, Object> grant(Request request, @Nullable String user) {
    List<Map<String, Object>> access = new ArrayList<>();
    for (String scopes : request.parameters().getOrDefault("scope", List.of())) {
      for (String scope : scopes.split(" ")) {
        access.addAll(granted(scope, user));
      }
    }
    String token = sign(user == null ? "" : user, access);
    Map<String, Object> answer = new LinkedHashMap<>();
    fields.forEach(field -> answer.put(field, token));
    answer.put("expires_in", lifetime.toSeconds());
    answer.put("issued_at", Instant.now().toString());
    return answer;
  }

  /** What of a scope is granted: less than was asked for is no error. */
  private List<Map<String, Object>> granted(String scope, @Nullable String user) {
    int first = scope.indexOf(':');
    int last = scope.lastIndexOf(':');
    if (first == last) {
      return List.of();
    }
    String name = scope.substring(first + 1, last);
    List<String> actions = new ArrayList<>(List.of(scope.substring(last + 1).split(",")));
    if (user == null) {
      actions.removeIf(action -> !action.equals("pull") || privateRepositories.contains(name));
    }
    return actions.isEmpty()
        ? List.of()
        : List.of(access(scope.substring(0, first), name, actions));
  }

  private static Map<String, Object> access(String type, String name, List<String> actions) {
    return Map.of("type", type, "name", name, "actions", actions);
  }

  private @Nullable String basicUser(@Nullable String authorization) {
    if (authorization == null || !authorization.startsWith("Basic ")) {
      return null;
    }
    String both =
        new String(
            Base64.getDecoder().decode(authorization.substring("Basic ".length())),
            StandardCharsets.UTF_8);
    int colon = both.indexOf(':');
    return colon < 0 ? null : known(both.substring(0, colon), both.substring(colon + 1));
  }

  private @Nullable String known(@Nullable String user, @Nullable String password) {
    return user != null && password != null && password.equals(passwords.get(user)) ? user : null;
  }

  private @Nullable String grantee(Request request) {
    if ("refresh_token".equals(request.parameter("grant_type"))) {
      String token = request.parameter("refresh_token");
      return token == null ? null : refreshTokens.get(token);
    }
    return "password".equals(request.parameter("grant_type"))
        ? known(request.parameter("username"), request.parameter("password"))
        : null;
  }

  /** A JSON Web Token by ES256, with the certificate of its key. */
  private String sign(String subject, List<Map<String, Object>> access) {
    String certificate =
        Base64.getEncoder().encodeToString(Certificates.decode(certificates.authority()));
    Instant now = Instant.now();
    String signed =
        encode(Map.of("typ", "JWT", "alg", "ES256", "x5c", List.of(certificate)))
            + "."
            + encode(
                Map.of(
                    "iss",
                    ISSUER,
                    "sub",
                    subject,
                    "aud",
                    SERVICE,
                    "iat",
                    now.getEpochSecond(),
                    "nbf",
                    now.minusSeconds(60).getEpochSecond(),
                    "exp",
                    now.plus(lifetime).getEpochSecond(),
                    "jti",
                    UUID.randomUUID().toString(),
                    "access",
                    access));
    try {
      Signature signature = Signature.getInstance("SHA256withECDSAinP1363Format");
      signature.initSign(certificates.authorityKey());
      signature.update(signed.getBytes(StandardCharsets.US_ASCII));
      return signed + "." + encode(signature.sign());
    } catch (GeneralSecurityException e) {
      throw new AssertionError(e);
    }
  }

  private static String encode(Map<String, Object> json) {
    return encode(JsonValues.write(json).getBytes(StandardCharsets.UTF_8));
  }

  private static String encode(byte[] bytes) {
    return Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
  }

  private static Map<String, List<String>> decode(String encoded) {
    Map<String, List<String>> parameters = new LinkedHashMap<>();
    for (String pair : encoded.split("&")) {
      String[] both = pair.split("=", 2);
      if (both.length == 2) {
        parameters
            .computeIfAbsent(
                URLDecoder.decode(both[0], StandardCharsets.UTF_8), name -> new ArrayList<>())
            .add(URLDecoder.decode(both[1], StandardCharsets.UTF_8));
      }
    }
    return parameters;
  }

  private static void answer(HttpExchange exchange, int status, Map<String, ?> json)
      throws IOException {
    byte[] body = JsonValues.write(json).getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("Content-Type", "application/json");
    exchange.sendResponseHeaders(status, body.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(body);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    certificates.close();
  }
}
