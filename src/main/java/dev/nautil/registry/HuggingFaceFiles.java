package dev.nautil.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.nautil.registry.ModelReference.HuggingFace;
import dev.nautil.registry.RegistryException.Kind;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Which of a repository's files are a model, and the manifest that is made of them. */
public final class HuggingFaceFiles {
  /** A model in all quantisations that anybody publishes. */
  private static final int MAX_LISTED = 40;

  private static final int BILLION = 1_000_000_000;

  private HuggingFaceFiles() {}

  /**
   * A file of a repository.
   *
   * @param size bytes
   */
  public record RemoteFile(String path, Digest digest, long size) {}

  /**
   * The model that a reference names among a repository's files.
   *
   * @param description what the server says of the repository; an empty object if nothing
   * @throws RegistryException if it is not among them
   */
  public static RemoteModel model(
      HuggingFace reference, List<RemoteFile> all, JsonNode description, BlobSource source)
      throws IOException {
    List<RemoteFile> files = chosen(reference, all);
    byte[] config = config(description, files);
    byte[] manifest = manifest(config, files);
    String what = reference.toString();
    return new RemoteModel(
        manifest, config, ModelLayers.of(Manifest.parse(manifest, what), what), source);
  }

  /** The files of one model: those of a split one in their order. */
  private static List<RemoteFile> chosen(HuggingFace reference, List<RemoteFile> all)
      throws IOException {
    Map<String, List<RemoteFile>> models = new TreeMap<>();
    for (RemoteFile file : all) {
      String name = file.path().toLowerCase(Locale.ROOT);
      // A projector of images, or what weights were quantised with.
      boolean isOther = name.contains("mmproj") || name.contains("imatrix");
      if (!name.endsWith(".gguf") || isOther) {
        continue;
      }
      models
          .computeIfAbsent(HuggingFace.firstPart(file.path()), path -> new ArrayList<>())
          .add(file);
    }
    List<String> matching = models.keySet().stream().filter(reference::matches).toList();
    boolean anyQuant = reference.quant() == null && reference.file() == null;
    if (matching.isEmpty() && anyQuant) {
      matching = List.copyOf(models.keySet());
    }
    String path =
        matching.stream()
            .min(Comparator.comparing(String::length).thenComparing(Comparator.naturalOrder()))
            .orElseThrow(
                () ->
                    new RegistryException(
                        Kind.NOT_FOUND,
                        reference
                            + (models.isEmpty()
                                ? ": the repository has no GGUF file"
                                : ": the repository has no such file; it has "
                                    + models.keySet().stream().limit(MAX_LISTED).toList()
                                    + (models.size() > MAX_LISTED ? " and more" : ""))));
    List<RemoteFile> files = new ArrayList<>(models.get(path));
    files.sort(Comparator.comparing(RemoteFile::path));
    Matcher part = HuggingFace.PART.matcher(path);
    if (part.matches() && files.size() != Integer.parseInt(part.group(4))) {
      throw new RegistryException(
          Kind.OTHER,
          reference + ": the repository has " + files.size() + " of " + part.group(4) + " parts");
    }
    return files;
  }

  private static byte[] config(JsonNode description, List<RemoteFile> files) {
    ObjectNode config = JsonNodeFactory.instance.objectNode().put("format", "gguf");
    JsonNode gguf = description.path("gguf");
    if (gguf.path("total").canConvertToLong() && gguf.path("total").asLong() > 0) {
      long count = gguf.path("total").asLong();
      config.put(
          "parameters",
          count >= BILLION
              ? String.format(Locale.ROOT, "%.2f B", count / 1e9)
              : String.format(Locale.ROOT, "%.2f M", count / 1e6));
    }
    if (gguf.path("architecture").isTextual()) {
      config.put("architecture", gguf.path("architecture").asText());
    }
    Matcher quantization =
        Pattern.compile("(?i)(?:^|[-._/])((?:I?Q\\d|BF16|F16|F32)\\w*)(?=[-.])")
            .matcher(files.get(0).path());
    if (quantization.find()) {
      config.put("quantization", quantization.group(1).toUpperCase(Locale.ROOT));
    }
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.set("config", config);
    root.putObject("descriptor").put("created", description.path("lastModified").asText());
    return root.toString().getBytes(StandardCharsets.UTF_8);
  }

  private static byte[] manifest(byte[] config, List<RemoteFile> files) {
    ObjectNode root = JsonNodeFactory.instance.objectNode();
    root.put("schemaVersion", 2).put("mediaType", Manifest.TYPE);
    root.putObject("config")
        .put("mediaType", "application/vnd.docker.ai.model.config.v0.1+json")
        .put("digest", Digest.sha256(config).toString())
        .put("size", config.length);
    var layers = root.putArray("layers");
    for (RemoteFile file : files) {
      layers
          .addObject()
          .put("mediaType", "application/vnd.docker.ai.gguf.v3")
          .put("digest", file.digest().toString())
          .put("size", file.size())
          .putObject("annotations")
          .put(Descriptor.FILE_PATH, file.path());
    }
    return root.toString().getBytes(StandardCharsets.UTF_8);
  }
}
