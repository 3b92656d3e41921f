package dev.nautil.registry;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Comparator;
import java.util.stream.Stream;

/** A folder that is deleted, with all that it holds, when it is closed or the JVM ends. */
final class TemporaryFolder implements AutoCloseable {
  private final Path path;

  TemporaryFolder() {
    try {
      path = Files.createTempDirectory("nautil-");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    AtExit.add(this);
  }

  Path path() {
    return path;
  }

  Path write(String name, byte[] content) {
    try {
      return Files.write(path.resolve(name), content);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    AtExit.remove(this);
    if (!Files.exists(path)) {
      return;
    }
    try (Stream<Path> all = Files.walk(path)) {
      for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
        Files.deleteIfExists(each);
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
