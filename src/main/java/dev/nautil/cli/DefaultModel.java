package dev.nautil.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;

/**
 * The model of {@code run} where none is named: the file that the system property {@code
 * nautil.defaultModel} names, or the environment variable {@code NAUTIL_DEFAULT_MODEL}.
 *
 * <p>If neither does, or the file of the property is not there, the program that the system
 * property {@code nautil.fetchModel} names is run: it prints the file's path, and what it does on
 * standard error. The launcher sets the properties.
 */
final class DefaultModel {
  private DefaultModel() {}

  static ModelArgument resolve(Io io) {
    String variable = io.environment("NAUTIL_DEFAULT_MODEL");
    if (variable != null) {
      return ModelArgument.resolve(io, variable);
    }
    String property = System.getProperty("nautil.defaultModel");
    if (property != null && Files.exists(ModelArgument.path(property))) {
      return ModelArgument.resolve(io, property);
    }
    String fetch = System.getProperty("nautil.fetchModel");
    if (fetch != null) {
      return ModelArgument.resolve(io, fetch(fetch));
    }
    throw new Failure(
        (property == null ? "there is no default model" : property + ": there is no such file")
            + "; name a GGUF file (nautil run model.gguf), set NAUTIL_DEFAULT_MODEL to one, or start"
            + " Nautil with scripts/nautil, which fetches a small one");
  }

  private static String fetch(String program) {
    try {
      Process process =
          new ProcessBuilder(program)
              .redirectInput(ProcessBuilder.Redirect.from(new java.io.File("/dev/null")))
              .redirectError(ProcessBuilder.Redirect.INHERIT)
              .start();
      byte[] output = process.getInputStream().readAllBytes();
      if (process.waitFor() == 0) {
        return new String(output, StandardCharsets.UTF_8).strip();
      }
      throw new Failure("the default model could not be fetched; name a GGUF file instead");
    } catch (IOException e) {
      throw new Failure("the default model could not be fetched: " + e.getMessage(), e);
    } catch (InterruptedException e) {
      throw new Failure("interrupted while the default model was fetched", e);
    }
  }
}
