package dev.nautil.registry;

import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** Messages of HTTP/1.1 (RFC 9112), as far as proxies have to understand them. */
final class Http1 {
  /** Large enough that a copy through sockets is bound by memory, not by calls. */
  static final int BUFFER = 1 << 18;

  /** Of one connection, so that they are not passed on. */
  private static final Set<String> HOP_BY_HOP =
      Set.of(
          "connection",
          "keep-alive",
          "proxy-connection",
          "proxy-authorization",
          "upgrade",
          "http2-settings",
          "expect");

  /** A start line and header fields, whose names may be written in either case. */
  static final class Head {
    String start;
    final TreeMap<String, List<String>> fields = new TreeMap<>(String.CASE_INSENSITIVE_ORDER);

    Head(String start) {
      this.start = start;
    }

    /** The next one of a connection; null where the connection ends instead. */
    static @Nullable Head read(InputStream in) throws IOException {
      String start = readLine(in);
      if (start == null) {
        return null;
      }
      Head head = new Head(start);
      for (String line = readLine(in); !"".equals(line); line = readLine(in)) {
        int colon = line == null ? -1 : line.indexOf(':');
        if (colon < 0) {
          throw new IOException("no header field: " + line);
        }
        head.fields
            .computeIfAbsent(line.substring(0, colon), name -> new ArrayList<>())
            .add(line.substring(colon + 1).strip());
      }
      return head;
    }

    /** One of the three parts of the start line; empty where it is missing. */
    String part(int i) {
      String[] parts = start.split(" ", 3);
      return i < parts.length ? parts[i] : "";
    }

    /** The first value; null where there is none. */
    @Nullable String get(String name) {
      List<String> values = fields.get(name);
      return values == null ? null : values.get(0);
    }

    boolean has(String name, String value) {
      return value.equalsIgnoreCase(get(name));
    }

    /** Null removes the field. */
    void set(String name, @Nullable String value) {
      fields.remove(name);
      if (value != null) {
        fields.put(name, List.of(value));
      }
    }

    long length() {
      String length = get("Content-Length");
      return length == null ? -1 : Long.parseLong(length);
    }

    void removeHopByHop() {
      fields.keySet().removeIf(name -> HOP_BY_HOP.contains(name.toLowerCase(Locale.ROOT)));
    }

    void writeTo(OutputStream out) throws IOException {
      StringBuilder text = new StringBuilder(start).append("\r\n");
      fields.forEach(
          (name, values) -> values.forEach(value -> text.append(name + ": " + value + "\r\n")));
      out.write(text.append("\r\n").toString().getBytes(StandardCharsets.ISO_8859_1));
    }

    /** The body of a request: empty where it has none. */
    InputStream requestBody(InputStream in) {
      return has("Transfer-Encoding", "chunked")
          ? new Body(in, 0, true)
          : new Body(in, Math.max(0, length()), false);
    }

    /** The body of an answer to such a request: null where it has none. */
    @Nullable InputStream answerBody(String method, InputStream in) {
      int status = Integer.parseInt(part(1));
      if (method.equals("HEAD") || status < 200 || status == 204 || status == 304) {
        return null;
      }
      if (has("Transfer-Encoding", "chunked")) {
        return new Body(in, 0, true);
      }
      return length() < 0 ? in : new Body(in, length(), false);
    }
  }

  /** So many bytes, or chunks that say how many are left of each. */
  private static final class Body extends InputStream {
    private final InputStream in;
    private final boolean isChunked;
    private long left;
    private boolean isFirst = true;
    private boolean isAtEnd;

    Body(InputStream in, long left, boolean isChunked) {
      this.in = in;
      this.left = left;
      this.isChunked = isChunked;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xFF;
    }

    @Override
    public int read(byte[] bytes, int offset, int length) throws IOException {
      if (left == 0 && isChunked && !isAtEnd) {
        nextChunk();
      }
      if (left == 0) {
        return -1;
      }
      int n = in.read(bytes, offset, (int) Math.min(length, left));
      if (n < 0) {
        throw new EOFException("the body is cut");
      }
      left -= n;
      return n;
    }

    private void nextChunk() throws IOException {
      if (!isFirst) {
        readLine(in);
      }
      isFirst = false;
      String size = readLine(in);
      if (size == null) {
        throw new EOFException("the body is cut");
      }
      left = Long.parseLong(size.split(";")[0].strip(), 16);
      if (left == 0) {
        isAtEnd = true;
        // Trailers are dropped.
        String line = readLine(in);
        while (line != null && !line.isEmpty()) {
          line = readLine(in);
        }
      }
    }
  }

  private Http1() {}

  /** Without its end; null at the end of the stream. */
  private static @Nullable String readLine(InputStream in) throws IOException {
    StringBuilder line = new StringBuilder();
    for (int c = in.read(); c != '\n'; c = in.read()) {
      if (c < 0) {
        return null;
      }
      line.append((char) c);
    }
    int length = line.length();
    return length > 0 && line.charAt(length - 1) == '\r'
        ? line.substring(0, length - 1)
        : line.toString();
  }

  /** Answers what waits to be told that its body is wanted. */
  static void inviteBody(Head request, OutputStream client) throws IOException {
    if (request.has("Expect", "100-continue")) {
      new Head("HTTP/1.1 100 Continue").writeTo(client);
    }
  }

  /**
   * Sends a request to its server as the last one of that connection. A server that answers before
   * it has read all may close: then the rest of the body goes nowhere.
   */
  static void send(Head request, String target, InputStream body, Socket origin)
      throws IOException {
    request.start = request.part(0) + " " + target + " HTTP/1.1";
    request.removeHopByHop();
    request.set("Connection", "close");
    OutputStream out = origin.getOutputStream();
    request.writeTo(out);
    boolean isChunked = request.has("Transfer-Encoding", "chunked");
    byte[] buffer = new byte[BUFFER];
    boolean isOpen = true;
    for (int n = body.read(buffer); n >= 0; n = body.read(buffer)) {
      isOpen = isOpen && isWritten(out, buffer, n, isChunked);
    }
    if (isOpen && isChunked) {
      endChunks(out);
    }
  }

  private static boolean isWritten(OutputStream out, byte[] bytes, int n, boolean isChunk) {
    try {
      write(out, bytes, n, isChunk);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  static void write(OutputStream out, byte[] bytes, int n, boolean isChunk) throws IOException {
    if (isChunk) {
      out.write((Integer.toHexString(n) + "\r\n").getBytes(StandardCharsets.US_ASCII));
    }
    out.write(bytes, 0, n);
    if (isChunk) {
      out.write('\r');
      out.write('\n');
    }
  }

  static void endChunks(OutputStream out) throws IOException {
    out.write("0\r\n\r\n".getBytes(StandardCharsets.US_ASCII));
  }

  static void copy(InputStream in, OutputStream out) throws IOException {
    byte[] buffer = new byte[BUFFER];
    for (int n = in.read(buffer); n >= 0; n = in.read(buffer)) {
      out.write(buffer, 0, n);
    }
  }
}
