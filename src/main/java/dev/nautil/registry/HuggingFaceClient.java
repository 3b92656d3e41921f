package dev.nautil.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import dev.nautil.registry.HttpTransport.Answer;
import dev.nautil.registry.ModelReference.HuggingFace;
import dev.nautil.registry.RegistryException.Kind;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Reads one model of Hugging Face: a repository of files, of which a manifest is made here.
 *
 * @see <a href="https://huggingface.co/docs/hub/api">its interface</a>
 */
public final class HuggingFaceClient implements BlobSource {
  private static final Pattern NEXT = Pattern.compile("<([^>]*)>\\s*;\\s*rel=\"?next\"?");
  private static final int MAX_BYTES = 32 << 20;
  private static final int MAX_PAGES = 100;
  private static final int BILLION = 1_000_000_000;

  private final HttpTransport http;
  private final HuggingFace reference;
  private final String endpoint;
  private final @Nullable String token;
  private volatile String revision = "main";
  private final Map<Digest, String> paths = new LinkedHashMap<>();

  /** A file of the repository. */
  private record RemoteFile(String path, Digest digest, long size) {}

  /**
   * @throws RegistryException if the environment's settings are of no use
   */
  public HuggingFaceClient(NetworkSettings settings, HuggingFace reference) throws IOException {
    this.reference = reference;
    http = new HttpTransport(settings);
    String moved = settings.get("HF_ENDPOINT");
    endpoint = (moved == null ? "https://huggingface.co" : moved).replaceFirst("/+$", "");
    token = settings.get("HF_TOKEN");
    if (token != null && !token.matches("[\\x21-\\x7e]+")) {
      // Else the HTTP client refuses it, and its exception has it.
      throw NetworkSettings.unusable("HF_TOKEN", "it has characters that no token has");
    }
  }

  @Override
  public Backoff backoff() {
    return new Backoff(true, http.patience());
  }

  private <T> T retry(Backoff.Request<T> request) throws IOException, InterruptedException {
    return new Backoff(false, http.patience()).retry(request);
  }

  /** The model, of the revision that the repository has now. */
  public RemoteModel model() throws IOException, InterruptedException {
    JsonNode description = json(uri("/api/models/" + repository()));
    String commit = description.path("sha").asText();
    if (commit.matches("[0-9a-f]{40,64}")) {
      revision = commit;
    }
    List<RemoteFile> files = chosen(list());
    byte[] config = config(description, files);
    byte[] manifest = manifest(config, files);
    files.forEach(each -> paths.put(each.digest(), each.path()));
    String what = reference.toString();
    return new RemoteModel(
        manifest, config, ModelLayers.of(Manifest.parse(manifest, what), what), this);
  }

  private String repository() {
    return reference.org() + "/" + reference.repo();
  }

  private URI uri(String path) throws IOException {
    try {
      URI base = URI.create(endpoint);
      // Escapes what file names may have.
      URI relative = new URI(null, null, path, null);
      return URI.create(base + relative.getRawPath());
    } catch (URISyntaxException | IllegalArgumentException e) {
      throw new RegistryException(Kind.OTHER, endpoint + path + " is no address", e);
    }
  }

  private Map<String, String> headers() {
    return token == null ? Map.of() : Map.of("Authorization", "Bearer " + token);
  }

  private JsonNode json(URI uri) throws IOException, InterruptedException {
    return retry(
        () -> {
          try (Answer answer = http.get(uri, headers())) {
            require(answer);
            return parse(answer);
          }
        });
  }

  private JsonNode parse(Answer answer) throws IOException {
    byte[] content = RegistryClient.content(http, answer, MAX_BYTES);
    String wrapped = "{\"is\":" + new String(content, StandardCharsets.UTF_8) + "}";
    return Manifest.object(wrapped.getBytes(StandardCharsets.UTF_8), reference.toString())
        .path("is");
  }

  private void require(Answer answer) throws IOException {
    int status = answer.status();
    if (status == 200) {
      return;
    }
    if (status == 401 || status == 403) {
      throw new RegistryException(
          Kind.UNAUTHORIZED,
          reference
              + ": Hugging Face "
              + (token == null
                  ? "has no public repository of that name; for a private or gated one set HF_TOKEN"
                  : "does not let HF_TOKEN read it; a gated repository wants its terms accepted"));
    }
    throw HttpTransport.failure(answer, reference.toString());
  }

  /** All GGUF files of the repository, from as many pages as it takes. */
  private List<RemoteFile> list() throws IOException, InterruptedException {
    List<RemoteFile> all = new ArrayList<>();
    URI first = uri("/api/models/" + repository() + "/tree/" + revision);
    URI next = URI.create(first + "?recursive=true");
    for (int i = 0; i < MAX_PAGES && next != null; i++) {
      URI page = next;
      next =
          retry(
              () -> {
                try (Answer answer = http.get(page, headers())) {
                  require(answer);
                  for (JsonNode file : parse(answer)) {
                    add(file, all);
                  }
                  return nextPage(page, answer);
                }
              });
    }
    return all;
  }

  private static void add(JsonNode file, List<RemoteFile> all) {
    String path = file.path("path").asText();
    JsonNode large = file.path("lfs");
    Digest digest = Digest.parse("sha256:" + large.path("oid").asText());
    boolean isModel = path.toLowerCase(Locale.ROOT).endsWith(".gguf");
    if (isModel && digest != null && !path.toLowerCase(Locale.ROOT).contains("mmproj")) {
      all.add(new RemoteFile(path, digest, large.path("size").asLong()));
    }
  }

  private static @Nullable URI nextPage(URI page, Answer answer) {
    Matcher next = NEXT.matcher(String.join(", ", answer.headers("Link")));
    if (!next.find()) {
      return null;
    }
    URI uri = page.resolve(next.group(1));
    // The token goes with it.
    return Hosts.isSameOrigin(page, uri) ? uri : null;
  }

  /** The files of one model: those of a split one in their order. */
  private List<RemoteFile> chosen(List<RemoteFile> all) throws IOException {
    Map<String, List<RemoteFile>> models = new TreeMap<>();
    for (RemoteFile file : all) {
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
                                : ": the repository has no such file; it has " + models.keySet())));
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

  @Override
  public Body open(Descriptor blob, long from, long to) throws IOException {
    Map<String, String> headers = new LinkedHashMap<>(headers());
    if (from != 0 || to != blob.size()) {
      headers.put("Range", "bytes=" + from + "-" + (to - 1));
    }
    URI uri = uri("/" + repository() + "/resolve/" + revision + "/" + paths.get(blob.digest()));
    return RegistryClient.body(http.get(uri, headers), http, from, blob, reference.toString());
  }
}
