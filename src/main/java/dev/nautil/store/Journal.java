package dev.nautil.store;

import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;

/**
 * Which pieces of a blob are in its incomplete file: a head with the blob's size, then a byte a
 * piece, written after the piece. What a loss of power took of a piece shows when the blob is
 * hashed.
 */
final class Journal implements Closeable {
  /** Bytes; so much is fetched again of each connection that breaks. */
  static final int PIECE = 256 << 10;

  private static final long MAGIC = 0x6e617574696c4a31L;
  private static final int HEAD = 24;

  private final FileChannel channel;
  private final boolean[] arrived;
  private final long size;
  private int count;

  private Journal(FileChannel channel, long size) {
    this.channel = channel;
    this.size = size;
    arrived = new boolean[pieces(size)];
  }

  static int pieces(long size) {
    return Math.toIntExact((size + PIECE - 1) / PIECE);
  }

  /** Bytes that a journal says are there, which another process may be writing; 0 without one. */
  static long arrived(Path file) throws IOException {
    byte[] content;
    try {
      content = Files.readAllBytes(file);
    } catch (NoSuchFileException e) {
      return 0;
    }
    if (content.length < HEAD) {
      return 0;
    }
    long size = ByteBuffer.wrap(content).getLong(8);
    long bytes = 0;
    for (int i = HEAD; i < content.length; i++) {
      bytes += content[i] == 1 ? PIECE : 0;
    }
    return Math.min(bytes, size);
  }

  /**
   * Opens a journal; it begins anew if it is another blob's or damaged, or the file is not there.
   */
  static Journal open(Path file, Path incomplete, long size) throws IOException {
    Journal journal =
        new Journal(
            FileChannel.open(
                file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE),
            size);
    try {
      long there = Files.exists(incomplete) ? Files.size(incomplete) : 0;
      if (!journal.read(there)) {
        journal.clear();
      }
      return journal;
    } catch (IOException e) {
      journal.close();
      throw e;
    }
  }

  private boolean read(long there) throws IOException {
    if (channel.size() != HEAD + arrived.length) {
      return false;
    }
    ByteBuffer content = ByteBuffer.allocate(HEAD + arrived.length);
    while (content.hasRemaining() && channel.read(content, content.position()) > 0) {
      // Until all is there.
    }
    content.flip();
    if (content.remaining() != HEAD + arrived.length
        || content.getLong() != MAGIC
        || content.getLong() != size
        || content.getLong() != PIECE) {
      return false;
    }
    boolean isTrue = true;
    for (int i = 0; i < arrived.length; i++) {
      boolean noted = content.get() == 1;
      arrived[i] = noted && end(i) <= there;
      isTrue &= arrived[i] == noted;
      count += arrived[i] ? 1 : 0;
    }
    if (!isTrue) {
      // Or a later piece, which makes the file longer, would make it seem true.
      write();
    }
    return true;
  }

  /** Forgets all pieces. */
  synchronized void clear() throws IOException {
    Arrays.fill(arrived, false);
    count = 0;
    channel.truncate(0);
    write();
  }

  private void write() throws IOException {
    ByteBuffer content = ByteBuffer.allocate(HEAD + arrived.length);
    content.putLong(MAGIC).putLong(size).putLong(PIECE);
    for (boolean each : arrived) {
      content.put((byte) (each ? 1 : 0));
    }
    content.rewind();
    while (content.hasRemaining()) {
      channel.write(content, content.position());
    }
  }

  synchronized void add(int piece) throws IOException {
    if (!arrived[piece]) {
      channel.write(ByteBuffer.wrap(new byte[] {1}), HEAD + piece);
      arrived[piece] = true;
      count++;
    }
  }

  synchronized boolean has(int piece) {
    return arrived[piece];
  }

  int pieces() {
    return arrived.length;
  }

  /** Where a piece begins in the blob. */
  static long start(int piece) {
    return (long) piece * PIECE;
  }

  /** Where it ends. */
  long end(int piece) {
    return Math.min(size, start(piece) + PIECE);
  }

  /** Bytes that are there. */
  synchronized long bytes() {
    int last = arrived.length - 1;
    boolean hasLast = last >= 0 && arrived[last];
    return (long) count * PIECE - (hasLast ? start(last) + PIECE - size : 0);
  }

  @Override
  public void close() throws IOException {
    channel.close();
  }
}
