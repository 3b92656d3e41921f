package dev.nautil;

import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.AtomicMoveNotSupportedException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;

/** Files of which there is the old one or the whole new one, whatever happens. */
final class AtomicFile {
  private AtomicFile() {}

  interface Content {
    void writeTo(FileChannel channel) throws IOException, InterruptedException;
  }

  /** Writes beside the file, brings that to the disk, and lets it take the file's place. */
  static void write(Path file, Content content) throws IOException, InterruptedException {
    Path target = file.toAbsolutePath();
    Path folder = target.getParent();
    if (folder == null) {
      throw new IOException("it is a folder");
    }
    Path temporary = Files.createTempFile(folder, ".nautil-", ".tmp");
    try {
      try (FileChannel channel = FileChannel.open(temporary, StandardOpenOption.WRITE)) {
        content.writeTo(channel);
        channel.force(true);
      }
      move(temporary, target);
    } finally {
      Files.deleteIfExists(temporary);
    }
    forceFolder(folder);
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
