package dev.nautil.cli;

import dev.nautil.store.UserFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import org.jspecify.annotations.Nullable;

/** Where the platform wants what a program remembers between two runs. */
final class StateFolder {
  private StateFolder() {}

  /** A file in it; null if there can be none. */
  static @Nullable Path file(Io io, String name) {
    try {
      Path folder = folder(io);
      if (!Files.isDirectory(folder)) {
        create(folder);
      }
      Path file = folder.resolve(name);
      boolean usable = Files.exists(file) ? Files.isWritable(file) : Files.isWritable(folder);
      return usable ? file : null;
    } catch (IOException | IllegalArgumentException e) {
      return null;
    }
  }

  private static Path folder(Io io) {
    String state = io.environment("XDG_STATE_HOME");
    return UserFolder.of(
        io.environment(),
        state != null ? Path.of(state).toAbsolutePath() : Path.of(".local", "state"));
  }

  /** For the user's eyes only: it holds what was said. */
  private static void create(Path folder) throws IOException {
    Files.createDirectories(folder.toAbsolutePath().getParent());
    if (folder.getFileSystem().supportedFileAttributeViews().contains("posix")) {
      Files.createDirectory(
          folder,
          PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rwx------")));
    } else {
      Files.createDirectory(folder);
    }
  }
}
