package dev.nautil.store;

import dev.nautil.registry.Descriptor;
import dev.nautil.registry.Digest;
import dev.nautil.registry.Manifest;
import dev.nautil.registry.ModelLayers;
import dev.nautil.registry.RegistryException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryIteratorException;
import java.nio.file.DirectoryStream;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
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
      Entry entry = isOfStore(file) ? read(file) : null;
      if (entry != null) {
        all.add(entry);
      }
    }
    all.sort(Comparator.comparing(Entry::reference));
    return all;
  }

  /** The references of each model, the models in the order of their first ones. */
  Map<Digest, List<String>> names() throws IOException {
    Map<Digest, List<String>> names = new LinkedHashMap<>();
    for (Entry entry : entries()) {
      names.computeIfAbsent(entry.id(), id -> new ArrayList<>()).add(entry.reference());
    }
    return names;
  }

  /** The files that were references, and name nothing that can be read. */
  List<Path> damagedReferences() throws IOException {
    List<Path> all = new ArrayList<>();
    for (Path file : files(folder.references())) {
      if (isOfStore(file) && read(file) == null && Files.exists(file)) {
        all.add(file);
      }
    }
    return all;
  }

  /** Whether a file has a name that the store gives: systems put others into folders, too. */
  private static boolean isOfStore(Path file) {
    return Digest.parse("sha256:" + file.getFileName()) != null;
  }

  /** The model that a reference names; null if there is none. */
  @Nullable Digest find(String reference) throws IOException {
    Entry entry = read(folder.reference(reference));
    return entry == null ? null : entry.id();
  }

  /** Null if the file is not there, or damaged: under its name belongs one reference only. */
  private @Nullable Entry read(Path file) throws IOException {
    try {
      String[] lines = new String(Files.readAllBytes(file), StandardCharsets.UTF_8).split("\n");
      Digest id = lines.length == 2 ? Digest.parse(lines[1]) : null;
      return id == null || !folder.reference(lines[0]).equals(file)
          ? null
          : new Entry(lines[0], id);
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

  /** What a model consists of; null if there is no such manifest, or it is damaged. */
  @Nullable ModelLayers layers(Digest id) throws IOException {
    byte[] manifest = manifest(id);
    if (manifest == null) {
      return null;
    }
    try {
      return ModelLayers.of(Manifest.parse(manifest, id.toString()), id.toString());
    } catch (RegistryException e) {
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

  /**
   * @return whether there was such a reference, damaged or not
   */
  boolean remove(String reference) throws IOException {
    return Files.deleteIfExists(folder.reference(reference));
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

  /**
   * Removes whatever nothing names. Where a reference or a manifest is damaged that is not known:
   * then nothing goes until {@code verify} or a pull has put that right.
   */
  void collect() throws IOException {
    for (Path each : List.of(folder.references(), folder.pulls())) {
      for (Path file : files(each)) {
        if (StoreFolder.isTemporary(file)) {
          Files.deleteIfExists(file);
        }
      }
    }
    Set<Digest> manifests = new HashSet<>();
    Set<Digest> blobs = new HashSet<>();
    boolean sound = damagedReferences().isEmpty();
    for (Entry entry : entries()) {
      if (manifests.add(entry.id())) {
        byte[] manifest = manifest(entry.id());
        sound &= manifest != null;
        addBlobs(manifest == null ? new byte[0] : manifest, blobs);
      }
    }
    if (!sound) {
      return;
    }
    for (Path file : files(folder.pulls())) {
      if (isOfStore(file)) {
        addBlobs(Files.readAllBytes(file), blobs);
      }
    }
    for (Path file : files(folder.manifests())) {
      Digest id = Digest.parse("sha256:" + file.getFileName());
      if (id == null || !manifests.contains(id)) {
        deleteFile(file);
      }
    }
    for (String algorithm : StoreFolder.ALGORITHMS) {
      for (Path file : files(folder.blobs(algorithm))) {
        collect(algorithm, file, blobs);
      }
    }
    for (Path links : files(folder.parts())) {
      Digest id = Digest.parse("sha256:" + links.getFileName());
      if (id == null) {
        deleteFile(links);
      } else if (!manifests.contains(id)) {
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
    // Parts of one that is whole are what is left of a process that died.
    if (digest != null
        && blobs.contains(digest)
        && (name.equals(digest.hex()) || !Files.exists(folder.blob(digest)))) {
      return;
    }
    if (digest == null) {
      deleteFile(file);
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
    deleteFile(path);
  }

  private static void deleteFile(Path path) throws IOException {
    try {
      Files.deleteIfExists(path);
    } catch (FileSystemException e) {
      // Windows, and NFS under another name, keep what is mapped: the next removal tries again. Or
      // it is a folder of somebody's.
    }
  }

  static List<Path> files(Path folder) throws IOException {
    List<Path> all = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(folder)) {
      stream.forEach(all::add);
    } catch (NoSuchFileException e) {
      // It has not been made yet.
    } catch (DirectoryIteratorException e) {
      throw e.getCause();
    }
    return all;
  }
}
