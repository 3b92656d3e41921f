package dev.nautil.store;

import dev.nautil.registry.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.util.function.LongConsumer;

/** The digest of a whole file. */
final class BlobHash {
  private static final int BUFFER = 4 << 20;

  private BlobHash() {}

  /**
   * @param like of the algorithm
   * @param progress told the bytes that have been read
   */
  static Digest of(Path file, Digest like, LongConsumer progress) throws IOException {
    MessageDigest hash = like.newHash();
    ByteBuffer buffer = ByteBuffer.allocateDirect(BUFFER);
    try (FileChannel channel = FileChannel.open(file)) {
      long done = 0;
      for (int n = channel.read(buffer); n >= 0; n = channel.read(buffer.clear())) {
        hash.update(buffer.flip());
        done += n;
        progress.accept(done);
      }
    }
    return like.with(hash.digest());
  }
}
