package dev.nautil;

import java.nio.file.Files;
import java.nio.file.Path;

/** The models that tests run on: {@code scripts/fixtures} makes them. */
public final class TestModels {
  private TestModels() {}

  /** A real model: SmolLM2-135M-Instruct in Q4_1. */
  public static Path smolLm2() {
    return path("SmolLM2-135M-Instruct.Q4_1.gguf");
  }

  /**
   * A file of the folder of test models, which is {@code $NAUTIL_TEST_MODELS} or {@code
   * nautil/test-models} in the user's cache.
   */
  public static Path path(String name) {
    String given = System.getenv("NAUTIL_TEST_MODELS");
    String cache = System.getenv("XDG_CACHE_HOME");
    Path folder =
        given != null
            ? Path.of(given)
            : (cache != null ? Path.of(cache) : Path.of(System.getProperty("user.home"), ".cache"))
                .resolve("nautil/test-models");
    Path path = folder.resolve(name);
    if (!Files.exists(path)) {
      throw new AssertionError(
          path
              + " is missing: run scripts/fixtures/make_models.py and scripts/fixtures/smollm2.py");
    }
    return path;
  }
}
