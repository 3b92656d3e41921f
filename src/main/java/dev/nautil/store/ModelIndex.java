package dev.nautil.store;

import dev.nautil.registry.Descriptor;
import dev.nautil.registry.Digest;
import dev.nautil.registry.Manifest;
import dev.nautil.registry.ModelLayers;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Which references and manifests the store has. Anybody may read at any time; who changes something
 * holds the store's lock.
 */
final class ModelIndex {
  private final StoreFolder folder;
  private final StoreLocks locks;

  ModelIndex(StoreFolder folder, StoreLocks locks) {
    this.folder = folder;
    this.locks = locks;
  }

  /** A reference, in its canonical form, and the model that it names. */
  record Entry(String reference, Digest id) {}

  /** All references, in their order. */
  List<Entry> entries() throws IOException {
    List<Entry> all = new ArrayList<>();
    for (Path file : files(folder.references())) {
      Entry entry = read(file);
      if (entry != null) {
        all.add(entry);
      }
    }
    all.sort(Comparator.comparing(Entry::reference));
    return all;
  }

  /** The model that a reference names; null if there is none. */
  @Nullable Digest find(String reference) throws IOException {
    Entry entry = read(folder.reference(reference));
    return entry == null ? null : entry.id();
  }

  private static @Nullable Entry read(Path file) throws IOException {
    try {
      String[] lines = Files.readString(file).split("\n");
      Digest id = lines.length == 2 ? Digest.parse(lines[1]) : null;
      return id == null ? null : new Entry(lines[0], id);
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  /** A model's manifest; null if there is none, or it is damaged. */
  byte @Nullable [] manifest(Digest id) throws IOException {
    try {
      byte[] bytes = Files.readAllBytes(folder.manifest(id));
      return id.isOf(bytes) ? bytes : null;
    } catch (NoSuchFileException e) {
      return null;
    }
  }

  void put(String reference, Digest id) throws IOException {
    StoreFolder.write(
        folder.reference(reference), (reference + "\n" + id).getBytes(StandardCharsets.UTF_8));
  }

  void putManifest(Digest id, byte[] manifest) throws IOException {
    StoreFolder.write(folder.manifest(id), manifest);
  }

  void remove(String reference) throws IOException {
    Files.deleteIfExists(folder.reference(reference));
  }

  /** Notes what is being pulled: until it is there, or removed, its blobs and their parts stay. */
  void begin(String reference, byte[] manifest) throws IOException {
    StoreFolder.write(folder.pull(reference), manifest);
  }

  /**
   * @return whether there was such a pull
   */
  boolean end(String reference) throws IOException {
    return Files.deleteIfExists(folder.pull(reference));
  }

  /** Removes whatever nothing names. */
  void collect() throws IOException {
    Set<Digest> manifests = new HashSet<>();
    Set<Digest> blobs = new HashSet<>();
    for (Entry entry : entries()) {
      manifests.add(entry.id());
    }
    for (Path file : files(folder.pulls())) {
      addBlobs(Files.readAllBytes(file), blobs);
    }
    for (Path file : files(folder.manifests())) {
      Digest id = Digest.parse("sha256:" + file.getFileName());
      if (id == null || !manifests.contains(id)) {
        Files.deleteIfExists(file);
      } else {
        addBlobs(Files.readAllBytes(file), blobs);
      }
    }
    for (String algorithm : List.of("sha256", "sha512")) {
      for (Path file : files(folder.blobs(algorithm))) {
        collect(algorithm, file, blobs);
      }
    }
    for (Path links : files(folder.parts())) {
      Digest id = Digest.parse("sha256:" + links.getFileName());
      if (id == null || !manifests.contains(id)) {
        delete(links);
      }
    }
  }

  private static void addBlobs(byte[] manifest, Set<Digest> blobs) {
    try {
      String what = "a manifest of the store";
      for (Descriptor each : ModelLayers.of(Manifest.parse(manifest, what), what).blobs()) {
        blobs.add(each.digest());
      }
    } catch (IOException e) {
      // It is damaged, and names nothing.
    }
  }

  private void collect(String algorithm, Path file, Set<Digest> blobs) throws IOException {
    String name = file.getFileName().toString();
    Digest digest = Digest.parse(algorithm + ":" + name.replaceFirst("\\..*", ""));
    if (digest != null && blobs.contains(digest)) {
      return;
    }
    if (digest == null) {
      Files.deleteIfExists(file);
      return;
    }
    try (StoreLocks.Held held = locks.blob(digest)) {
      // Else somebody is writing it, and has not yet noted what for.
      if (held != null) {
        delete(file);
      }
    }
  }

  /** Deletes a file, or a folder of files, unless somebody uses it on a system that minds that. */
  private static void delete(Path path) throws IOException {
    if (Files.isDirectory(path)) {
      for (Path each : files(path)) {
        delete(each);
      }
    }
    try {
      Files.deleteIfExists(path);
    } catch (java.nio.file.FileSystemException e) {
      // Windows keeps what is mapped; the next removal tries again.
    }
  }

  static List<Path> files(Path folder) throws IOException {
    List<Path> all = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
      stream.forEach(all::add);
    } catch (NoSuchFileException e) {
      // It has not been made yet.
    }
    return all;
  }

  /** Bytes of the files in a folder whose names end so; 0 if there is no such folder. */
  static long bytes(Path folder, String suffix) throws IOException {
    try (Stream<Path> files = files(folder).stream()) {
      return files
          .filter(each -> each.toString().endsWith(suffix))
          .mapToLong(ModelIndex::size)
          .sum();
    } catch (UncheckedIOException e) {
      throw e.getCause();
    }
  }

  private static long size(Path file) {
    try {
      return Files.size(file);
    } catch (NoSuchFileException e) {
      return 0;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
