package dev.nautil.registry;

import dev.nautil.registry.RegistryException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.net.ConnectException;
import java.net.NoRouteToHostException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpConnectTimeoutException;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.channels.UnresolvedAddressException;
import java.security.cert.CertificateException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLException;
import javax.net.ssl.SSLHandshakeException;
import org.jspecify.annotations.Nullable;

/**
 * One HTTP exchange with a server: proxies, certificates, redirects, and what a failure means.
 *
 * <p>The JDK's client, since the ORAS SDK for Java (0.7) can neither ask for a part of a blob, and
 * so not resume, nor tell how far it is, and brings 24 MB of dependencies. HTTP/1.1, since the
 * parallel ranges of one blob are to have connections of their own.
 *
 * <p>Redirects are followed here: what goes to another host loses its Authorization header, which
 * the JDK's client would keep, and from HTTPS none leads to HTTP.
 */
final class HttpTransport {
  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(20);

  /** Times the patience with a server that sends nothing: its answer may take some thought. */
  private static final int HEADERS_PATIENCE = 3;

  private static final int MAX_REDIRECTS = 10;

  /** Bytes of a page that says where something has moved, or that it is not for everybody. */
  private static final int MAX_DISCARDED = 16 << 10;

  private static final Pattern CONTENT_RANGE =
      Pattern.compile("bytes (\\d{1,18})-(\\d{1,18})/(\\d{1,18}|\\*)");

  /** How the JDK tells that a proxy makes no tunnel, for a reason that does not pass. */
  private static final Pattern NO_TUNNEL =
      Pattern.compile("Tunnel failed, got: (4(?!08|29)\\d\\d)");

  private final NetworkSettings settings;
  private final Proxies proxies;
  private final HttpClient client;
  private final Duration patience;

  HttpTransport(NetworkSettings settings) throws IOException {
    this.settings = settings;
    patience = settings.patience();
    proxies = new Proxies(settings);
    HttpClient.Builder builder =
        HttpClient.newBuilder()
            .version(HttpClient.Version.HTTP_1_1)
            .followRedirects(HttpClient.Redirect.NEVER)
            .connectTimeout(CONNECT_TIMEOUT)
            .proxy(proxies);
    SSLContext context = TrustedCertificates.context(settings);
    client = (context == null ? builder : builder.sslContext(context)).build();
  }

  NetworkSettings settings() {
    return settings;
  }

  /** How long a server may send next to nothing. */
  Duration patience() {
    return patience;
  }

  /** A server's answer; its body is still to be read, and closed. */
  record Answer(URI uri, HttpResponse<InputStream> response) implements AutoCloseable {
    int status() {
      return response.statusCode();
    }

    Optional<String> header(String name) {
      return response.headers().firstValue(name);
    }

    List<String> headers(String name) {
      return response.headers().allValues(name);
    }

    /** Empty where the JDK has none: a proxy that makes no tunnel has answered. */
    InputStream body() {
      InputStream body = response.body();
      return body == null ? InputStream.nullInputStream() : body;
    }

    @Override
    public void close() {
      try {
        body().close();
      } catch (IOException e) {
        // Nothing of it is wanted any more.
      }
    }
  }

  Answer post(URI uri, Map<String, String> headers, String form) throws IOException {
    Map<String, String> all = new LinkedHashMap<>(headers);
    all.put("Content-Type", "application/x-www-form-urlencoded");
    // Never to where a redirect leads: the form has a secret.
    return exchange(uri, all, form);
  }

  Answer get(URI first, Map<String, String> headers) throws IOException {
    Map<String, String> sent = new LinkedHashMap<>(headers);
    URI uri = first;
    for (int i = 0; i <= MAX_REDIRECTS; i++) {
      Answer answer = exchange(uri, sent, null);
      Optional<String> location = answer.header("Location");
      if (answer.status() / 100 != 3 || answer.status() == 304 || location.isEmpty()) {
        return answer;
      }
      discard(answer);
      URI next = redirected(uri, location.get());
      if (!Hosts.isSameOrigin(uri, next)) {
        sent.remove("Authorization");
      }
      uri = next;
    }
    throw new RegistryException(
        Kind.OTHER, Hosts.printable(first) + " redirects more than " + MAX_REDIRECTS + " times");
  }

  /** Reads to its end what is not wanted, if that is little: so its connection is used again. */
  void discard(Answer answer) {
    try (answer) {
      long length = length(answer);
      if (length >= 0 && length <= MAX_DISCARDED) {
        content(answer, MAX_DISCARDED);
      }
    } catch (IOException e) {
      // Then it is not.
    }
  }

  /** Bytes of the body; -1 if the server does not say. */
  private static long length(Answer answer) {
    return answer.response().headers().firstValueAsLong("Content-Length").orElse(-1);
  }

  private URI redirected(URI from, String location) throws IOException {
    URI next = null;
    try {
      next = from.resolve(location);
    } catch (IllegalArgumentException e) {
      // Told below.
    }
    if (next == null || !Hosts.isUsable(next)) {
      throw new RegistryException(
          Kind.OTHER, Hosts.printable(from) + " redirects to what is no address");
    }
    if (from.getScheme().equals("https") && !next.getScheme().equals("https")) {
      throw new RegistryException(
          Kind.OTHER,
          Hosts.printable(from)
              + " redirects to "
              + Hosts.printable(next)
              + ", without TLS: it is not followed");
    }
    return next;
  }

  private Answer exchange(URI uri, Map<String, String> headers, @Nullable String form)
      throws IOException {
    requireAllowed(uri);
    HttpRequest.Builder request =
        HttpRequest.newBuilder(uri)
            .timeout(patience.multipliedBy(HEADERS_PATIENCE))
            .header("User-Agent", "nautil");
    headers.forEach(request::header);
    String proxy = proxies.authorization(uri);
    if (proxy != null) {
      request.header("Proxy-Authorization", proxy);
    }
    if (form != null) {
      request.POST(HttpRequest.BodyPublishers.ofString(form));
    }
    try {
      Answer answer = new Answer(uri, client.send(request.build(), head -> new ArrivingStream()));
      if (answer.status() == 407) {
        answer.close();
        throw proxies.refusal(uri);
      }
      return answer;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new InterruptedIOException("interrupted");
    } catch (RegistryException e) {
      throw e;
    } catch (IOException e) {
      throw failure(uri, e);
    } catch (IllegalArgumentException e) {
      // A Content-Length that is no number, for one, is not told as an IOException.
      throw new RegistryException(
          Kind.OTHER,
          Hosts.authority(uri) + proxies.described(uri) + " answers with what is no HTTP",
          e);
    }
  }

  /** HTTP without TLS only within this machine, or where the user wants it. */
  private void requireAllowed(URI uri) throws IOException {
    boolean allowed =
        uri.getScheme().equals("https")
            || (uri.getScheme().equals("http")
                && (Hosts.isLoopback(uri.getHost()) || settings.isPlainHttp(Hosts.authority(uri))));
    if (!allowed) {
      throw new RegistryException(
          Kind.OTHER,
          Hosts.printable(uri)
              + " is not spoken to without TLS; if that is what you want, set NAUTIL_PLAIN_HTTP="
              + Hosts.authority(uri));
    }
  }

  private RegistryException failure(URI uri, IOException e) {
    String host = Hosts.authority(uri) + proxies.described(uri);
    SSLException tls = null;
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof UnresolvedAddressException) {
        return new RegistryException(Kind.UNREACHABLE, "there is no host " + host, e);
      }
      if (cause instanceof CertificateException) {
        return new RegistryException(
            Kind.OTHER,
            host
                + " has no certificate that is trusted here ("
                + cause.getMessage()
                + "); NAUTIL_CA_FILE can name a file with others",
            e);
      }
      tls = cause instanceof SSLException ssl ? ssl : tls;
    }
    // What is wrong in a handshake has a class of its own, and what breaks a connection is a cause,
    // but for the server's hanging up.
    if (tls instanceof SSLHandshakeException && !describe(tls).contains("terminated")) {
      return new RegistryException(
          Kind.OTHER, host + " and Java do not agree on how to use TLS (" + describe(tls) + ")", e);
    }
    if (tls != null && tls.getClass() == SSLException.class && tls.getCause() == null) {
      return new RegistryException(
          Kind.OTHER,
          host
              + " does not speak TLS; if you trust all that is between, set NAUTIL_PLAIN_HTTP="
              + Hosts.authority(uri),
          e);
    }
    Matcher refused = NO_TUNNEL.matcher(describe(e));
    if (refused.matches()) {
      return new RegistryException(
          Kind.OTHER,
          host + " cannot be reached: the proxy answers with HTTP status " + refused.group(1),
          e);
    }
    boolean unreachable =
        e instanceof ConnectException
            || e instanceof NoRouteToHostException
            || e instanceof HttpConnectTimeoutException;
    if (unreachable) {
      return new RegistryException(Kind.UNREACHABLE, host + " takes no connection", e);
    }
    return new RegistryException(Kind.TRANSIENT, host + " did not answer (" + describe(e) + ")", e);
  }

  /** Whether TLS failed, for another reason than a certificate that is not trusted. */
  static boolean isTlsFailure(RegistryException e) {
    boolean tls = false;
    for (Throwable cause = e; cause != null; cause = cause.getCause()) {
      if (cause instanceof CertificateException) {
        return false;
      }
      tls |= cause instanceof SSLException;
    }
    return tls;
  }

  static String describe(IOException e) {
    // Of what is no HTTP the JDK's has all that the server sent.
    return e.getMessage() == null ? e.getClass().getSimpleName() : Manifest.brief(e.getMessage());
  }

  /** What a status other than success means. */
  static RegistryException failure(Answer answer, String what) {
    int status = answer.status();
    Kind kind =
        switch (status) {
          case 401, 403 -> Kind.UNAUTHORIZED;
          case 404, 410 -> Kind.NOT_FOUND;
          case 412, 416 -> Kind.CHANGED;
          case 408, 425, 429, 500, 502, 503, 504 -> Kind.TRANSIENT;
          // Cloudflare's, which Docker Hub is behind: it does not reach the server that it hides.
          case 520, 521, 522, 523, 524 -> Kind.TRANSIENT;
          default -> Kind.OTHER;
        };
    String reason =
        switch (status) {
          case 401 -> "wants credentials, or others";
          case 403 -> "does not allow access";
          case 404, 410 -> "does not have it";
          case 429 -> "is asked too often";
          default -> "answers with HTTP status " + status;
        };
    return new RegistryException(
        kind,
        what + ": " + Hosts.authority(answer.uri()) + " " + reason,
        answer.header("Retry-After").map(HttpTransport::retryAfter).orElse(null),
        null);
  }

  /** Headers of a request for the bytes from the first up to, not including, the last. */
  static Map<String, String> withRange(
      Map<String, String> headers, Descriptor blob, long from, long to) {
    Map<String, String> all = new LinkedHashMap<>(headers);
    if (from != 0 || to != blob.size()) {
      all.put("Range", "bytes=" + from + "-" + (to - 1));
    }
    return all;
  }

  /** The body of an answer to a request for the bytes from {@code from} on. */
  Body body(Answer answer, long from, Descriptor blob, String what) throws IOException {
    long size = blob.size();
    try {
      long start = 0;
      long length = length(answer);
      long total = length;
      if (answer.status() == 206) {
        Matcher range = CONTENT_RANGE.matcher(answer.header("Content-Range").orElse(""));
        if (!range.matches()) {
          throw new RegistryException(
              Kind.OTHER, Hosts.authority(answer.uri()) + " does not say which part it sends");
        }
        start = Long.parseLong(range.group(1));
        total = range.group(3).equals("*") ? size : Long.parseLong(range.group(3));
      } else if (answer.status() == 404) {
        throw missing(what, Hosts.authority(answer.uri()), blob);
      } else if (answer.status() != 200) {
        throw failure(answer, what);
      }
      if ((total >= 0 && total != size) || (start != from && start != 0)) {
        throw new RegistryException(
            Kind.CHANGED,
            what
                + ": "
                + Hosts.authority(answer.uri())
                + " sends bytes from "
                + start
                + " on of "
                + total
                + ", where bytes from "
                + from
                + " on of "
                + size
                + " were asked for");
      }
      return new Body(answer.body(), Hosts.authority(answer.uri()), start, length, patience);
    } catch (RegistryException e) {
      answer.close();
      throw e;
    }
  }

  /** A blob that is not there: not as if there were no such model. */
  static RegistryException missing(String what, String host, Descriptor blob) {
    return new RegistryException(
        Kind.OTHER, what + ": " + host + " lacks its part " + blob.digest());
  }

  /**
   * All that a server sends.
   *
   * @param limit bytes that it may have
   */
  byte[] content(Answer answer, int limit) throws IOException {
    String from = Hosts.authority(answer.uri());
    long length = length(answer);
    try (Body body = new Body(answer.body(), from, 0, length, patience)) {
      byte[] bytes = body.readAll(limit, answer.uri().getRawPath());
      if (length >= 0 && bytes.length != length) {
        throw new RegistryException(Kind.TRANSIENT, from + " ended the connection early");
      }
      return bytes;
    }
  }

  /** Seconds, or a date. */
  private static @Nullable Duration retryAfter(String value) {
    try {
      return value.strip().matches("\\d{1,9}")
          ? Duration.ofSeconds(Long.parseLong(value.strip()))
          : Duration.between(
              Instant.now(),
              ZonedDateTime.parse(value.strip(), DateTimeFormatter.RFC_1123_DATE_TIME));
    } catch (DateTimeParseException e) {
      return null;
    }
  }
}
