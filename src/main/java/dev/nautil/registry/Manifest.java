package dev.nautil.registry;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.registry.RegistryException.Kind;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * An OCI image manifest: what an artifact consists of.
 *
 * @see <a href="https://github.com/opencontainers/image-spec/blob/v1.1.1/manifest.md">the
 *     specification</a>
 */
public record Manifest(Descriptor config, List<Descriptor> layers) {
  /** The specification's limit for what registries must take, and clients need not exceed. */
  public static final int MAX_BYTES = 4 << 20;

  static final String TYPE = "application/vnd.oci.image.manifest.v1+json";
  static final String DOCKER_TYPE = "application/vnd.docker.distribution.manifest.v2+json";
  static final String INDEX_TYPE = "application/vnd.oci.image.index.v1+json";
  static final String DOCKER_INDEX_TYPE =
      "application/vnd.docker.distribution.manifest.list.v2+json";

  private static final String UNUSABLE = " has no usable manifest";

  public Manifest {
    layers = List.copyOf(layers);
  }

  /**
   * Reads a manifest.
   *
   * @param what names it in the error
   * @throws RegistryException if it is none
   */
  public static Manifest parse(byte[] json, String what) throws IOException {
    JsonNode root = StrictJson.object(json, what + UNUSABLE);
    JsonNode layers = root.get("layers");
    if (layers == null || !layers.isArray()) {
      throw invalid(what, "it has no list of layers");
    }
    List<Descriptor> all = new ArrayList<>();
    for (JsonNode layer : layers) {
      all.add(descriptor(layer, what));
    }
    return new Manifest(descriptor(root.get("config"), what), all);
  }

  /**
   * The manifest that an index is to be followed to, for one model or for this machine.
   *
   * @return null if the text is no index
   */
  static @Nullable Descriptor chosen(byte[] json, String what) throws IOException {
    JsonNode root = StrictJson.object(json, what + UNUSABLE);
    JsonNode manifests = root.get("manifests");
    if (manifests == null || root.has("layers")) {
      return null;
    }
    Descriptor best = null;
    int bestRank = -1;
    for (JsonNode entry : manifests) {
      Descriptor each = descriptor(entry, what);
      int rank = rank(entry, each);
      if (rank > bestRank) {
        best = each;
        bestRank = rank;
      }
    }
    if (best == null) {
      throw invalid(what, "its index names no manifest");
    }
    return best;
  }

  /** How well an index's entry suits: models are for every platform or, like images, for one. */
  private static int rank(JsonNode entry, Descriptor descriptor) {
    if (descriptor.annotations().containsKey("vnd.docker.reference.type")) {
      // An attestation.
      return -1;
    }
    String architecture = entry.path("platform").path("architecture").asText("unknown");
    String here = System.getProperty("os.arch").replace("x86_64", "amd64");
    boolean isHere = architecture.equals(here.replace("aarch64", "arm64"));
    return isHere ? 2 : architecture.equals("unknown") || architecture.isEmpty() ? 1 : 0;
  }

  private static Descriptor descriptor(@Nullable JsonNode node, String what) throws IOException {
    if (node == null || !node.isObject()) {
      throw invalid(what, "it lacks a descriptor");
    }
    String text = node.path("digest").asText();
    Digest digest = Digest.parse(text);
    if (digest == null) {
      throw invalid(what, "'" + brief(text) + "' is no digest");
    }
    JsonNode size = node.path("size");
    if (!size.canConvertToLong() || !size.isIntegralNumber() || size.longValue() < 0) {
      throw invalid(what, "the size of " + digest + " is '" + brief(size.asText()) + "'");
    }
    Map<String, String> annotations = new LinkedHashMap<>();
    node.path("annotations")
        .properties()
        .forEach(each -> annotations.put(each.getKey(), each.getValue().asText()));
    return new Descriptor(node.path("mediaType").asText(), digest, size.longValue(), annotations);
  }

  /** A text of somebody's for a message: not too long, and nothing that a terminal obeys. */
  static String brief(String text) {
    String start = text.length() > 80 ? text.substring(0, 80) + "…" : text;
    return start.replaceAll("[\\p{Cc}\\p{Cf}]", "?");
  }

  static RegistryException invalid(String what, String why) {
    return new RegistryException(Kind.OTHER, what + UNUSABLE + ": " + why);
  }
}
