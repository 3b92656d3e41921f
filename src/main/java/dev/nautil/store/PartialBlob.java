package dev.nautil.store;

import dev.nautil.registry.Descriptor;
import dev.nautil.registry.Digest;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.MessageDigest;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A blob that is arriving: which of its pieces are there and which somebody fetches. Who makes one
 * holds the blob's lock.
 */
final class PartialBlob implements Closeable {
  /** Pieces of one request: long ones cost fewer round trips. */
  private static final int MOST_PIECES = (32 << 20) / Journal.PIECE;

  /** Towards the end short ones, so that all connections end together; and none too short. */
  private static final int LEAST_PIECES = (2 << 20) / Journal.PIECE;

  /**
   * Pieces that Linux can keep in one large page of memory, from which weights are read faster: its
   * cache has pages as long as the first write of them.
   */
  private static final int PAGE_PIECES = (2 << 20) / Journal.PIECE;

  private static final ByteBuffer EMPTY_PAGE =
      ByteBuffer.allocateDirect(PAGE_PIECES * Journal.PIECE).asReadOnlyBuffer();

  private final Descriptor blob;
  private final Path incomplete;
  private final Path journalFile;
  private final Journal journal;
  private final FileChannel channel;
  private final boolean[] taken;
  private boolean whole;
  private boolean restarted;

  /** Pieces from the first up to, not including, the last. */
  record Segment(PartialBlob of, int first, int last, boolean whole) {}

  PartialBlob(StoreFolder folder, Descriptor blob) throws IOException {
    this.blob = blob;
    incomplete = folder.incomplete(blob.digest());
    journalFile = folder.journal(blob.digest());
    Files.createDirectories(incomplete.getParent());
    journal = Journal.open(journalFile, incomplete, blob.size());
    channel =
        FileChannel.open(
            incomplete,
            StandardOpenOption.CREATE,
            StandardOpenOption.READ,
            StandardOpenOption.WRITE);
    // Longer it were of another size than the blob, and so not taken for it.
    channel.truncate(blob.size());
    taken = new boolean[journal.pieces()];
  }

  /** Pieces that are not there, and nobody fetches. */
  private int missing() {
    int count = 0;
    for (int i = 0; i < taken.length; i++) {
      count += taken[i] || journal.has(i) ? 0 : 1;
    }
    return count;
  }

  Descriptor blob() {
    return blob;
  }

  /** Bytes that are there. */
  long arrived() {
    return journal.bytes();
  }

  /**
   * What is to be fetched next, for the caller to fetch; null if there is nothing now.
   *
   * @param connections that share what is left
   */
  synchronized @Nullable Segment take(int connections) {
    if (whole) {
      return takeWhole();
    }
    int share = connections == 1 ? MOST_PIECES : missing() / (2 * connections);
    int most = Math.max(LEAST_PIECES, Math.min(MOST_PIECES, share));
    int first = 0;
    while (first < taken.length && (taken[first] || journal.has(first))) {
      first++;
    }
    int last = first;
    while (last < taken.length && last - first < most && !taken[last] && !journal.has(last)) {
      taken[last++] = true;
    }
    return first == last ? null : new Segment(this, first, last, false);
  }

  private @Nullable Segment takeWhole() {
    if (isComplete() || isAnyTaken()) {
      return null;
    }
    Arrays.fill(taken, true);
    return new Segment(this, 0, taken.length, true);
  }

  private boolean isAnyTaken() {
    for (boolean each : taken) {
      if (each) {
        return true;
      }
    }
    return false;
  }

  /** Gives a segment back, whatever became of it. */
  synchronized void release(Segment segment) {
    Arrays.fill(taken, segment.first, segment.last, false);
    notifyAll();
  }

  /**
   * Begins anew, with one request for all, since the server does not send this part.
   *
   * @return whether it does, or has since the segment was taken
   */
  synchronized boolean restartWhole(Segment segment) throws IOException {
    if (whole && !segment.whole) {
      return true;
    }
    whole = true;
    return restart();
  }

  /** The server has no ranges: from now on one request fetches all. */
  synchronized void fetchWhole() {
    whole = true;
  }

  /**
   * Begins anew, if it has not yet.
   *
   * @return whether it does
   */
  synchronized boolean restart() throws IOException {
    if (restarted) {
      return false;
    }
    restarted = true;
    journal.clear();
    notifyAll();
    return true;
  }

  private synchronized boolean restarted() {
    return restarted;
  }

  synchronized boolean isComplete() {
    return journal.bytes() == blob.size();
  }

  /**
   * To be called before a piece of a segment is written: where it and those behind it are a large
   * page of which nothing is there, the file gets one.
   */
  void makeRoom(Segment segment, int piece) throws IOException {
    int last = piece + PAGE_PIECES;
    if (piece % PAGE_PIECES != 0
        || last > segment.last
        || Journal.start(last) > blob.size()
        || isAnyThere(piece, last)) {
      return;
    }
    write(EMPTY_PAGE.duplicate(), Journal.start(piece));
  }

  private synchronized boolean isAnyThere(int first, int last) {
    for (int piece = first; piece < last; piece++) {
      if (journal.has(piece)) {
        return true;
      }
    }
    return false;
  }

  private void write(ByteBuffer bytes, long start) throws IOException {
    while (bytes.hasRemaining()) {
      channel.write(bytes, start + bytes.position());
    }
  }

  /**
   * Keeps a piece, from the buffer's first byte.
   *
   * @return whether it was not there
   */
  boolean write(int piece, byte[] buffer) throws IOException {
    write(ByteBuffer.wrap(buffer, 0, length(piece)), Journal.start(piece));
    synchronized (this) {
      boolean isNew = !journal.has(piece);
      journal.add(piece);
      notifyAll();
      return isNew;
    }
  }

  /** Where a piece ends in the blob. */
  long end(int piece) {
    return journal.end(piece);
  }

  /** Bytes of a piece. */
  int length(int piece) {
    return (int) (journal.end(piece) - Journal.start(piece));
  }

  /** Computes the digest, as far as the prefix goes at any time; waits for what is missing. */
  Digest hash() throws IOException, InterruptedException {
    MessageDigest hash = blob.digest().newHash();
    ByteBuffer buffer = ByteBuffer.allocateDirect(Journal.PIECE);
    boolean begun = restarted();
    for (int piece = 0; piece < journal.pieces(); piece++) {
      synchronized (this) {
        while (!journal.has(piece) && restarted == begun) {
          wait();
        }
        if (restarted != begun) {
          // What has been hashed was of what is forgotten.
          begun = restarted;
          hash.reset();
          piece = -1;
          continue;
        }
      }
      buffer.clear().limit(length(piece));
      long start = Journal.start(piece);
      while (buffer.hasRemaining()) {
        if (channel.read(buffer, start + buffer.position()) < 0) {
          throw new IOException(incomplete + " was made shorter while it was being written");
        }
      }
      hash.update(buffer.flip());
    }
    return blob.digest().with(hash.digest());
  }

  /** Gives the blob, which has been hashed, its name. */
  void keep(Path file) throws IOException, InterruptedException {
    synchronized (this) {
      while (isAnyTaken()) {
        // Who fetches what is there already, from a server without ranges, ends at the next piece.
        wait();
      }
    }
    channel.close();
    AtomicFile.keep(incomplete, file);
    journal.close();
    Files.deleteIfExists(journalFile);
  }

  @Override
  public void close() throws IOException {
    channel.close();
    journal.close();
  }
}
