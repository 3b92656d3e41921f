package dev.nautil.store;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import dev.nautil.ModelReferenceException;
import dev.nautil.registry.BlobSource;
import dev.nautil.registry.Descriptor;
import dev.nautil.registry.Digest;
import dev.nautil.registry.HuggingFaceFiles;
import dev.nautil.registry.Manifest;
import dev.nautil.registry.ModelConfig;
import dev.nautil.registry.ModelLayers;
import dev.nautil.registry.ModelReference;
import dev.nautil.registry.RegistryException;
import dev.nautil.registry.RegistryException.Kind;
import dev.nautil.registry.RemoteModel;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * What other programs keep on this machine: Docker Model Runner's store and the cache of Hugging
 * Face. They are read, never written: neither has a lock that another program could take.
 */
final class OtherStores {
  private static final int MAX_BYTES = 64 << 20;
  private static final JsonMapper MAPPER = new JsonMapper();

  /** Of a commit's name in hexadecimal digits. */
  private static final int COMMIT_LENGTH = 40;

  private static final BlobSource NONE =
      (blob, from, to) -> {
        throw new RegistryException(Kind.OTHER, blob.digest() + " is not there");
      };

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
  @Nullable Path blob(Digest digest, long size) {
    try {
      return find(digest, size);
    } catch (IOException e) {
      // What cannot be read is not there.
      return null;
    }
  }

  private @Nullable Path find(Digest digest, long size) throws IOException {
    Path ofDocker = docker.resolve("blobs").resolve(digest.algorithm()).resolve(digest.hex());
    if (StoreFolder.has(ofDocker, size)) {
      return ofDocker;
    }
    // Large files have their SHA-256 for a name there.
    for (Path repository : ModelIndex.files(huggingFace)) {
      Path file = repository.resolve("blobs").resolve(digest.hex());
      if (StoreFolder.has(file, size)) {
        return file;
      }
    }
    return null;
  }

  /** The model that a reference names there; null if nobody has all of one that is of use here. */
  @Nullable RemoteModel model(ModelReference reference) throws ClosedByInterruptException {
    try {
      return read(reference);
    } catch (ClosedByInterruptException e) {
      throw e;
    } catch (IOException | UncheckedIOException e) {
      // What cannot be read is not there.
      return null;
    }
  }

  private @Nullable RemoteModel read(ModelReference reference) throws IOException {
    if (reference instanceof ModelReference.HuggingFace repository) {
      RemoteModel model = ofHuggingFace(repository);
      if (model != null) {
        return model;
      }
    }
    byte[] manifest = manifest(reference);
    if (manifest == null) {
      return null;
    }
    String what = reference.toString();
    ModelLayers artifact = ModelLayers.of(Manifest.parse(manifest, what), what);
    for (Descriptor each : artifact.blobs()) {
      if (blob(each.digest(), each.size()) == null) {
        return null;
      }
    }
    Descriptor config = artifact.config();
    Path file = blob(config.digest(), config.size());
    byte[] bytes =
        file == null || config.size() > ModelConfig.MAX_BYTES
            ? new byte[0]
            : Files.readAllBytes(file);
    return config.digest().isOf(bytes) ? new RemoteModel(manifest, bytes, artifact, NONE) : null;
  }

  /** What the cache of Hugging Face has of a repository's main branch. */
  private @Nullable RemoteModel ofHuggingFace(ModelReference.HuggingFace reference)
      throws IOException {
    Path repository = huggingFace.resolve("models--" + reference.org() + "--" + reference.repo());
    Path main = repository.resolve("refs").resolve("main");
    if (!StoreFolder.has(main, COMMIT_LENGTH)) {
      return null;
    }
    String commit = Files.readString(main, StandardCharsets.ISO_8859_1);
    Path snapshot = repository.resolve("snapshots").resolve(commit);
    if (!commit.matches("[0-9a-f]+") || !Files.isDirectory(snapshot)) {
      return null;
    }
    List<HuggingFaceFiles.RemoteFile> files = new ArrayList<>();
    try (Stream<Path> all = Files.walk(snapshot)) {
      for (Path each : all.filter(Files::isRegularFile).toList()) {
        // A link to the content, whose file has its digest for a name if it is large.
        Digest digest = Digest.parse("sha256:" + each.toRealPath().getFileName());
        String path = snapshot.relativize(each).toString().replace(File.separatorChar, '/');
        if (digest != null) {
          files.add(new HuggingFaceFiles.RemoteFile(path, digest, Files.size(each)));
        }
      }
    }
    return HuggingFaceFiles.model(reference, files, JsonNodeFactory.instance.objectNode(), NONE);
  }

  /** The manifest of a model that Docker has under this reference; null if it has none. */
  private byte @Nullable [] manifest(ModelReference reference) {
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
