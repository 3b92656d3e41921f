package dev.nautil;

import java.util.Objects;
import java.util.function.Consumer;

/** How a model is pulled. Immutable: each method gives a changed copy. */
public final class PullOptions {
  static final PullOptions DEFAULTS = new PullOptions(4, false, progress -> {});

  private final int connections;
  private final boolean plainHttp;
  private final Consumer<PullProgress> onProgress;

  private PullOptions(int connections, boolean plainHttp, Consumer<PullProgress> onProgress) {
    this.connections = connections;
    this.plainHttp = plainHttp;
    this.onProgress = onProgress;
  }

  /**
   * Connections at once, 4 if it is not said.
   *
   * @throws IllegalArgumentException if it is not between 1 and 64
   */
  public PullOptions connections(int connections) {
    if (connections < 1 || connections > 64) {
      throw new IllegalArgumentException(
          "connections is " + connections + "; it must be between 1 and 64");
    }
    return new PullOptions(connections, plainHttp, onProgress);
  }

  /**
   * Speaks to the registry, and to where it redirects, without TLS. Only for networks that are
   * trusted: whoever is on the way can read credentials. On this machine itself it need not be
   * said.
   */
  public PullOptions plainHttp() {
    return new PullOptions(connections, true, onProgress);
  }

  /**
   * Tells how far the pull is, some ten times a second, on the thread that pulls. What the consumer
   * throws ends the pull; what has arrived is kept for the next one.
   */
  public PullOptions onProgress(Consumer<PullProgress> consumer) {
    return new PullOptions(connections, plainHttp, Objects.requireNonNull(consumer, "consumer"));
  }

  /** Connections at once. */
  public int connections() {
    return connections;
  }

  /** Whether registries are spoken to without TLS. */
  public boolean isPlainHttp() {
    return plainHttp;
  }

  Consumer<PullProgress> progress() {
    return onProgress;
  }
}
