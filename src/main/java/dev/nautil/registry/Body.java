package dev.nautil.registry;

import dev.nautil.registry.RegistryException.Kind;
import java.io.IOException;
import java.io.InputStream;
import java.io.InterruptedIOException;
import java.time.Duration;
import java.util.Arrays;
import java.util.concurrent.Executors;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ScheduledFuture;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What a server sends. java.net.http has no limit for the time between two bytes: a body that comes
 * slower than a modem's, or not at all, is given up here. Only the time that a reader waits counts.
 *
 * <p>Read by one thread; any may close it.
 */
public final class Body implements AutoCloseable {
  /** A second; a modem of 1998 sent five times as much. */
  private static final int LEAST_BYTES = 1 << 10;

  private static final ScheduledExecutorService WATCH =
      Executors.newSingleThreadScheduledExecutor(
          task -> {
            Thread thread = new Thread(task, "nautil-registry-watch");
            thread.setDaemon(true);
            return thread;
          });

  private final InputStream in;
  private final String from;
  private final long start;
  private final long length;
  private final ScheduledFuture<?> watch;
  private final Duration patience;
  private volatile Runnable onFailure = () -> {};

  // Written by the reader alone.
  private volatile boolean waiting;
  private volatile long waitingSince;
  private volatile long waited;
  private volatile long bytes;

  // What the watch saw when its window began.
  private long windowWaited;
  private long windowBytes;
  private volatile boolean stalled;

  /**
   * @param from names the server in errors
   * @param start where in the blob the first byte belongs
   * @param length bytes that the server says it sends; -1 if it does not
   * @param patience how long it may be slower than that
   */
  Body(InputStream in, String from, long start, long length, Duration patience) {
    this.in = in;
    this.from = from;
    this.start = start;
    this.length = length;
    this.patience = patience;
    watch = WATCH.scheduleWithFixedDelay(this::check, 1, 1, TimeUnit.SECONDS);
  }

  /** Has this told once the server fails to send all. */
  Body onFailure(Runnable action) {
    onFailure = action;
    return this;
  }

  /** Where in the blob the first byte belongs; other than asked for if the server has no ranges. */
  public long start() {
    return start;
  }

  /**
   * Reads some bytes.
   *
   * @return how many; -1 at the end
   * @throws RegistryException if the connection fails or stalls
   */
  public int read(byte[] buffer, int offset, int size) throws IOException {
    waitingSince = System.nanoTime();
    waiting = true;
    int count;
    try {
      count = in.read(buffer, offset, size);
      if (count > 0 && bytes + count == length) {
        // The end as well, or the JDK would close the connection, which the next part can use.
        in.read();
      }
    } catch (InterruptedIOException e) {
      throw e;
    } catch (IOException e) {
      throw failure(e);
    } finally {
      waiting = false;
      waited += System.nanoTime() - waitingSince;
    }
    if (stalled) {
      throw failure(null);
    }
    bytes += Math.max(0, count);
    return count;
  }

  /**
   * Reads so many bytes.
   *
   * @throws RegistryException if there are fewer, or the connection fails or stalls
   */
  public void readFully(byte[] buffer, int length) throws IOException {
    for (int size = 0; size < length; ) {
      int count = read(buffer, size, length - size);
      if (count < 0) {
        throw failure(null);
      }
      size += count;
    }
  }

  /** All of a small body. */
  byte[] readAll(int limit, String what) throws IOException {
    byte[] buffer = new byte[Math.min(limit + 1, 64 << 10)];
    int size = 0;
    for (int n = read(buffer, 0, buffer.length);
        n >= 0;
        n = read(buffer, size, buffer.length - size)) {
      size += n;
      if (size > limit) {
        throw new RegistryException(
            Kind.OTHER, from + " sends more than " + limit + " bytes for " + what);
      }
      if (size == buffer.length) {
        buffer = Arrays.copyOf(buffer, Math.min(limit + 1, 2 * size));
      }
    }
    return Arrays.copyOf(buffer, size);
  }

  private RegistryException failure(@Nullable IOException e) {
    onFailure.run();
    String reason =
        stalled
            ? "sent less than 1 kB a second for " + patience.toSeconds() + " s"
            : "ended the connection early"
                + (e == null ? "" : " (" + HttpTransport.describe(e) + ")");
    return new RegistryException(Kind.TRANSIENT, from + " " + reason, e);
  }

  private void check() {
    long time = waited + (waiting ? System.nanoTime() - waitingSince : 0);
    if (time - windowWaited < patience.toNanos()) {
      return;
    }
    if (bytes - windowBytes < LEAST_BYTES * Math.max(1, patience.toSeconds())) {
      stalled = true;
      close();
    }
    windowWaited = time;
    windowBytes = bytes;
  }

  @Override
  public void close() {
    watch.cancel(false);
    try {
      in.close();
    } catch (IOException e) {
      // Nothing of it is wanted any more.
    }
  }
}
