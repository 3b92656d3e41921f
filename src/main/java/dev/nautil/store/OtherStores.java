package dev.nautil.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.nautil.ModelReferenceException;
import dev.nautil.registry.Digest;
import dev.nautil.registry.ModelReference;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What other programs keep on this machine: Docker Model Runner's store and the cache of Hugging
 * Face. They are read, never written: neither has a lock that another program could take.
 */
final class OtherStores {
  private static final int MAX_BYTES = 64 << 20;
  private static final JsonMapper MAPPER = new JsonMapper();

  private final Path docker;
  private final Path huggingFace;

  OtherStores(Map<String, String> environment) {
    Path home = Path.of(System.getProperty("user.home"));
    docker = folder(environment, "MODELS_PATH", home.resolve(".docker").resolve("models"));
    Path ofHuggingFace =
        folder(environment, "HF_HOME", home.resolve(".cache").resolve("huggingface"));
    huggingFace = folder(environment, "HF_HUB_CACHE", ofHuggingFace.resolve("hub"));
  }

  private static Path folder(Map<String, String> environment, String name, Path otherwise) {
    String value = environment.getOrDefault(name, "");
    return value.isBlank() ? otherwise : Path.of(value);
  }

  /** A file with a blob's name and size; null if there is none. Its content is to be hashed. */
  @Nullable Path blob(Digest digest, long size) throws IOException {
    Path ofDocker = docker.resolve("blobs").resolve(digest.algorithm()).resolve(digest.hex());
    if (has(ofDocker, size)) {
      return ofDocker;
    }
    // Large files have their SHA-256 for a name there.
    for (Path repository : ModelIndex.files(huggingFace)) {
      Path file = repository.resolve("blobs").resolve(digest.hex());
      if (has(file, size)) {
        return file;
      }
    }
    return null;
  }

  private static boolean has(Path file, long size) throws IOException {
    return Files.isRegularFile(file) && Files.size(file) == size;
  }

  /** The manifest of a model that Docker has under this reference; null if it has none. */
  byte @Nullable [] manifest(ModelReference reference) {
    Path index = docker.resolve("models.json");
    try {
      if (!Files.isRegularFile(index) || Files.size(index) > MAX_BYTES) {
        return null;
      }
      for (JsonNode model : MAPPER.readTree(Files.readAllBytes(index)).path("models")) {
        Digest id = Digest.parse(model.path("id").asText());
        for (JsonNode tag : model.path("tags")) {
          if (id != null && isSame(tag.asText(), reference)) {
            Path file = docker.resolve("manifests").resolve(id.algorithm()).resolve(id.hex());
            byte[] bytes = Files.readAllBytes(file);
            return id.isOf(bytes) ? bytes : null;
          }
        }
      }
    } catch (IOException e) {
      // What cannot be read is not there.
    }
    return null;
  }

  private static boolean isSame(String tag, ModelReference reference) {
    try {
      return ModelReference.parse(tag).equals(reference);
    } catch (ModelReferenceException e) {
      return false;
    }
  }
}
