package dev.nautil.store;

import dev.nautil.ModelStore.DiskUsage;
import dev.nautil.registry.Descriptor;
import dev.nautil.registry.Digest;
import dev.nautil.registry.ModelLayers;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Counts what the store takes of the disk. */
final class DiskSpace {
  private final StoreFolder folder;
  private final ModelIndex index;

  /** Names that the links for split models give to a file, by what the system knows it by. */
  private final Map<Object, Integer> parts = new HashMap<>();

  private long own;
  private long shared;

  DiskSpace(StoreFolder folder, ModelIndex index) {
    this.folder = folder;
    this.index = index;
  }

  DiskUsage usage() throws IOException {
    countParts();
    Set<Digest> blobs = new HashSet<>();
    int models = 0;
    for (Digest id : index.names().keySet()) {
      ModelLayers artifact = index.layers(id);
      if (artifact == null) {
        continue;
      }
      models++;
      for (Descriptor each : artifact.blobs()) {
        if (blobs.add(each.digest())) {
          count(folder.blob(each.digest()));
        }
      }
    }
    return new DiskUsage(models, own, shared, partial());
  }

  private void countParts() throws IOException {
    for (Path links : ModelIndex.files(folder.parts())) {
      if (!Files.isDirectory(links)) {
        continue;
      }
      for (Path link : ModelIndex.files(links)) {
        try {
          Object key = attributes(link, LinkOption.NOFOLLOW_LINKS).fileKey();
          if (key != null) {
            parts.merge(key, 1, Integer::sum);
          }
        } catch (NoSuchFileException e) {
          // Somebody removes the model.
        }
      }
    }
  }

  private void count(Path blob) throws IOException {
    try {
      BasicFileAttributes attributes = attributes(blob);
      if (Files.isSymbolicLink(blob) || names(blob) > 1 + parts(attributes)) {
        shared += attributes.size();
      } else {
        own += attributes.size();
      }
    } catch (NoSuchFileException e) {
      // Somebody removes the model, or has damaged it.
    }
  }

  private int parts(BasicFileAttributes attributes) {
    Object key = attributes.fileKey();
    return key == null ? 0 : parts.getOrDefault(key, 0);
  }

  /** How many names a file has, as far as the system tells that. */
  private static int names(Path file) throws IOException {
    return file.getFileSystem().supportedFileAttributeViews().contains("unix")
        ? (int) Files.getAttribute(file, "unix:nlink")
        : 1;
  }

  private static BasicFileAttributes attributes(Path file, LinkOption... options)
      throws IOException {
    return Files.readAttributes(file, BasicFileAttributes.class, options);
  }

  private long partial() throws IOException {
    long bytes = 0;
    for (String algorithm : StoreFolder.ALGORITHMS) {
      for (Path journal : ModelIndex.files(folder.blobs(algorithm))) {
        String name = journal.getFileName().toString();
        Path whole = journal.resolveSibling(name.replace(".journal", ""));
        // A process that died may have left the journal of one that is whole.
        if (name.endsWith(".journal") && !Files.exists(whole)) {
          bytes += Journal.arrived(journal);
        }
      }
    }
    return bytes;
  }
}
