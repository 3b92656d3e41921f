package dev.nautil.registry;

import java.io.IOException;

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
}
