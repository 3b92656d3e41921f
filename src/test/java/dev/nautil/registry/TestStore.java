package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.ModelStore;
import dev.nautil.NautilException;
import dev.nautil.PullOptions;
import dev.nautil.StoredModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;

/**
 * An empty store in a folder of its own, and the environment of who pulls into it: nothing of the
 * user's. A server is given up after four seconds, and the first retry comes after a tenth of one.
 */
public final class TestStore implements AutoCloseable {
  private final TemporaryFolder folder = new TemporaryFolder();
  private final Map<String, String> environment = new HashMap<>();

  public TestStore() {
    environment.put("NAUTIL_HOME", home().toString());
    environment.put("NAUTIL_TIMEOUT", "4");
    environment.put("PATH", System.getenv("PATH"));
    for (String name : new String[] {"DOCKER_CONFIG", "MODELS_PATH", "HF_HOME"}) {
      environment.put(name, folder.path().resolve(name).toString());
    }
  }

  /** Sets a variable. */
  public TestStore with(String name, String value) {
    environment.put(name, value);
    return this;
  }

  /** Sets what {@code docker login} wrote. */
  TestStore docker(String json) {
    Path docker = folder.path().resolve("DOCKER_CONFIG");
    try {
      Files.createDirectories(docker);
      Files.writeString(docker.resolve("config.json"), json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return this;
  }

  /** Makes a program that is found by its name. */
  TestStore program(String name, String script) {
    Path file = folder.write(name, ("#!/bin/sh\n" + script).getBytes(StandardCharsets.UTF_8));
    assertTrue(file.toFile().setExecutable(true));
    String path = folder.path() + ":" + System.getenv("PATH");
    return with("PATH", path);
  }

  public Map<String, String> environment() {
    return environment;
  }

  Path home() {
    return folder.path().resolve("home");
  }

  ModelStore store() {
    return ModelStore.open(environment);
  }

  /** Over one connection, so that requests can be counted. */
  StoredModel pull(String reference) {
    return pull(reference, ModelStore.pullOptions().connections(1));
  }

  StoredModel pull(String reference, PullOptions options) {
    return store().pull(reference, options);
  }

  /** The message of a pull that fails so. */
  String refusal(Class<? extends NautilException> type, String reference) {
    NautilException e = assertThrows(NautilException.class, () -> pull(reference), reference);
    assertEquals(type, e.getClass(), () -> String.valueOf(e.getMessage()));
    return String.valueOf(e.getMessage());
  }

  /** The names of what the store's folder of blobs holds. */
  Set<String> blobs() {
    Path blobs = home().resolve("blobs/sha256");
    if (!Files.exists(blobs)) {
      return Set.of();
    }
    try (Stream<Path> all = Files.list(blobs)) {
      return new TreeSet<>(all.map(each -> each.getFileName().toString()).toList());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** No blob has another content than its name says, and none is missing. */
  void assertSound() {
    assertEquals(List.of(), store().verify(progress -> {}));
    for (String name : blobs()) {
      if (name.matches("[0-9a-f]{64}")) {
        Path file = home().resolve("blobs/sha256").resolve(name);
        assertEquals("sha256:" + name, ModelArtifact.digest(file));
      }
    }
  }

  /** A file of random bytes, which are the same for the same seed. */
  static Path random(Path file, int size, long seed) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    try {
      return Files.write(file, bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Override
  public void close() {
    folder.close();
  }
}
