package dev.nautil.store;

import dev.nautil.internal.FileFailure;
import dev.nautil.registry.Digest;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/**
 * Locks between processes, and between this one's threads: ranges of one file, which the system
 * gives back when a process dies.
 *
 * <p>POSIX takes all of a process's locks of a file away when any of its descriptors is closed, and
 * Java closes a channel whose user is interrupted. So the file is opened once and never closed, and
 * a thread that nobody interrupts does all that is done with it.
 */
final class StoreLocks {
  private static final Map<Path, Opened> OPEN = new HashMap<>();
  private static final ExecutorService THREAD =
      Executors.newSingleThreadExecutor(
          task -> {
            Thread thread = new Thread(task, "nautil-store-locks");
            thread.setDaemon(true);
            return thread;
          });
  private static final long POLL_MILLIS = 50;

  private final Path file;

  StoreLocks(StoreFolder folder) {
    file = folder.locks();
  }

  /** A range that this thread or another of this process holds. */
  static final class Held implements AutoCloseable {
    private final FileLock lock;

    private Held(FileLock lock) {
      this.lock = lock;
    }

    @Override
    public void close() {
      try {
        uninterrupted(
            () -> {
              lock.release();
              return lock;
            });
      } catch (IOException e) {
        // The system releases it when the process ends.
      }
    }
  }

  /** Waits for the right to change what the store has; it is held for moments. */
  Held store() throws IOException, InterruptedException {
    while (true) {
      Held held = attempt(0);
      if (held != null) {
        return held;
      }
      Thread.sleep(POLL_MILLIS);
    }
  }

  /** The right to write a blob; null if somebody has it. */
  @Nullable Held blob(Digest digest) throws IOException {
    return attempt(1 + (Long.parseUnsignedLong(digest.hex(), 0, 16, 16) >>> 2));
  }

  private @Nullable Held attempt(long position) throws IOException {
    FileLock lock =
        uninterrupted(
            () -> {
              try {
                return channel().tryLock(position, 1, false);
              } catch (OverlappingFileLockException e) {
                return null;
              }
            });
    return lock == null ? null : new Held(lock);
  }

  private FileChannel channel() throws IOException {
    Files.createDirectories(file.getParent());
    // One file by any name.
    Path key = file.getParent().toRealPath().resolve(file.getFileName());
    Opened opened = OPEN.get(key);
    if (opened == null || !opened.isAt(key)) {
      FileChannel channel =
          FileChannel.open(key, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
      opened = new Opened(channel, fileKey(key));
      OPEN.put(key, opened);
    }
    return opened.channel;
  }

  /**
   * @param fileKey tells it from one of the same name, after the folder was deleted and made anew;
   *     null where the system has none
   */
  private record Opened(FileChannel channel, @Nullable Object fileKey) {
    boolean isAt(Path path) throws IOException {
      try {
        return Objects.equals(fileKey, StoreLocks.fileKey(path));
      } catch (NoSuchFileException e) {
        return false;
      }
    }
  }

  private static @Nullable Object fileKey(Path path) throws IOException {
    return Files.readAttributes(path, BasicFileAttributes.class).fileKey();
  }

  private interface Action {
    @Nullable FileLock run() throws IOException;
  }

  private static @Nullable FileLock uninterrupted(Action action) throws IOException {
    Future<@Nullable FileLock> result = THREAD.submit(action::run);
    boolean interrupted = false;
    try {
      while (true) {
        try {
          return result.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      if (e.getCause() instanceof IOException io) {
        throw new IOException("it cannot be locked: " + FileFailure.reason(io), io);
      }
      throw new IllegalStateException(e.getCause());
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
