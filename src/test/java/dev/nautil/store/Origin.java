package dev.nautil.store;

import dev.nautil.JavaProcess;
import dev.nautil.ModelStore;
import dev.nautil.registry.Artifacts;
import dev.nautil.registry.Artifacts.Descriptor;
import dev.nautil.registry.Artifacts.Pushed;
import dev.nautil.registry.DockerRegistry;
import dev.nautil.registry.FaultProxy;
import dev.nautil.registry.ModelArtifact;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;

/** Where models come from: a registry behind a proxy that counts, and clients of it. */
final class Origin implements AutoCloseable {
  private static final String WEIGHTS = "/v2/.*/blobs/";

  private final Path folder;
  private final DockerRegistry registry = DockerRegistry.start();
  final FaultProxy proxy = FaultProxy.to(registry.url());
  private final Map<String, Path> sources = new LinkedHashMap<>();
  private long seed;

  /**
   * @param folder for what is pushed
   */
  Origin(Path folder) {
    this.folder = folder;
  }

  /** A model of the registry, as the proxy serves it. */
  record Source(String reference, String digest, List<Descriptor> layers, long size) {
    String weights() {
      return layers.get(0).digest();
    }
  }

  /** A new file of random bytes. */
  Path file(int size) throws IOException {
    byte[] bytes = new byte[size];
    new Random(++seed).nextBytes(bytes);
    Path file = Files.write(folder.resolve("file-" + seed), bytes);
    sources.put("sha256:" + StoreCheck.sha256(bytes), file);
    return file;
  }

  /** Pushes a model. */
  Source push(String name, ModelArtifact artifact) {
    return source(name, Artifacts.in(registry).push(name, "latest", artifact));
  }

  /** Pushes a model whose blobs are known by their SHA-512. */
  Source pushSha512(String name, Path weights) throws IOException {
    Path config = Files.writeString(folder.resolve("config"), "{\"config\": {}}");
    Artifacts artifacts = Artifacts.in(registry);
    Descriptor ofConfig = artifacts.pushSha512(name, config, ModelArtifact.DOCKER_CONFIG);
    List<Descriptor> layers =
        List.of(artifacts.pushSha512(name, weights, ModelArtifact.DOCKER_GGUF));
    byte[] manifest = Artifacts.manifest(ofConfig, layers);
    Descriptor pushed = artifacts.pushManifest(name, "latest", Artifacts.MANIFEST, manifest);
    return source(name, new Pushed("", pushed, ofConfig, layers));
  }

  private Source source(String name, Pushed pushed) {
    long size = pushed.layers().stream().mapToLong(Descriptor::size).sum();
    return new Source(
        proxy.host() + "/" + name + ":latest",
        pushed.manifest().digest(),
        pushed.layers(),
        size + pushed.config().size());
  }

  /** What blobs hold, by digest. */
  Map<String, Path> sources() {
    return sources;
  }

  DockerRegistry registry() {
    return registry;
  }

  /** Bytes that were sent of a blob. */
  long sent(String digest) {
    return proxy.bodyBytes("GET", WEIGHTS + digest);
  }

  /** The environment of a store in this folder, beside nothing of other programs. */
  Map<String, String> environment(Path home) {
    String nothing = home.resolveSibling("nothing").toString();
    return Map.of(
        "NAUTIL_HOME", home.toString(),
        "NAUTIL_PLAIN_HTTP", proxy.host(),
        "MODELS_PATH", nothing,
        "HF_HOME", nothing,
        "DOCKER_CONFIG", nothing);
  }

  ModelStore store(Path home) {
    return ModelStore.open(environment(home));
  }

  /** Starts the command line on this store; what it says goes to the folder's file "said". */
  Process start(Path home, String... arguments) throws IOException {
    List<String> command =
        new ArrayList<>(
            List.of(
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "-Xshare:auto",
                "dev.nautil.cli.Main"));
    command.addAll(List.of(arguments));
    ProcessBuilder builder = JavaProcess.of(command);
    // A shell starts what it runs in the background with the interrupt ignored, and children
    // inherit that.
    builder.command().addAll(0, List.of("env", "--default-signal=INT"));
    builder
        .environment()
        .keySet()
        .removeIf(name -> name.matches("(?i)(https?|all|no)_proxy|HF_.*"));
    builder.environment().putAll(environment(home));
    builder.redirectErrorStream(true);
    builder.redirectOutput(ProcessBuilder.Redirect.appendTo(said().toFile()));
    return builder.start();
  }

  Path said() {
    return folder.resolve("said");
  }

  @Override
  public void close() {
    proxy.close();
    registry.close();
  }
}
