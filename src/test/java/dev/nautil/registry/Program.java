package dev.nautil.registry;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;

/** A program that is not ours, run to its end. */
final class Program {
  record Result(String command, int code, byte[] output, String errors) {
    /** The result itself, of a program that ended well. */
    Result ok() {
      if (code != 0) {
        throw new AssertionError(command + " ended with " + code + ":\n" + errors + text());
      }
      return this;
    }

    String text() {
      return new String(output, StandardCharsets.UTF_8);
    }
  }

  private Program() {}

  static Result run(List<String> command) {
    return run(command, Map.of());
  }

  /** Runs it with these variables, and without those that would send its traffic elsewhere. */
  static Result run(List<String> command, Map<String, String> variables) {
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.matches("(?i)(https?|all|no)_proxy"));
    builder.environment().putAll(variables);
    try {
      Process process = builder.start();
      process.getOutputStream().close();
      CompletableFuture<byte[]> errors =
          CompletableFuture.supplyAsync(() -> readAll(process.getErrorStream()));
      byte[] output = readAll(process.getInputStream());
      return new Result(
          String.join(" ", command),
          process.waitFor(),
          output,
          new String(errors.join(), StandardCharsets.UTF_8));
    } catch (IOException e) {
      throw new AssertionError(command.get(0) + " is missing: run scripts/setup --tests", e);
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /** The Python of the tests' environment, which {@code scripts/setup --tests} makes. */
  static String python() {
    String cache = System.getenv("XDG_CACHE_HOME");
    Path python =
        (cache != null ? Path.of(cache) : Path.of(System.getProperty("user.home"), ".cache"))
            .resolve("nautil/venv/bin/python");
    if (!Files.exists(python)) {
      throw new AssertionError(python + " is missing: run scripts/setup --tests");
    }
    return python.toString();
  }

  private static byte[] readAll(InputStream in) {
    try (in) {
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
