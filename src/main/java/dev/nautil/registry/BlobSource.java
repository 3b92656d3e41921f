package dev.nautil.registry;

import java.io.IOException;
import java.time.Duration;

/** Where blobs come from. Any number of threads may ask at once. */
public interface BlobSource {
  /**
   * A part of a blob.
   *
   * @param from the first byte
   * @param to the byte after the last
   * @return a body that starts at {@code from}; a server without ranges sends all, from 0
   * @throws RegistryException if the server does not give it
   */
  Body open(Descriptor blob, long from, long to) throws IOException;

  /** What was sent for a blob is something else: if there is another server, it is asked next. */
  default void distrust() {}

  /** When to ask again after a failure; it has answered before. */
  default Backoff backoff() {
    return new Backoff(true, Duration.ofSeconds(20));
  }
}
