package dev.nautil.registry;

import dev.nautil.json.JsonValues;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.net.URI;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Docker's registry (the reference implementation of the OCI distribution specification) on a free
 * port of the loopback interface, with an empty store that goes when it is closed. Manifests and
 * blobs may be deleted.
 */
public final class DockerRegistry implements AutoCloseable {
  private static final Pattern LISTENING = Pattern.compile("listening on 127\\.0\\.0\\.1:(\\d+)");

  /** What a registry asks of its clients: nothing, unless told. */
  public static final class Builder {
    private @Nullable String user;
    private @Nullable String password;
    private @Nullable TokenServer tokens;
    private @Nullable Certificates certificates;

    private Builder() {}

    /** Basic authentication, for everything. */
    public Builder basic(String user, String password) {
      this.user = user;
      this.password = password;
      return this;
    }

    /** Bearer authentication with the tokens of this server, which the caller closes. */
    public Builder tokens(TokenServer tokens) {
      this.tokens = tokens;
      return this;
    }

    /** TLS, with a server's certificate of these, which the caller closes. */
    public Builder tls(Certificates certificates) {
      this.certificates = certificates;
      return this;
    }

    /** Starts it; on return it takes connections. */
    public DockerRegistry start() {
      return new DockerRegistry(this);
    }
  }

  private final TemporaryFolder folder = new TemporaryFolder();
  private final @Nullable TokenServer tokens;
  private final @Nullable Certificates certificates;
  private final Process process;
  private final int port;

  public static Builder builder() {
    return new Builder();
  }

  /** Without authentication, by plain HTTP. */
  public static DockerRegistry start() {
    return builder().start();
  }

  private DockerRegistry(Builder builder) {
    tokens = builder.tokens;
    certificates = builder.certificates;
    try {
      // JSON is YAML.
      Path configuration =
          folder.write(
              "config.yml",
              JsonValues.write(configuration(builder)).getBytes(StandardCharsets.UTF_8));
      ProcessBuilder command =
          new ProcessBuilder("docker-registry", "serve", configuration.toString())
              .redirectErrorStream(true);
      // They take precedence over the file.
      command.environment().keySet().removeIf(name -> name.startsWith("REGISTRY_"));
      process = command.start();
      AtExit.add(this);
      port = awaitPort();
    } catch (IOException e) {
      folder.close();
      throw new AssertionError("docker-registry is missing: run scripts/setup --tests", e);
    }
  }

  private Map<String, Object> configuration(Builder builder) {
    Map<String, Object> http = new LinkedHashMap<>();
    // The system chooses a port and the log says which.
    http.put("addr", "127.0.0.1:0");
    http.put("secret", "of no use to anybody else");
    if (builder.certificates != null) {
      http.put(
          "tls",
          Map.of(
              "certificate", builder.certificates.server().toString(),
              "key", builder.certificates.serverKey().toString()));
    }
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("version", "0.1");
    all.put(
        "storage",
        Map.of(
            "filesystem", Map.of("rootdirectory", storage().toString()),
            "delete", Map.of("enabled", true)));
    all.put("http", http);
    if (builder.user != null) {
      byte[] users =
          Program.run(List.of("htpasswd", "-Bbn", builder.user, builder.password)).ok().output();
      String path = folder.write("htpasswd", users).toString();
      all.put("auth", Map.of("htpasswd", Map.of("realm", "tests", "path", path)));
    } else if (builder.tokens != null) {
      all.put(
          "auth",
          Map.of(
              "token",
              Map.of(
                  "realm",
                  builder.tokens.realm().toString(),
                  "service",
                  TokenServer.SERVICE,
                  "issuer",
                  TokenServer.ISSUER,
                  "rootcertbundle",
                  builder.tokens.certificate().toString())));
    }
    return all;
  }

  /** From then on the system takes connections, which the registry answers as soon as it serves. */
  private int awaitPort() throws IOException {
    CompletableFuture<Integer> listening = new CompletableFuture<>();
    Thread reader = new Thread(() -> copyLog(listening), "registry-log");
    reader.setDaemon(true);
    reader.start();
    try {
      return listening.get(1, TimeUnit.MINUTES);
    } catch (ExecutionException | TimeoutException e) {
      String said = Files.exists(log()) ? Files.readString(log()) : "";
      close();
      throw new AssertionError("docker-registry does not start:\n" + said, e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  private void copyLog(CompletableFuture<Integer> listening) {
    try (BufferedReader lines = process.inputReader(StandardCharsets.UTF_8);
        Writer log = Files.newBufferedWriter(log())) {
      for (String line = lines.readLine(); line != null; line = lines.readLine()) {
        log.write(line + "\n");
        log.flush();
        Matcher matcher = LISTENING.matcher(line);
        if (matcher.find()) {
          listening.complete(Integer.parseInt(matcher.group(1)));
        }
      }
      listening.completeExceptionally(new IOException("it ended"));
    } catch (IOException e) {
      listening.completeExceptionally(e);
    }
  }

  public int port() {
    return port;
  }

  /** What stands in a reference before the repository: {@code 127.0.0.1:PORT}. */
  public String host() {
    return "127.0.0.1:" + port;
  }

  /** Without a slash at its end. */
  public URI url() {
    return URI.create((certificates != null ? "https://" : "http://") + host());
  }

  /** What a client must trust, in PEM. */
  public @Nullable Path authority() {
    return certificates == null ? null : certificates.authority();
  }

  public @Nullable TokenServer tokens() {
    return tokens;
  }

  /** What the registry has printed. */
  public Path log() {
    return folder.path().resolve("log");
  }

  private Path storage() {
    return folder.path().resolve("storage");
  }

  /**
   * The file with a blob's bytes in the registry's store. The registry does not look at what it
   * serves, so that a test may change them.
   */
  public Path blob(String digest) {
    String hex = digest.substring("sha256:".length());
    return storage()
        .resolve(Path.of("docker/registry/v2/blobs/sha256", hex.substring(0, 2), hex, "data"));
  }

  /** Stops the registry and deletes its store; the end of the JVM does too. */
  @Override
  public void close() {
    AtExit.remove(this);
    process.destroy();
    try {
      if (!process.waitFor(10, TimeUnit.SECONDS)) {
        process.destroyForcibly().waitFor();
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    }
    folder.close();
  }
}
