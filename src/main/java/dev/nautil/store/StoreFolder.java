package dev.nautil.store;

import dev.nautil.registry.Digest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.UUID;

/**
 * Where the store has what.
 *
 * <pre>
 * blobs/sha256/HEX            a blob, whole; a link to another program's, on another file system
 * blobs/sha256/HEX.incomplete what has arrived of one
 * blobs/sha256/HEX.journal    which pieces of that are there
 * manifests/sha256/HEX        a manifest, as the registry sent it: the HEX is the model's id
 * references/HEX              a reference, under its hash: references may be longer than file names
 * pulls/HEX                   a reference that is being pulled, and its manifest
 * parts/HEX/…                 links that give the parts of a split model the names that GGUF wants
 * locks                       ranges of this file are locked, one for each blob and one for the rest
 * </pre>
 */
record StoreFolder(Path root) {
  /** Of digests. */
  static final List<String> ALGORITHMS = List.of("sha256", "sha512");

  private static final String TEMPORARY = ".nautil-";

  /** The user's: NAUTIL_HOME, or where the platform wants a program's data. */
  static Path ofUser(Map<String, String> environment) {
    String moved = environment.getOrDefault("NAUTIL_HOME", "");
    if (!moved.isBlank()) {
      return Path.of(moved).toAbsolutePath();
    }
    String data = environment.getOrDefault("XDG_DATA_HOME", "");
    // A relative one is to be ignored, says the specification.
    boolean usable = !data.isEmpty() && Path.of(data).isAbsolute();
    return UserFolder.of(environment, usable ? Path.of(data) : Path.of(".local", "share"));
  }

  Path blobs(String algorithm) {
    return root.resolve("blobs").resolve(algorithm);
  }

  Path blob(Digest digest) {
    return blobs(digest.algorithm()).resolve(digest.hex());
  }

  Path incomplete(Digest digest) {
    return blobs(digest.algorithm()).resolve(digest.hex() + ".incomplete");
  }

  /** What has not yet its name as a link to another program's file. */
  Path link(Digest digest) {
    return blobs(digest.algorithm()).resolve(digest.hex() + ".link");
  }

  Path journal(Digest digest) {
    return blobs(digest.algorithm()).resolve(digest.hex() + ".journal");
  }

  Path manifests() {
    return root.resolve("manifests").resolve("sha256");
  }

  Path manifest(Digest id) {
    return manifests().resolve(id.hex());
  }

  Path references() {
    return root.resolve("references");
  }

  Path reference(String reference) {
    return references().resolve(nameOf(reference));
  }

  Path pulls() {
    return root.resolve("pulls");
  }

  Path pull(String reference) {
    return pulls().resolve(nameOf(reference));
  }

  Path parts() {
    return root.resolve("parts");
  }

  /** The name of a split model's part, from 0, in a folder: the parts find each other by these. */
  static String partName(int part, int parts) {
    return String.format(Locale.ROOT, "model-%05d-of-%05d.gguf", part + 1, parts);
  }

  /** Gives a file another name, which nothing has yet. */
  static void link(Path link, Path file) throws IOException {
    try {
      Files.createLink(link, file);
    } catch (FileAlreadyExistsException e) {
      throw e;
    } catch (IOException | UnsupportedOperationException e) {
      // Of another file system. If what is there goes, it is missing here, too.
      Files.createSymbolicLink(link, file);
    }
  }

  Path locks() {
    return root.resolve("locks");
  }

  private static String nameOf(String reference) {
    return Digest.sha256(reference.getBytes(StandardCharsets.UTF_8)).hex();
  }

  /** Whether there is a file of this size; it may go at any time. */
  static boolean has(Path file, long size) throws IOException {
    try {
      return Files.isRegularFile(file) && Files.size(file) == size;
    } catch (NoSuchFileException e) {
      return false;
    }
  }

  /** Whether a file is one that {@link #write} did not bring to its end. */
  static boolean isTemporary(Path file) {
    return file.getFileName().toString().startsWith(TEMPORARY);
  }

  /**
   * Writes a small file so that there is all of it or none. Who does holds the store's lock, or
   * what has not got its name yet may be taken for what a process left that died.
   */
  static void write(Path file, byte[] content) throws IOException {
    Files.createDirectories(file.getParent());
    Path temporary = file.resolveSibling(TEMPORARY + UUID.randomUUID() + ".tmp");
    try {
      Files.write(temporary, content, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE);
      AtomicFile.keep(temporary, file);
    } finally {
      Files.deleteIfExists(temporary);
    }
  }
}
