package dev.nautil.registry;

import dev.nautil.registry.Http1.Head;
import java.io.BufferedInputStream;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A server in front of another one, which passes requests on as they are – the Host too, so that
 * the URLs that the server makes lead here – and errs where {@link Fault}s say so. The first fault
 * that is due decides. It keeps account of the requests and of the bytes that it sent.
 */
public final class FaultProxy implements AutoCloseable {
  private static final Pattern CONTENT_RANGE = Pattern.compile("bytes (\\d+)-(\\d+)/(\\d+)");

  /** A request, and how far its answer has come. */
  public static final class Exchange {
    private final String method;
    private final String target;
    private final Map<String, List<String>> headers = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);
    private final Instant time = Instant.now();
    private final AtomicLong bodyBytes = new AtomicLong();
    private volatile int status;

    private Exchange(Head request) {
      method = request.part(0);
      target = request.part(1);
      headers.putAll(request.fields);
    }

    public String method() {
      return method;
    }

    /** The path with the query. */
    public String target() {
      return target;
    }

    public String path() {
      return target.split("\\?", 2)[0];
    }

    /** The first value of a field of the request's header; null without one. */
    public @Nullable String header(String name) {
      List<String> values = headers.get(name);
      return values == null ? null : values.get(0);
    }

    /** When the request's header had come. */
    public Instant time() {
      return time;
    }

    /** Of the answer; 0 before there is one. */
    public int status() {
      return status;
    }

    /**
     * How many bytes of the answer's body were sent; a client that goes away may not have received
     * the last ones.
     */
    public long bodyBytes() {
      return bodyBytes.get();
    }

    @Override
    public String toString() {
      return method + " " + target + " " + headers + " -> " + status + ", " + bodyBytes;
    }
  }

  private final URI origin;
  private final List<Fault> faults = new CopyOnWriteArrayList<>();
  private final List<Exchange> exchanges = new CopyOnWriteArrayList<>();
  private final LoopbackServer server;

  /**
   * Starts on a free port.
   *
   * @param origin of the server behind: {@code http://HOST:PORT}
   */
  public static FaultProxy to(URI origin) {
    if (!"http".equals(origin.getScheme()) || origin.getPort() < 0) {
      throw new IllegalArgumentException("not http://HOST:PORT: " + origin);
    }
    return new FaultProxy(origin);
  }

  private FaultProxy(URI origin) {
    this.origin = origin;
    server = new LoopbackServer("fault-proxy", this::serve);
  }

  /** {@code 127.0.0.1:PORT} */
  public String host() {
    return server.host();
  }

  /** Without a slash at its end. */
  public URI url() {
    return URI.create("http://" + host());
  }

  /** How many connections clients have made, from the start on. */
  int connections() {
    return server.connections();
  }

  /** Adds a fault to those before. */
  public FaultProxy add(Fault fault) {
    faults.add(fault);
    return this;
  }

  /** Errs no more, and forgets what came. */
  public void reset() {
    faults.clear();
    exchanges.clear();
  }

  /** All that came, in order. */
  public List<Exchange> exchanges() {
    return List.copyOf(exchanges);
  }

  /** Those of this method whose path, without a query, matches as a whole. */
  public List<Exchange> exchanges(String method, String path) {
    return exchanges.stream()
        .filter(each -> each.method.equals(method) && each.path().matches(path))
        .toList();
  }

  /** How many bytes of bodies were sent in answers to such requests. */
  public long bodyBytes(String method, String path) {
    return exchanges(method, path).stream().mapToLong(Exchange::bodyBytes).sum();
  }

  /** How many bytes of bodies were sent in all. */
  public long bodyBytes() {
    return exchanges.stream().mapToLong(Exchange::bodyBytes).sum();
  }

  private void serve(Socket client) throws IOException {
    InputStream in = new BufferedInputStream(client.getInputStream(), 1 << 16);
    OutputStream out = client.getOutputStream();
    if (isTls(in)) {
      // As Docker's registry answers who tries HTTPS first.
      new Head("HTTP/1.0 400 Bad Request").writeTo(out);
      return;
    }
    boolean isKept = true;
    while (isKept) {
      Head request = Head.read(in);
      if (request == null) {
        return;
      }
      boolean isLast = request.has("Connection", "close");
      isKept = serve(request, in, out) && !isLast;
    }
  }

  private static boolean isTls(InputStream in) throws IOException {
    in.mark(1);
    int first = in.read();
    in.reset();
    // A record of type handshake.
    return first == 22;
  }

  /** Returns whether the connection can be used again. */
  private boolean serve(Head request, InputStream in, OutputStream out) throws IOException {
    Exchange exchange = new Exchange(request);
    exchanges.add(exchange);
    Fault fault =
        faults.stream()
            .filter(each -> each.isDue(exchange.method, exchange.path()))
            .findFirst()
            .orElse(Fault.NONE);
    server.pause(fault.delay);
    if (fault.drops) {
      return false;
    }
    Http1.inviteBody(request, out);
    InputStream body = request.requestBody(in);
    Answer answer = new Answer(exchange, fault, in, out);
    if (fault.status != 0) {
      Http1.copy(body, OutputStream.nullOutputStream());
      return answer.send(ownAnswer(fault, exchange), bodyOf(exchange, fault.body));
    }
    if (fault.ignoresRange) {
      request.set("Range", null);
    }
    try (Socket socket = server.connect(origin.getHost(), origin.getPort())) {
      Http1.send(request, exchange.target, body, socket);
      InputStream answers = new BufferedInputStream(socket.getInputStream(), 1 << 16);
      Head head = Head.read(answers);
      if (head == null) {
        return false;
      }
      return answer.send(head, head.answerBody(exchange.method, answers));
    }
  }

  private static @Nullable InputStream bodyOf(Exchange exchange, byte[] bytes) {
    return exchange.method.equals("HEAD") ? null : new ByteArrayInputStream(bytes);
  }

  private static Head ownAnswer(Fault fault, Exchange exchange) {
    Head head = new Head("HTTP/1.1 " + fault.status + " Fault");
    head.set("Content-Length", String.valueOf(fault.body.length));
    String host = fault.redirectHost;
    if (host != null) {
      head.set("Location", host.contains("://") ? host : "http://" + host + exchange.target);
    }
    return head;
  }

  /** Sends an answer with its faults. */
  private final class Answer {
    private final Exchange exchange;
    private final Fault fault;
    private final InputStream client;
    private final OutputStream out;
    private final long start = System.nanoTime();

    Answer(Exchange exchange, Fault fault, InputStream client, OutputStream out) {
      this.exchange = exchange;
      this.fault = fault;
      this.client = client;
      this.out = out;
    }

    /**
     * Returns whether the connection can be used again.
     *
     * @param body null where there is none, whatever the header says
     */
    boolean send(Head head, @Nullable InputStream body) throws IOException {
      head.removeHopByHop();
      shiftRange(head);
      fault.fields.forEach(head::set);
      boolean isChunked = body != null && head.length() < 0;
      head.set("Transfer-Encoding", isChunked ? "chunked" : null);
      exchange.status = Integer.parseInt(head.part(1));
      head.writeTo(out);
      if (body == null) {
        return true;
      }
      if (!sendBody(body, isChunked)) {
        return false;
      }
      if (isChunked) {
        Http1.endChunks(out);
      }
      return isChunked || exchange.bodyBytes() == head.length();
    }

    private void shiftRange(Head head) {
      String value = head.get("Content-Range");
      Matcher range = CONTENT_RANGE.matcher(value == null ? "" : value);
      if (range.matches()) {
        long first = Long.parseLong(range.group(1)) + fault.rangeShift;
        long last = Long.parseLong(range.group(2)) + fault.rangeShift;
        long total = Long.parseLong(range.group(3)) + fault.rangeTotalShift;
        head.set("Content-Range", "bytes " + first + "-" + last + "/" + total);
      }
    }

    /** Returns false where the fault has it stop. */
    private boolean sendBody(InputStream body, boolean isChunked) throws IOException {
      // Where the rate is limited, some fifty portions a second.
      byte[] buffer = new byte[(int) Math.max(1, Math.min(Http1.BUFFER, fault.rate / 50))];
      long sent = 0;
      while (true) {
        long left = fault.stopAt < 0 ? Long.MAX_VALUE : fault.stopAt - sent;
        if (left == 0) {
          if (fault.stalls) {
            awaitEnd();
          }
          return false;
        }
        int n = body.read(buffer, 0, (int) Math.min(buffer.length, left));
        if (n < 0) {
          return true;
        }
        if (fault.flipAt >= sent && fault.flipAt < sent + n) {
          buffer[(int) (fault.flipAt - sent)] ^= (byte) 0xFF;
        }
        write(buffer, n, isChunked);
        sent += n;
        if (fault.rate != Long.MAX_VALUE) {
          long due = start + (long) (1e9 * sent / fault.rate);
          server.pause(Duration.ofNanos(Math.max(0, due - System.nanoTime())));
        }
      }
    }

    /** Counts first: a client that has the bytes may look at once. */
    private void write(byte[] bytes, int n, boolean isChunk) throws IOException {
      exchange.bodyBytes.addAndGet(n);
      try {
        Http1.write(out, bytes, n, isChunk);
      } catch (IOException e) {
        exchange.bodyBytes.addAndGet(-n);
        throw e;
      }
    }

    /** Until the client closes, or this proxy does. */
    private void awaitEnd() throws IOException {
      Http1.copy(client, OutputStream.nullOutputStream());
    }
  }

  @Override
  public void close() {
    server.close();
  }
}
