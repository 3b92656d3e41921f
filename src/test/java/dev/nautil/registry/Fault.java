package dev.nautil.registry;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.format.DateTimeFormatter;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * What a {@link FaultProxy} does wrong, at which requests. Several things may go wrong together.
 * Build it, then add it to the proxy; offsets and counts are of the answer's body, in bytes.
 */
public final class Fault {
  /** RFC 9110's IMF-fixdate. */
  private static final DateTimeFormatter HTTP_DATE =
      DateTimeFormatter.ofPattern("EEE, dd MMM yyyy HH:mm:ss 'GMT'", Locale.ROOT)
          .withZone(ZoneOffset.UTC);

  /** Nothing. */
  static final Fault NONE = on("GET", ".*");

  private final String method;
  private final Pattern path;
  private int skipped;
  private int times = Integer.MAX_VALUE;

  final Map<String, @Nullable String> fields = new LinkedHashMap<>();
  Duration delay = Duration.ZERO;
  boolean drops;
  boolean ignoresRange;

  /** Of an answer that the proxy gives itself; 0 where the server's is passed on. */
  int status;

  byte[] body = {};
  @Nullable String redirectHost;
  long rangeShift;
  long rangeTotalShift;
  long flipAt = -1;
  long stopAt = -1;
  boolean stalls;

  /** Bytes a second. */
  long rate = Long.MAX_VALUE;

  private Fault(String method, Pattern path) {
    this.method = method;
    this.path = path;
  }

  /**
   * At requests of this method whose path, without a query, matches as a whole.
   *
   * @param path a regular expression
   */
  public static Fault on(String method, String path) {
    return new Fault(method, Pattern.compile(path));
  }

  /** Spares the first so many of them. */
  public Fault skip(int requests) {
    skipped = requests;
    return this;
  }

  /** Ends after so many of them; without this it never does. */
  public Fault times(int requests) {
    times = requests;
    return this;
  }

  /** Waits before the answer. */
  public Fault delay(Duration time) {
    delay = time;
    return this;
  }

  /** Closes the connection instead of an answer. */
  public Fault drop() {
    drops = true;
    return this;
  }

  /** Closes the connection after so many bytes. */
  public Fault cutAfter(long bytes) {
    stopAt = bytes;
    stalls = false;
    return this;
  }

  /** Sends nothing more after so many bytes, and keeps the connection open. */
  public Fault stallAfter(long bytes) {
    stopAt = bytes;
    stalls = true;
    return this;
  }

  /** Sends no more than this: few make a server that never seems to end. */
  public Fault rate(long bytesPerSecond) {
    rate = bytesPerSecond;
    return this;
  }

  /** Turns all bits of one byte. */
  public Fault flip(long offset) {
    flipAt = offset;
    return this;
  }

  /** Answers with the whole where a range is asked for. */
  public Fault ignoreRange() {
    ignoresRange = true;
    return this;
  }

  /** Adds to the first and the last position that a Content-Range tells, not to the bytes sent. */
  public Fault shiftRange(long bytes) {
    rangeShift = bytes;
    return this;
  }

  /** Adds to the total that a Content-Range tells. */
  public Fault shiftRangeTotal(long bytes) {
    rangeTotalShift = bytes;
    return this;
  }

  /** Answers with an empty list of errors, and does not ask the server. */
  public Fault status(int status) {
    return answer(status, "application/json", "{\"errors\":[]}".getBytes(StandardCharsets.UTF_8));
  }

  /** Answers with this, and does not ask the server. */
  public Fault answer(int status, String contentType, byte[] body) {
    this.status = status;
    this.body = body.clone();
    return header("Content-Type", contentType);
  }

  /** Sends the client to the same path of another host, or to a whole URL. */
  public Fault redirect(int status, String hostOrUrl) {
    redirectHost = hostOrUrl;
    this.status = status;
    return this;
  }

  /** Adds a Retry-After, in seconds. */
  public Fault retryAfter(Duration time) {
    return header("Retry-After", String.valueOf(time.toSeconds()));
  }

  /** Adds a Retry-After, as a date, which has no fractions of a second. */
  public Fault retryAfter(Instant time) {
    return header("Retry-After", HTTP_DATE.format(time));
  }

  /**
   * Sets a field of the answer's header, or removes it. A body whose Content-Length is removed is
   * sent in chunks; one whose Content-Length is wrong is sent as it is.
   */
  public Fault header(String name, @Nullable String value) {
    fields.put(name, value);
    return this;
  }

  /** Whether this request is one of those; counts it. */
  synchronized boolean isDue(String method, String path) {
    if (times == 0 || !this.method.equals(method) || !this.path.matcher(path).matches()) {
      return false;
    }
    if (skipped > 0) {
      skipped--;
      return false;
    }
    times--;
    return true;
  }
}
