package dev.nautil.registry;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.node.MissingNode;
import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Base64;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * The credentials that {@code docker login} keeps: in a program that the file names for the host
 * ({@code credHelpers}) or for all ({@code credsStore}), or in the file itself ({@code auths}).
 */
final class DockerConfig {
  /** Docker Hub's key, for historical reasons. */
  private static final String HUB_KEY = "https://index.docker.io/v1/";

  /** A keychain may ask its user. */
  private static final int HELPER_SECONDS = 60;

  private static final int MAX_BYTES = 4 << 20;

  private final @Nullable JsonNode config;
  private final Map<String, String> environment;

  private DockerConfig(@Nullable JsonNode config, Map<String, String> environment) {
    this.config = config;
    this.environment = environment;
  }

  /** The user's; without any credentials if there is no such file, or it is malformed. */
  static DockerConfig read(Map<String, String> environment) {
    String folder = environment.get("DOCKER_CONFIG");
    Path file =
        folder != null && !folder.isEmpty()
            ? Path.of(folder, "config.json")
            : Path.of(System.getProperty("user.home"), ".docker", "config.json");
    try {
      boolean usable = Files.isRegularFile(file) && Files.size(file) <= MAX_BYTES;
      return new DockerConfig(
          usable ? StrictJson.object(Files.readAllBytes(file), file.toString()) : null,
          environment);
    } catch (IOException e) {
      return new DockerConfig(null, environment);
    }
  }

  /** The credential for a host; null if there is none. */
  @Nullable Credential of(String host) {
    if (config == null) {
      return null;
    }
    String key = host.equals("docker.io") ? HUB_KEY : host;
    String helper = text(config.path("credHelpers"), key);
    if (helper.isEmpty()) {
      helper = text(config.path("credHelpers"), host);
    }
    Credential found = helper.isEmpty() ? null : ask(helper, key);
    String store = text(config, "credsStore");
    if (found == null && !store.isEmpty()) {
      found = ask(store, key);
    }
    return found != null ? found : stored(host);
  }

  private @Nullable Credential stored(String host) {
    Credential found = stored(auths().path(host.equals("docker.io") ? HUB_KEY : host));
    for (Map.Entry<String, JsonNode> entry : auths().properties()) {
      // Entries may be empty, where a helper has the credentials.
      if (found == null && host(entry.getKey()).equals(host)) {
        found = stored(entry.getValue());
      }
    }
    return found;
  }

  /** Empty if there is none. */
  private static String text(JsonNode object, String name) {
    String text = object.path(name).textValue();
    return text == null ? "" : text;
  }

  private JsonNode auths() {
    return config == null ? MissingNode.getInstance() : config.path("auths");
  }

  /** Keys are hosts, or addresses with a path from older versions. */
  private static String host(String key) {
    String host = key.replaceFirst("^https?://", "").replaceFirst("/.*", "");
    return host.equals("index.docker.io") ? "docker.io" : host;
  }

  private static @Nullable Credential stored(JsonNode entry) {
    String token = text(entry, "identitytoken");
    if (!token.isEmpty()) {
      return new Credential("", token);
    }
    String user = text(entry, "username");
    String secret = text(entry, "password");
    try {
      byte[] pair = Base64.getDecoder().decode(text(entry, "auth"));
      String text = new String(pair, StandardCharsets.UTF_8).replaceAll("\0+$", "");
      int colon = text.indexOf(':');
      if (colon > 0) {
        user = text.substring(0, colon);
        secret = text.substring(colon + 1);
      }
    } catch (IllegalArgumentException e) {
      // No base64: what the other members say.
    }
    return user.isEmpty() ? null : new Credential(user, secret);
  }

  /** Asks docker-credential-NAME; null if it fails or knows nothing: the model may be public. */
  private @Nullable Credential ask(String helper, String key) {
    if (helper.indexOf('/') >= 0 || helper.indexOf('\\') >= 0) {
      return null;
    }
    Process process = null;
    try {
      ProcessBuilder builder = new ProcessBuilder(program("docker-credential-" + helper), "get");
      builder.environment().putAll(environment);
      process = builder.redirectError(ProcessBuilder.Redirect.DISCARD).start();
      try (OutputStream in = process.getOutputStream()) {
        in.write(key.getBytes(StandardCharsets.UTF_8));
      }
      // The output fits the pipe: one who writes more than that does not end, and is ended.
      if (!process.waitFor(HELPER_SECONDS, TimeUnit.SECONDS) || process.exitValue() != 0) {
        return null;
      }
      JsonNode answer =
          StrictJson.object(process.getInputStream().readNBytes(MAX_BYTES), "a credential helper");
      String user = text(answer, "Username");
      String secret = text(answer, "Secret");
      return secret.isEmpty() ? null : new Credential(user.equals("<token>") ? "" : user, secret);
    } catch (IOException e) {
      return null;
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      return null;
    } finally {
      if (process != null) {
        process.destroyForcibly();
      }
    }
  }

  /** The program in the environment's PATH, which may be another than this process's. */
  private String program(String name) {
    for (String folder : environment.getOrDefault("PATH", "").split(File.pathSeparator)) {
      for (String suffix : new String[] {"", ".exe"}) {
        try {
          Path file = Path.of(folder, name + suffix);
          if (!folder.isEmpty() && Files.isExecutable(file)) {
            return file.toString();
          }
        } catch (InvalidPathException e) {
          // Such as Windows puts up with, between quotes.
        }
      }
    }
    return name;
  }
}
