package dev.nautil.registry;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A model as registries hold it, to be pushed by {@link Artifacts}: a config and layers, in Docker
 * Model Runner's media types or those of the CNCF's model specification.
 */
public final class ModelArtifact {
  public static final String DOCKER_CONFIG = "application/vnd.docker.ai.model.config.v0.1+json";
  public static final String DOCKER_CONFIG_2 = "application/vnd.docker.ai.model.config.v0.2+json";
  public static final String CNCF_CONFIG = "application/vnd.cncf.model.config.v1+json";
  public static final String DOCKER_GGUF = "application/vnd.docker.ai.gguf.v3";
  public static final String DOCKER_LICENSE = "application/vnd.docker.ai.license";
  public static final String DOCKER_TEMPLATE = "application/vnd.docker.ai.chat.template.jinja";
  public static final String DOCKER_MMPROJ = "application/vnd.docker.ai.mmproj";
  public static final String CNCF_GGUF = "application/vnd.cncf.model.weight.v1.gguf";
  public static final String CNCF_RAW = "application/vnd.cncf.model.weight.v1.raw";

  /** The annotation of a layer with its path in the model. */
  public static final String FILE_PATH = "org.cncf.model.filepath";

  /**
   * A layer to be.
   *
   * @param size to be told in place of the true one; null tells that
   */
  public record Layer(
      Path file, String mediaType, Map<String, String> annotations, @Nullable Long size) {}

  private final List<Layer> layers = new ArrayList<>();
  private final Map<String, String> annotations = new LinkedHashMap<>();
  private String configType;
  private @Nullable Map<String, Object> config;

  private ModelArtifact(String configType) {
    this.configType = configType;
  }

  /** By Docker's media types, without annotations: a layer for each file, in this order. */
  public static ModelArtifact docker(Path... files) {
    ModelArtifact artifact = new ModelArtifact(DOCKER_CONFIG);
    for (Path file : files) {
      artifact.layer(file, DOCKER_GGUF);
    }
    return artifact;
  }

  /** By the CNCF's media types, each file's name being its annotated path. */
  public static ModelArtifact cncf(Path... files) {
    ModelArtifact artifact = new ModelArtifact(CNCF_CONFIG);
    for (Path file : files) {
      artifact.layer(file, CNCF_GGUF, file.getFileName().toString());
    }
    return artifact;
  }

  /** Another media type of the config. */
  public ModelArtifact configType(String mediaType) {
    configType = mediaType;
    return this;
  }

  /** Another config than one that fits the media type. */
  public ModelArtifact config(Map<String, Object> json) {
    config = json;
    return this;
  }

  /** Adds a layer without annotations. */
  public ModelArtifact layer(Path file, String mediaType) {
    return layer(new Layer(file, mediaType, Map.of(), null));
  }

  /** Adds a layer with the annotated path, which need not be a good one. */
  public ModelArtifact layer(Path file, String mediaType, String filePath) {
    return layer(new Layer(file, mediaType, Map.of(FILE_PATH, filePath), null));
  }

  /** Adds a layer. */
  public ModelArtifact layer(Layer layer) {
    layers.add(layer);
    return this;
  }

  /** Adds an annotation of the manifest. */
  public ModelArtifact annotation(String name, String value) {
    annotations.put(name, value);
    return this;
  }

  List<Layer> layers() {
    return layers;
  }

  Map<String, String> annotations() {
    return annotations;
  }

  String configType() {
    return configType;
  }

  Map<String, Object> config() {
    if (config != null) {
      return config;
    }
    List<String> digests = layers.stream().map(layer -> digest(layer.file())).toList();
    long size = layers.stream().mapToLong(layer -> layer.file().toFile().length()).sum();
    return configType.equals(CNCF_CONFIG)
        ? Map.of(
            "descriptor", Map.of("createdAt", "2026-01-02T03:04:05Z", "name", "tiny"),
            "modelfs", Map.of("type", "layers", "diffIds", digests),
            "config",
                Map.of(
                    "architecture", "llama",
                    "format", "gguf",
                    "paramSize", "135M",
                    "quantization", "Q4_1"))
        : Map.of(
            "config",
                Map.of(
                    "format", "gguf",
                    "quantization", "Q4_1",
                    "parameters", "135 M",
                    "architecture", "llama",
                    "size", size + " B",
                    "gguf", Map.of("general.architecture", "llama"),
                    "context_size", 2048),
            "descriptor", Map.of("created", "2026-01-02T03:04:05Z"),
            "rootfs", Map.of("type", "rootfs", "diff_ids", digests));
  }

  /** {@code sha256:} and 64 hexadecimal digits. */
  static String digest(Path file) {
    try {
      return digest(Files.readAllBytes(file));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static String digest(byte[] bytes) {
    try {
      byte[] hash = MessageDigest.getInstance("SHA-256").digest(bytes);
      return "sha256:" + HexFormat.of().formatHex(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
