package dev.nautil.store;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Files of which there is the old one or the whole new one, whatever happens. */
public final class AtomicFile {
  private AtomicFile() {}

  /** Writes what a file is to have. */
  public interface Content {
    void writeTo(FileChannel channel) throws IOException, InterruptedException;
  }

  /** Writes beside the file, brings that to the disk, and lets it take the file's place. */
  public static void write(Path file, Content content) throws IOException, InterruptedException {
    Path target = file.toAbsolutePath();
    Path folder = target.getParent();
    if (folder == null) {
      throw new IOException("it is a folder");
    }
    Path temporary = Files.createTempFile(folder, ".nautil-", ".tmp");
    try {
      try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        content.writeTo(channel);
      }
      keep(temporary, target);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }

  /** Brings a finished file to the disk, and lets it take the place of another one beside it. */
  static void keep(Path temporary, Path target) throws IOException {
    try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
      channel.force(true);
    }
    move(temporary, target);
    forceFolder(target.getParent());
  }

  private static void move(Path temporary, Path target) throws IOException {
    try {
      Files.move(temporary, target, StandardCopyOption.ATOMIC_MOVE);
    } catch (AtomicMoveNotSupportedException e) {
      throw new IOException("its file system cannot replace a file at once", e);
    }
  }

  /** The new name, too, survives a loss of power. Windows cannot open folders, nor needs it. */
  private static void forceFolder(Path folder) {
    try (FileChannel channel = FileChannel.open(folder, StandardOpenOption.READ)) {
      channel.force(true);
    } catch (IOException e) {
      // The file itself is whole and in its place.
    }
  }
}
