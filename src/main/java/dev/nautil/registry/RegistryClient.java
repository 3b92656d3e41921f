package dev.nautil.registry;

import dev.nautil.registry.HttpTransport.Answer;
import dev.nautil.registry.ModelReference.Registry;
import dev.nautil.registry.RegistryException.Kind;
import java.io.IOException;
import java.net.URI;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Reads one model of a registry, or of its mirrors.
 *
 * @see <a href="https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md">the
 *     specification</a>
 */
public final class RegistryClient implements BlobSource {
  private static final String ACCEPT =
      String.join(
          ", ",
          Manifest.TYPE,
          Manifest.INDEX_TYPE,
          Manifest.DOCKER_TYPE,
          Manifest.DOCKER_INDEX_TYPE);
  private static final int MAX_INDEXES = 3;

  private final HttpTransport http;
  private final Registry reference;

  /** The mirrors, and at last the registry itself. */
  private final List<Endpoint> endpoints = new ArrayList<>();

  /** Which of them is asked first: after one that broke the next one, in a circle. */
  private int preferred;

  /** A server that has the model. */
  private final class Endpoint {
    private final String host;
    private final Authenticator authenticator;
    private @Nullable URI base;

    Endpoint(String host, @Nullable URI base, @Nullable Credential credential) {
      this.host = host;
      this.base = base;
      String prefix = base == null ? "" : base.getPath().replaceFirst(".*?/v2/", "");
      authenticator = new Authenticator(http, host, prefix + reference.name(), credential);
    }

    /** The address before the repository's name. */
    synchronized URI base() throws IOException {
      URI known = base;
      if (known == null) {
        known = detect();
        base = known;
      }
      return known;
    }

    private URI detect() throws IOException {
      String authority = host.equals("docker.io") ? "registry-1.docker.io" : host;
      URI secure = URI.create("https://" + authority + "/v2/");
      URI plain = URI.create("http://" + authority + "/v2/");
      if (!Hosts.isUsable(secure)) {
        throw new RegistryException(Kind.OTHER, "'" + host + "' is no name that a host can have");
      }
      if (http.settings().isPlainHttp(host)) {
        return plain;
      }
      if (!Hosts.isLoopback(secure.getHost())) {
        return secure;
      }
      try (Answer answer = http.get(secure, Map.of())) {
        return secure;
      } catch (RegistryException e) {
        if (!HttpTransport.isTlsFailure(e)) {
          throw e;
        }
        // Servers without TLS answer as they like, or hang up.
        try (Answer answer = http.get(plain, Map.of())) {
          return plain;
        } catch (RegistryException again) {
          throw e;
        }
      }
    }

    Answer get(String path, Map<String, String> headers) throws IOException {
      URI uri = base().resolve(reference.name() + path);
      String sent = authenticator.current();
      Answer answer = http.get(uri, with(headers, sent));
      if (answer.status() == 401 && Hosts.isSameOrigin(answer.uri(), uri)) {
        http.discard(answer);
        authenticator.authenticate(answer, sent);
        answer = http.get(uri, with(headers, authenticator.current()));
        if (answer.status() == 401 && Hosts.isSameOrigin(answer.uri(), uri)) {
          answer.close();
          throw authenticator.refusal();
        }
      }
      return answer;
    }

    private Map<String, String> with(Map<String, String> headers, @Nullable String authorization) {
      Map<String, String> all = new LinkedHashMap<>(headers);
      if (authorization != null) {
        all.put("Authorization", authorization);
      }
      return all;
    }
  }

  /**
   * @throws RegistryException if the environment's settings are of no use
   */
  public RegistryClient(NetworkSettings settings, Registry reference) throws IOException {
    this.reference = reference;
    http = new HttpTransport(settings);
    DockerConfig config = DockerConfig.read(settings.environment());
    for (String mirror : settings.mirrors(reference.host())) {
      URI base = mirror(mirror);
      endpoints.add(new Endpoint(Hosts.authority(base), base, config.of(Hosts.authority(base))));
    }
    endpoints.add(new Endpoint(reference.host(), null, config.of(reference.host())));
  }

  /** What has /v2/ in its path, as caches of several registries have, has all of it. */
  private static URI mirror(String address) throws RegistryException {
    String text = address.contains("://") ? address : "https://" + address;
    try {
      URI uri = URI.create(text.replaceFirst("/*$", "/"));
      if (Hosts.isUsable(uri)) {
        return uri.getPath().contains("/v2/") ? uri : uri.resolve("v2/");
      }
    } catch (IllegalArgumentException e) {
      // Told below.
    }
    // Without the value, which may have a password.
    throw NetworkSettings.unusable(
        "NAUTIL_MIRRORS", "one of them is no address; write HOST=https://MIRROR");
  }

  /** The model; an index is followed to the manifest that suits. */
  public RemoteModel model() throws IOException, InterruptedException {
    byte[] manifest = manifest();
    String what = reference.toString();
    ModelLayers artifact = ModelLayers.of(Manifest.parse(manifest, what), what);
    byte[] config = blob(artifact.config(), ModelConfig.MAX_BYTES);
    // Now, not when all of the rest has been fetched.
    ModelConfig.parse(config, what);
    return new RemoteModel(manifest, config, artifact, this);
  }

  private byte[] manifest() throws IOException, InterruptedException {
    String version = reference.version();
    for (int i = 0; i < MAX_INDEXES; i++) {
      byte[] fetched = manifest(version);
      Descriptor next = Manifest.chosen(fetched, reference.toString());
      if (next == null) {
        return fetched;
      }
      version = next.digest().toString();
    }
    throw Manifest.invalid(reference.toString(), "its index leads to indexes only");
  }

  private byte[] manifest(String version) throws IOException, InterruptedException {
    return content("/manifests/" + version, ACCEPT, Manifest.MAX_BYTES, Digest.parse(version));
  }

  /**
   * All of a small blob.
   *
   * @param limit bytes that it may have
   * @throws RegistryException also if it does not have its digest
   */
  private byte[] blob(Descriptor blob, int limit) throws IOException, InterruptedException {
    if (blob.size() > limit) {
      throw new RegistryException(
          Kind.OTHER,
          reference
              + " has a part of "
              + blob.size()
              + " bytes ("
              + Manifest.brief(blob.mediaType())
              + "); it may have "
              + limit);
    }
    try {
      return content("/blobs/" + blob.digest(), "*/*", (int) blob.size(), blob.digest());
    } catch (RegistryException e) {
      throw e.kind() == Kind.NOT_FOUND
          ? HttpTransport.missing(reference.toString(), reference.host(), blob)
          : e;
    }
  }

  /** What has another digest is fetched once more: it may have been damaged on its way. */
  private byte[] content(String path, String accept, int limit, @Nullable Digest digest)
      throws IOException, InterruptedException {
    Backoff backoff = new Backoff(false, http.patience());
    try {
      return backoff.retry(() -> contentOnce(path, accept, limit, digest));
    } catch (RegistryException e) {
      if (e.kind() != Kind.CHANGED) {
        throw e;
      }
      return backoff.retry(() -> contentOnce(path, accept, limit, digest));
    }
  }

  private byte[] contentOnce(String path, String accept, int limit, @Nullable Digest digest)
      throws IOException {
    return first(
        endpoint -> {
          try (Answer answer = endpoint.get(path, Map.of("Accept", accept))) {
            if (answer.status() != 200) {
              throw HttpTransport.failure(answer, reference.toString());
            }
            byte[] bytes = http.content(answer, limit);
            if (digest != null && !digest.isOf(bytes)) {
              throw new RegistryException(
                  Kind.CHANGED,
                  reference
                      + ": what "
                      + Hosts.authority(answer.uri())
                      + " sends for "
                      + digest
                      + " has another digest");
            }
            return bytes;
          }
        });
  }

  @Override
  public Body open(Descriptor blob, long from, long to) throws IOException {
    Map<String, String> headers = HttpTransport.withRange(Map.of("Accept", "*/*"), blob, from, to);
    return first(
        endpoint -> {
          Answer answer = endpoint.get("/blobs/" + blob.digest(), headers);
          return http.body(answer, from, blob, reference.toString())
              .onFailure(() -> avoid(endpoint));
        });
  }

  private synchronized void avoid(Endpoint endpoint) {
    if (endpoints.get(preferred) == endpoint) {
      preferred = (preferred + 1) % endpoints.size();
    }
  }

  private synchronized int preferred() {
    return preferred;
  }

  @Override
  public void distrust() {
    avoid(endpoints.get(preferred()));
  }

  @Override
  public Backoff backoff() {
    return new Backoff(true, http.patience());
  }

  private interface Attempt<T> {
    T at(Endpoint endpoint) throws IOException;
  }

  /** What the first server gives that gives it; if none does, the registry's own failure. */
  private <T> T first(Attempt<T> attempt) throws IOException {
    int start = preferred();
    RegistryException failure = null;
    for (int i = 0; i < endpoints.size(); i++) {
      int number = (start + i) % endpoints.size();
      try {
        return attempt.at(endpoints.get(number));
      } catch (RegistryException e) {
        if (failure == null || number == endpoints.size() - 1) {
          failure = e;
        }
      }
    }
    throw Objects.requireNonNull(failure);
  }
}
