package dev.nautil.registry;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.json.JsonValues;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Pushes model artifacts to a registry, by clients that are not ours: PyPI's oras, and curl for
 * what oras does not express.
 */
public final class Artifacts {
  public static final String MANIFEST = "application/vnd.oci.image.manifest.v1+json";
  public static final String INDEX = "application/vnd.oci.image.index.v1+json";

  /**
   * Of a blob or a manifest.
   *
   * @param size bytes
   */
  public record Descriptor(
      String mediaType, String digest, long size, Map<String, String> annotations) {}

  /**
   * What is in the registry now.
   *
   * @param reference {@code HOST:PORT/REPOSITORY:TAG}
   */
  public record Pushed(
      String reference, Descriptor manifest, Descriptor config, List<Descriptor> layers) {}

  private final DockerRegistry registry;
  private final @Nullable String user;
  private final @Nullable String password;

  private Artifacts(DockerRegistry registry, @Nullable String user, @Nullable String password) {
    this.registry = registry;
    this.user = user;
    this.password = password;
  }

  /** For a registry that asks for no credentials. */
  public static Artifacts in(DockerRegistry registry) {
    return new Artifacts(registry, null, null);
  }

  /** As this user, of Basic authentication or of the registry's token server. */
  public static Artifacts in(DockerRegistry registry, String user, String password) {
    return new Artifacts(registry, user, password);
  }

  /** Pushes with oras. */
  public Pushed push(String repository, String tag, ModelArtifact artifact) {
    try (TemporaryFolder folder = new TemporaryFolder()) {
      Map<String, Object> order = new LinkedHashMap<>();
      order.put("host", registry.host());
      order.put("repository", repository);
      order.put("tag", tag);
      order.put("plain_http", registry.authority() == null);
      order.put("auth", registry.tokens() == null ? "basic" : "token");
      if (user != null) {
        order.put("user", user);
        order.put("password", password);
      }
      Path config = folder.write("config.json", bytes(artifact.config()));
      order.put("config", Map.of("file", config.toString(), "mediaType", artifact.configType()));
      order.put("layers", artifact.layers().stream().map(Artifacts::order).toList());
      if (!artifact.annotations().isEmpty()) {
        order.put("annotations", artifact.annotations());
      }
      String script = Path.of("scripts/fixtures/push_artifact.py").toAbsolutePath().toString();
      String file = folder.write("artifact.json", bytes(order)).toString();
      Path authority = registry.authority();
      Map<String, String> trust =
          authority == null ? Map.of() : Map.of("REQUESTS_CA_BUNDLE", authority.toString());
      String said = Program.run(List.of(Program.python(), script, file), trust).ok().text();
      JsonNode json = JsonValues.parse(said);
      List<Descriptor> layers = new ArrayList<>();
      json.get("layers").forEach(layer -> layers.add(descriptor(layer)));
      return new Pushed(
          reference(repository, tag),
          descriptor(json.get("manifest")),
          descriptor(json.get("config")),
          layers);
    }
  }

  private static Map<String, Object> order(ModelArtifact.Layer layer) {
    Map<String, Object> order = new LinkedHashMap<>();
    order.put("file", layer.file().toString());
    order.put("mediaType", layer.mediaType());
    if (layer.size() != null) {
      order.put("size", layer.size());
    }
    if (!layer.annotations().isEmpty()) {
      order.put("annotations", layer.annotations());
    }
    return order;
  }

  private static Descriptor descriptor(JsonNode json) {
    Map<String, String> annotations = new LinkedHashMap<>();
    json.path("annotations")
        .properties()
        .forEach(each -> annotations.put(each.getKey(), each.getValue().textValue()));
    return new Descriptor(
        json.get("mediaType").textValue(),
        json.get("digest").textValue(),
        json.get("size").longValue(),
        annotations);
  }

  /** Pushes a model in Docker's form with curl, which is some times faster than oras. */
  public Pushed pushByCurl(String repository, String tag, Path... weights) {
    try (TemporaryFolder folder = new TemporaryFolder()) {
      ModelArtifact artifact = ModelArtifact.docker(weights);
      Path file = folder.write("config.json", bytes(artifact.config()));
      Descriptor config = pushBlob(repository, file, ModelArtifact.DOCKER_CONFIG);
      List<Descriptor> layers = new ArrayList<>();
      for (Path each : weights) {
        layers.add(pushBlob(repository, each, ModelArtifact.DOCKER_GGUF));
      }
      Descriptor manifest = pushManifest(repository, tag, MANIFEST, manifest(config, layers));
      return new Pushed(reference(repository, tag), manifest, config, layers);
    }
  }

  /** Puts an index that points to the manifests of these, which must be in the same repository. */
  public Descriptor pushIndex(String repository, String tag, Pushed... artifacts) {
    List<Map<String, Object>> manifests = new ArrayList<>();
    for (Pushed each : artifacts) {
      manifests.add(json(each.manifest()));
    }
    return pushManifest(
        repository,
        tag,
        INDEX,
        bytes(Map.of("schemaVersion", 2, "mediaType", INDEX, "manifests", manifests)));
  }

  /** The bytes of a manifest, for {@link #pushManifest}. */
  public static byte[] manifest(Descriptor config, List<Descriptor> layers) {
    return bytes(
        Map.of(
            "schemaVersion",
            2,
            "mediaType",
            MANIFEST,
            "config",
            json(config),
            "layers",
            layers.stream().map(Artifacts::json).toList()));
  }

  private static Map<String, Object> json(Descriptor descriptor) {
    Map<String, Object> json = new LinkedHashMap<>();
    json.put("mediaType", descriptor.mediaType());
    json.put("digest", descriptor.digest());
    json.put("size", descriptor.size());
    if (!descriptor.annotations().isEmpty()) {
      json.put("annotations", descriptor.annotations());
    }
    return json;
  }

  /** Uploads a blob with curl: POST, then PUT of the whole. */
  public Descriptor pushBlob(String repository, Path file, String mediaType) {
    return pushBlob(repository, file, mediaType, ModelArtifact.digest(file));
  }

  /** The same, under its SHA-512. */
  public Descriptor pushSha512(String repository, Path file, String mediaType) {
    String sum = Program.run(List.of("sha512sum", file.toString()), Map.of()).ok().text();
    return pushBlob(repository, file, mediaType, "sha512:" + sum.split(" ")[0]);
  }

  private Descriptor pushBlob(String repository, Path file, String mediaType, String digest) {
    String uploads = registry.url() + "/v2/" + repository + "/blobs/uploads/";
    String location = curl(repository, "-X", "POST", uploads).ok().header("Location");
    String url = location + (location.contains("?") ? "&" : "?") + "digest=" + digest;
    String type = "Content-Type: application/octet-stream";
    curl(repository, "-T", file.toString(), "-H", type, url).ok();
    return new Descriptor(mediaType, digest, file.toFile().length(), Map.of());
  }

  /**
   * Puts a manifest with curl, whatever it says: the registry asks no more of it than that the
   * blobs and manifests exist that it names, and that it has no more than 4 MiB.
   *
   * @param version a tag, or the manifest's digest
   */
  public Descriptor pushManifest(
      String repository, String version, String mediaType, byte[] manifest) {
    try (TemporaryFolder folder = new TemporaryFolder()) {
      String url = registry.url() + "/v2/" + repository + "/manifests/" + version;
      String file = folder.write("manifest.json", manifest).toString();
      curl(repository, "-T", file, "-H", "Content-Type: " + mediaType, url).ok();
    }
    return new Descriptor(mediaType, ModelArtifact.digest(manifest), manifest.length, Map.of());
  }

  /** Runs curl with what this registry asks for. */
  Curl.Answer curl(String repository, String... arguments) {
    List<String> command = new ArrayList<>(List.of(arguments));
    if (registry.authority() != null) {
      command.addAll(List.of("--cacert", registry.authority().toString()));
    }
    if (registry.tokens() != null) {
      String token = registry.tokens().token(repository);
      command.addAll(List.of("-H", "Authorization: Bearer " + token));
    } else if (user != null) {
      command.addAll(List.of("-u", user + ":" + password));
    }
    return Curl.run(command);
  }

  private String reference(String repository, String tag) {
    return registry.host() + "/" + repository + ":" + tag;
  }

  private static byte[] bytes(Object json) {
    return JsonValues.write(json).getBytes(StandardCharsets.UTF_8);
  }
}
