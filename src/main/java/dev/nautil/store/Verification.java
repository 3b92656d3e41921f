package dev.nautil.store;

import dev.nautil.ModelStore.Damage;
import dev.nautil.PullProgress;
import dev.nautil.PullProgress.Layer;
import dev.nautil.internal.FileFailure;
import dev.nautil.registry.Descriptor;
import dev.nautil.registry.Digest;
import dev.nautil.registry.ModelLayers;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Reads all that the store has again, while others may pull and remove. */
final class Verification {
  private final StoreFolder folder;
  private final StoreLocks locks;
  private final ModelIndex index;
  private final Consumer<PullProgress> progress;
  private final List<Damage> damages = new ArrayList<>();
  private final Map<Digest, Layer> layers = new LinkedHashMap<>();

  Verification(
      StoreFolder folder, StoreLocks locks, ModelIndex index, Consumer<PullProgress> progress) {
    this.folder = folder;
    this.locks = locks;
    this.index = index;
    this.progress = progress;
  }

  List<Damage> run() throws IOException, InterruptedException {
    removeDamagedReferences();
    Map<Digest, Digest> models = new LinkedHashMap<>();
    for (Map.Entry<Digest, List<String>> named : index.names().entrySet()) {
      Digest id = named.getKey();
      ModelLayers artifact = index.layers(id);
      if (artifact == null) {
        // Unless another process has just removed it.
        if (index.names().containsKey(id) && index.layers(id) == null) {
          damages.add(
              new Damage(id.toString(), named.getValue(), id.toString(), "is a damaged manifest"));
        }
        continue;
      }
      for (Descriptor each : artifact.blobs()) {
        models.put(each.digest(), id);
        layers.put(
            each.digest(),
            new Layer(each.digest().toString(), Pull.kind(artifact, each), 0, each.size()));
      }
    }
    for (Map.Entry<Digest, Digest> each : models.entrySet()) {
      String reason = check(each.getKey());
      List<String> names = index.names().getOrDefault(each.getValue(), List.of());
      // Else the model was removed meanwhile.
      if (reason != null && !names.isEmpty()) {
        damages.add(
            new Damage(each.getValue().toString(), names, each.getKey().toString(), reason));
      }
    }
    return damages;
  }

  private void removeDamagedReferences() throws IOException, InterruptedException {
    if (index.damagedReferences().isEmpty()) {
      return;
    }
    try (StoreLocks.Held held = locks.store()) {
      for (Path file : index.damagedReferences()) {
        damages.add(
            new Damage(
                "?",
                List.of(),
                file.getFileName().toString(),
                "a name is damaged: pull or tag again"));
        Files.deleteIfExists(file);
      }
    }
  }

  /**
   * @return what is wrong with a blob; null if nothing is
   */
  private @Nullable String check(Digest digest) throws IOException {
    Layer layer = Objects.requireNonNull(layers.get(digest));
    Path file = folder.blob(digest);
    try {
      BasicFileAttributes before = Files.readAttributes(file, BasicFileAttributes.class);
      Digest found =
          BlobHash.of(
              file,
              digest,
              done -> {
                layers.put(digest, new Layer(layer.digest(), layer.kind(), done, layer.size()));
                progress.accept(new PullProgress(List.copyOf(layers.values())));
              });
      if (found.equals(digest)) {
        return null;
      }
      try (StoreLocks.Held held = locks.blob(digest)) {
        BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
        // Else a pull has replaced it, or is about to.
        if (held != null
            && Objects.equals(before.fileKey(), now.fileKey())
            && before.lastModifiedTime().equals(now.lastModifiedTime())) {
          Files.delete(file);
        }
      }
      return "is damaged";
    } catch (NoSuchFileException e) {
      return "is missing";
    } catch (ClosedByInterruptException e) {
      throw e;
    } catch (IOException e) {
      // It may be whole, and the reason another one.
      return "cannot be read: " + FileFailure.reason(e);
    }
  }
}
