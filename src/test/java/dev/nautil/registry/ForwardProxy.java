package dev.nautil.registry;

import dev.nautil.registry.Http1.Head;
import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.Socket;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import org.jspecify.annotations.Nullable;

/**
 * What {@code HTTP_PROXY} and {@code HTTPS_PROXY} name: a proxy that clients know of, for requests
 * with a whole URL and for tunnels (CONNECT). It reaches nothing but this machine: other names must
 * have been led here.
 */
public final class ForwardProxy implements AutoCloseable {
  /**
   * What came.
   *
   * @param target of a tunnel {@code HOST:PORT}, else the URL
   * @param authorization the Proxy-Authorization; null without one
   * @param isAdmitted whether it had the credentials that the proxy asks for
   */
  public record Request(
      String method, String target, @Nullable String authorization, boolean isAdmitted) {}

  private final Map<String, String> routes = new ConcurrentHashMap<>();
  private final List<Request> requests = new CopyOnWriteArrayList<>();
  private final LoopbackServer server = new LoopbackServer("forward-proxy", this::serve);
  private volatile @Nullable String credentials;

  private ForwardProxy() {}

  /** Starts on a free port. */
  public static ForwardProxy start() {
    return new ForwardProxy();
  }

  /** Asks for these, by Basic authentication, from now on. */
  public ForwardProxy require(String user, String password) {
    credentials =
        "Basic "
            + Base64.getEncoder()
                .encodeToString((user + ":" + password).getBytes(StandardCharsets.UTF_8));
    return this;
  }

  /**
   * Leads what is for a server to another one.
   *
   * @param from its {@code NAME:PORT}
   * @param to {@code HOST:PORT} of this machine
   */
  public ForwardProxy lead(String from, String to) {
    routes.put(from, to);
    return this;
  }

  /** {@code 127.0.0.1:PORT} */
  public String host() {
    return server.host();
  }

  public URI url() {
    return URI.create("http://" + host());
  }

  /** All that came, in order. */
  public List<Request> requests() {
    return List.copyOf(requests);
  }

  private void serve(Socket client) throws IOException {
    InputStream in = new BufferedInputStream(client.getInputStream(), 1 << 16);
    OutputStream out = client.getOutputStream();
    for (Head head = Head.read(in); head != null; head = Head.read(in)) {
      String wanted = credentials;
      String given = head.get("Proxy-Authorization");
      boolean isAdmitted = wanted == null || wanted.equals(given);
      requests.add(new Request(head.part(0), head.part(1), given, isAdmitted));
      if (isAdmitted) {
        pass(head, client, in, out);
        return;
      }
      Http1.inviteBody(head, out);
      Http1.copy(head.requestBody(in), OutputStream.nullOutputStream());
      Head refusal = new Head("HTTP/1.1 407 Proxy Authentication Required");
      refusal.set("Proxy-Authenticate", "Basic realm=\"tests\"");
      refusal.set("Content-Length", "0");
      refusal.writeTo(out);
    }
  }

  /** To the end of the connection. */
  private void pass(Head head, Socket client, InputStream in, OutputStream out) throws IOException {
    boolean isTunnel = head.part(0).equals("CONNECT");
    URI url = URI.create(isTunnel ? "https://" + head.part(1) : head.part(1));
    int port = url.getPort() < 0 ? 80 : url.getPort();
    String host = url.getHost() + ":" + port;
    String[] server = routes.getOrDefault(host, host).split(":(?=\\d+$)");
    if (!server[0].matches("localhost|127\\..*|\\[::1\\]")) {
      new Head("HTTP/1.1 502 Nothing is led there").writeTo(out);
      return;
    }
    try (Socket origin = this.server.connect(server[0], Integer.parseInt(server[1]))) {
      if (isTunnel) {
        new Head("HTTP/1.1 200 Connected").writeTo(out);
        this.server.start(() -> pump(in, origin));
      } else {
        String query = url.getRawQuery() == null ? "" : "?" + url.getRawQuery();
        Http1.inviteBody(head, out);
        Http1.send(head, url.getRawPath() + query, head.requestBody(in), origin);
      }
      Http1.copy(origin.getInputStream(), out);
      client.shutdownOutput();
    }
  }

  /** What the client says; the end of one direction is passed on as such. */
  private static void pump(InputStream from, Socket to) {
    try {
      Http1.copy(from, to.getOutputStream());
      to.shutdownOutput();
    } catch (IOException e) {
      try {
        to.close();
      } catch (IOException again) {
        throw new UncheckedIOException(again);
      }
    }
  }

  @Override
  public void close() {
    server.close();
  }
}
