package dev.nautil.store;

import dev.nautil.StoredModel;
import dev.nautil.registry.Descriptor;
import dev.nautil.registry.Digest;
import dev.nautil.registry.ModelConfig;
import dev.nautil.registry.ModelLayers;
import dev.nautil.registry.RegistryException;
import dev.nautil.registry.RemoteModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** What is told of a model: what its publisher says, its texts, and the file to open. */
final class StoredModels {
  private final StoreFolder folder;
  private final StoreLocks locks;
  private final ModelIndex index;

  StoredModels(StoreFolder folder, StoreLocks locks, ModelIndex index) {
    this.folder = folder;
    this.locks = locks;
    this.index = index;
  }

  /** What is known of a model; null if it is not, or no longer, whole. */
  @Nullable StoredModel describe(Digest id, List<String> names)
      throws IOException, InterruptedException {
    ModelLayers artifact = index.layers(id);
    if (artifact == null || names.isEmpty()) {
      return null;
    }
    try {
      return describe(
          id, names, artifact, readBlob(artifact.config()), this::readBlob, file(id, artifact));
    } catch (NoSuchFileException | RegistryException e) {
      return null;
    }
  }

  /** What is known of a remote model; its file is only a header. */
  static StoredModel describe(String reference, RemoteModel model, RemoteFiles files)
      throws IOException, InterruptedException {
    return describe(
        model.id(),
        List.of(reference),
        model.artifact(),
        model.config(),
        files::text,
        files.file().path());
  }

  private interface Reader<E extends Exception> {
    byte[] read(Descriptor blob) throws IOException, E;
  }

  private static <E extends Exception> StoredModel describe(
      Digest id, List<String> names, ModelLayers artifact, byte[] json, Reader<E> reader, Path file)
      throws IOException, E {
    ModelConfig config = ModelConfig.parse(json, id.toString());
    List<String> licenses = new ArrayList<>();
    for (Descriptor each : artifact.licenses()) {
      licenses.add(new String(reader.read(each), StandardCharsets.UTF_8));
    }
    return new StoredModel(
        id.toString(),
        names,
        config.parameters(),
        config.quantization(),
        config.architecture(),
        config.contextSize(),
        config.created(),
        artifact.weightBytes(),
        file,
        text(artifact.template(), reader),
        licenses,
        text(artifact.parameters(), reader));
  }

  private static <E extends Exception> @Nullable String text(
      @Nullable Descriptor blob, Reader<E> reader) throws IOException, E {
    return blob == null ? null : new String(reader.read(blob), StandardCharsets.UTF_8);
  }

  private byte[] readBlob(Descriptor blob) throws IOException {
    return Files.readAllBytes(locate(blob));
  }

  private Path locate(Descriptor blob) throws IOException {
    Path file = folder.blob(blob.digest());
    if (!StoreFolder.has(file, blob.size())) {
      throw new NoSuchFileException(file.toString());
    }
    return file;
  }

  private Path file(Digest id, ModelLayers artifact) throws IOException, InterruptedException {
    List<Descriptor> weights = artifact.weights();
    if (weights.size() == 1) {
      return locate(weights.get(0));
    }
    Path links = folder.parts().resolve(id.hex());
    Map<Path, Path> files = new LinkedHashMap<>();
    for (int i = 0; i < weights.size(); i++) {
      files.put(links.resolve(StoreFolder.partName(i, weights.size())), locate(weights.get(i)));
    }
    if (!areLinked(files)) {
      // A removal that has passed would not take away what comes after it.
      try (StoreLocks.Held held = locks.store()) {
        if (!index.names().containsKey(id)) {
          throw new NoSuchFileException(links.toString());
        }
        Files.createDirectories(links);
        for (Map.Entry<Path, Path> each : files.entrySet()) {
          // Another process may have made it meanwhile.
          if (!isLinked(each.getKey(), each.getValue())) {
            Files.deleteIfExists(each.getKey());
            StoreFolder.link(each.getKey(), each.getValue().toRealPath());
          }
        }
      }
    }
    return files.keySet().iterator().next();
  }

  private static boolean areLinked(Map<Path, Path> files) throws IOException {
    for (Map.Entry<Path, Path> each : files.entrySet()) {
      if (!isLinked(each.getKey(), each.getValue())) {
        return false;
      }
    }
    return true;
  }

  private static boolean isLinked(Path link, Path file) throws IOException {
    try {
      return Files.isSameFile(link, file);
    } catch (NoSuchFileException e) {
      return false;
    }
  }
}
