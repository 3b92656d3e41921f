package dev.nautil.registry;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** The command curl: an HTTP client that knows nothing of Nautil. */
final class Curl {
  /**
   * What a server answered last: after redirects and intermediate answers.
   *
   * @param code of curl itself, 0 where all went well
   * @param status 0 where no answer came
   */
  record Answer(int code, int status, String head, byte[] body, String errors) {
    Answer ok() {
      if (code != 0 || status >= 400) {
        throw new AssertionError(
            "curl ended with " + code + ": " + errors + "\n" + head + "\n" + text());
      }
      return this;
    }

    String text() {
      return new String(body, StandardCharsets.UTF_8);
    }

    @Nullable String header(String name) {
      String prefix = name.toLowerCase(Locale.ROOT) + ":";
      return head.lines()
          .filter(line -> line.toLowerCase(Locale.ROOT).startsWith(prefix))
          .map(line -> line.substring(prefix.length()).strip())
          .findFirst()
          .orElse(null);
    }
  }

  private Curl() {}

  /** Runs {@code curl} with these arguments, silent, without the user's settings. */
  static Answer run(String... arguments) {
    return run(List.of(arguments));
  }

  static Answer run(List<String> arguments) {
    try (TemporaryFolder folder = new TemporaryFolder()) {
      String heads = folder.path().resolve("heads").toString();
      List<String> command = new ArrayList<>(List.of("curl", "-q", "-sS", "-D", heads));
      command.addAll(arguments);
      Program.Result result = Program.run(command);
      String head = lastHead(Path.of(heads));
      String[] start = head.split("\\s+", 3);
      int status = head.isEmpty() ? 0 : Integer.parseInt(start[1]);
      return new Answer(result.code(), status, head, result.output(), result.errors());
    }
  }

  private static String lastHead(Path heads) {
    try {
      if (!Files.exists(heads)) {
        return "";
      }
      String all = Files.readString(heads, StandardCharsets.ISO_8859_1).strip();
      return all.substring(Math.max(0, all.lastIndexOf("\r\n\r\n"))).strip();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
