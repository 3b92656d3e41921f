package dev.nautil.store;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import org.jspecify.annotations.Nullable;

/**
 * What Nautil needs of Hugging Face's server: the description of a repository, its files on pages
 * of two, and redirects of files to another host, which wants no token.
 *
 * @see <a href="https://huggingface.co/docs/hub/api">its interface</a>
 */
final class FakeHub implements AutoCloseable {
  static final String COMMIT = "89abcdef0123456789abcdef0123456789abcdef";
  private static final int PAGE = 2;

  private final String repository;
  private final Map<String, byte[]> files = new LinkedHashMap<>();
  private final Map<String, byte[]> sent = new LinkedHashMap<>();
  private final ExecutorService threads = Executors.newCachedThreadPool();
  private final HttpServer server = start(this::serve);
  private final HttpServer storage = start(this::serveContent);
  private final List<String> requests = new CopyOnWriteArrayList<>();
  private final List<String> contentTokens = new CopyOnWriteArrayList<>();
  private volatile @Nullable String token;
  private volatile boolean gated;

  /**
   * @param repository as {@code ORG/REPO}
   */
  FakeHub(String repository) {
    this.repository = repository;
  }

  private HttpServer start(com.sun.net.httpserver.HttpHandler handler) {
    try {
      HttpServer started =
          HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
      started.createContext("/", handler);
      started.setExecutor(threads);
      started.start();
      return started;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort();
  }

  FakeHub add(String path, byte[] content) {
    files.put(path, content);
    sent.put(path, content);
    return this;
  }

  /** Sends something else than the digest says. */
  void falsify(String path, byte[] content) {
    sent.put(path, content);
  }

  /** From now on it is asked for. */
  void requireToken(String token) {
    this.token = token;
  }

  /** Whatever the token: its owner has not accepted the terms. */
  void gate() {
    gated = true;
  }

  /** Paths with queries that came to the first host. */
  List<String> requests() {
    return requests;
  }

  /** What the host with the contents was told by Authorization headers. */
  List<String> contentTokens() {
    return contentTokens;
  }

  private void serve(HttpExchange exchange) throws IOException {
    String target = exchange.getRequestURI().toString();
    requests.add(target);
    String authorization = exchange.getRequestHeaders().getFirst("Authorization");
    String wanted = token;
    if (wanted != null && !("Bearer " + wanted).equals(authorization)) {
      send(exchange, 401, "{\"error\":\"Invalid username or password.\"}");
    } else if (gated) {
      exchange.getResponseHeaders().set("X-Error-Code", "GatedRepo");
      send(exchange, 403, "{\"error\":\"Access to model is restricted\"}");
    } else if (target.equals("/api/models/" + repository)) {
      send(
          exchange,
          200,
          """
          {"id":"%s","sha":"%s","lastModified":"2025-01-02T03:04:05.000Z",
           "gguf":{"total":12247782400,"architecture":"llama","context_length":131072}}"""
              .formatted(repository, COMMIT));
    } else if (target.startsWith("/api/models/" + repository + "/tree/" + COMMIT + "?")) {
      sendPage(exchange, target);
    } else if (target.startsWith("/" + repository + "/resolve/" + COMMIT + "/")) {
      String path = target.substring(("/" + repository + "/resolve/" + COMMIT + "/").length());
      exchange
          .getResponseHeaders()
          .set(
              "Location",
              "http://localhost:" + storage.getAddress().getPort() + "/" + path + "?signature=1");
      send(exchange, 302, "");
    } else {
      send(exchange, 404, "{\"error\":\"Repository not found\"}");
    }
  }

  private void sendPage(HttpExchange exchange, String target) throws IOException {
    int first = target.contains("cursor=") ? Integer.parseInt(target.split("cursor=")[1]) : 0;
    List<String> all = new ArrayList<>();
    all.add("{\"type\":\"directory\",\"oid\":\"0\",\"size\":0,\"path\":\"folder\"}");
    all.add("{\"type\":\"file\",\"oid\":\"0\",\"size\":12,\"path\":\"README.md\"}");
    files.forEach(
        (path, content) ->
            all.add(
                """
                {"type":"file","oid":"0","size":%d,"path":"%s",
                 "lfs":{"oid":"%s","size":%d,"pointerSize":130}}"""
                    .formatted(content.length, path, StoreCheck.sha256(content), content.length)));
    int end = Math.min(all.size(), first + PAGE);
    if (end < all.size()) {
      exchange
          .getResponseHeaders()
          .set(
              "Link",
              "<http://%s/api/models/%s/tree/%s?recursive=true&cursor=%d>; rel=\"next\""
                  .formatted(
                      exchange.getRequestHeaders().getFirst("Host"), repository, COMMIT, end));
    }
    send(exchange, 200, "[" + String.join(",", all.subList(first, end)) + "]");
  }

  private void serveContent(HttpExchange exchange) throws IOException {
    String authorization = exchange.getRequestHeaders().getFirst("Authorization");
    if (authorization != null) {
      contentTokens.add(authorization);
    }
    byte[] content = sent.get(exchange.getRequestURI().getPath().substring(1));
    if (content == null) {
      send(exchange, 404, "");
      return;
    }
    String range = exchange.getRequestHeaders().getFirst("Range");
    int first = 0;
    int last = content.length - 1;
    if (range != null) {
      String[] ends = range.replace("bytes=", "").split("-");
      first = Integer.parseInt(ends[0]);
      last = Integer.parseInt(ends[1]);
      exchange
          .getResponseHeaders()
          .set("Content-Range", "bytes %d-%d/%d".formatted(first, last, content.length));
    }
    exchange.sendResponseHeaders(range == null ? 200 : 206, last + 1L - first);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(content, first, last + 1 - first);
    }
  }

  private static void send(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(java.nio.charset.StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    try (OutputStream out = exchange.getResponseBody()) {
      out.write(bytes);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    storage.stop(0);
    threads.shutdownNow();
  }
}
