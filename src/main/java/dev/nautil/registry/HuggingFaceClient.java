package dev.nautil.registry;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.registry.HttpTransport.Answer;
import dev.nautil.registry.HuggingFaceFiles.RemoteFile;
import dev.nautil.registry.ModelReference.HuggingFace;
import dev.nautil.registry.RegistryException.Kind;
import java.io.IOException;
import java.net.URI;
import java.net.URISyntaxException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
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

  private final HttpTransport http;
  private final HuggingFace reference;
  private final String endpoint;
  private final @Nullable String token;
  private volatile String revision = "main";
  private final Map<Digest, String> paths = new LinkedHashMap<>();

  /**
   * @throws RegistryException if the environment's settings are of no use
   */
  public HuggingFaceClient(NetworkSettings settings, HuggingFace reference) throws IOException {
    this.reference = reference;
    http = new HttpTransport(settings);
    String moved = settings.get("HF_ENDPOINT");
    endpoint = (moved == null ? "https://huggingface.co" : moved).replaceFirst("/+$", "");
    if (!isUsable(endpoint)) {
      // Without the value, which may have a password.
      throw NetworkSettings.unusable("HF_ENDPOINT", "it is no address; write https://HOST");
    }
    token = settings.get("HF_TOKEN");
    if (token != null && !token.matches("[\\x21-\\x7e]+")) {
      // Else the HTTP client refuses it, and its exception has it.
      throw NetworkSettings.unusable("HF_TOKEN", "it has characters that no token has");
    }
  }

  private static boolean isUsable(String address) {
    try {
      return Hosts.isUsable(URI.create(address));
    } catch (IllegalArgumentException e) {
      return false;
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
    List<RemoteFile> files = list();
    files.forEach(each -> paths.putIfAbsent(each.digest(), each.path()));
    return HuggingFaceFiles.model(reference, files, description, this);
  }

  private String repository() {
    return reference.org() + "/" + reference.repo();
  }

  private URI uri(String path) throws IOException {
    try {
      // Escapes what file names may have.
      return URI.create(endpoint + new URI(null, null, path, null).getRawPath());
    } catch (URISyntaxException e) {
      throw new RegistryException(Kind.OTHER, reference + ": " + path + " is no address", e);
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
    return StrictJson.read(
        http.content(answer, MAX_BYTES), reference + ": what Hugging Face says of it");
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

  /** All large files of the repository, from as many pages as it takes. */
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
    if (digest != null) {
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

  @Override
  public Body open(Descriptor blob, long from, long to) throws IOException {
    Map<String, String> headers = HttpTransport.withRange(headers(), blob, from, to);
    URI uri = uri("/" + repository() + "/resolve/" + revision + "/" + paths.get(blob.digest()));
    return http.body(http.get(uri, headers), from, blob, reference.toString());
  }
}
