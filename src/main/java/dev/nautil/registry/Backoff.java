package dev.nautil.registry;

import dev.nautil.registry.RegistryException.Kind;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.ThreadLocalRandom;

/** When a request that failed is made again, and when no more. */
public final class Backoff {
  private static final int ATTEMPTS = 6;
  private static final Duration FIRST = Duration.ofMillis(500);

  /** A server that wants a longer wait is asked another day. */
  private static final Duration LONGEST = Duration.ofMinutes(2);

  private final long firstMillis;
  private int failures;
  private boolean reached;

  /**
   * @param reached whether the server has answered before: one that cannot be reached at all is not
   *     worth waiting for
   * @param patience for a server that sends nothing; who has little does not wait long here either
   */
  Backoff(boolean reached, Duration patience) {
    this.reached = reached;
    firstMillis = Math.min(FIRST.toMillis(), patience.toMillis() / 40);
  }

  /** Forgets the failures before: something arrived. */
  public void progressed() {
    failures = 0;
    reached = true;
  }

  /**
   * Waits, and longer each time; twice as long at most as the failures before, so that many clients
   * do not come back at once.
   *
   * @throws RegistryException the failure, if another attempt makes no sense
   */
  public void await(RegistryException failure) throws RegistryException, InterruptedException {
    boolean isTransient =
        failure.kind() == Kind.TRANSIENT || (failure.kind() == Kind.UNREACHABLE && reached);
    Duration asked = failure.retryAfter();
    failures++;
    if (!isTransient || failures >= ATTEMPTS || (asked != null && asked.compareTo(LONGEST) > 0)) {
      throw failure;
    }
    long millis = firstMillis << (failures - 1);
    millis = ThreadLocalRandom.current().nextLong(millis, 2 * millis);
    Thread.sleep(Math.max(millis, asked == null ? 0 : asked.toMillis()));
  }

  /** A request. */
  @FunctionalInterface
  public interface Request<T> {
    T send() throws IOException;
  }

  /** Makes a request until it succeeds or another attempt makes no sense. */
  public <T> T retry(Request<T> request) throws IOException, InterruptedException {
    while (true) {
      try {
        return request.send();
      } catch (RegistryException e) {
        await(e);
      }
    }
  }
}
