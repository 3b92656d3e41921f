package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Map;

/** Runs commands in this process, on streams in memory. */
final class Cli {
  private static final ObjectMapper MAPPER = new ObjectMapper();

  private Cli() {}

  /** What a command did. */
  record Result(int code, String out, String err) {
    /** What it printed, if it succeeded. */
    String ok() {
      assertEquals(0, code, err);
      return out;
    }

    JsonNode json() throws IOException {
      return MAPPER.readTree(ok());
    }

    /** One line of output is one value. */
    JsonNode[] jsonLines() throws IOException {
      String[] lines = ok().split("\n");
      JsonNode[] values = new JsonNode[lines.length];
      for (int i = 0; i < lines.length; i++) {
        values[i] = MAPPER.readTree(lines[i]);
      }
      return values;
    }

    /** Refused with one line that says why, and nothing on standard output. */
    void assertRefused(int expected, String... words) {
      assertEquals(expected, code, err);
      assertEquals("", out);
      // A wrong usage has a second one, on where to read more.
      assertEquals(expected == 2 ? 2 : 1, err.lines().count(), err);
      for (String word : words) {
        if (!err.contains(word)) {
          throw new AssertionError("\"" + word + "\" is not in: " + err);
        }
      }
    }
  }

  static Result run(Object... arguments) {
    return runOn("", arguments);
  }

  static Result runOn(String input, Object... arguments) {
    return run(input, Io.Terminals.NONE, Map.of(), arguments);
  }

  static Result run(
      String input, Io.Terminals terminals, Map<String, String> environment, Object... arguments) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Io io =
        new Io(
            new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
            Io.print(out),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            terminals,
            environment);
    String[] texts = new String[arguments.length];
    for (int i = 0; i < texts.length; i++) {
      texts[i] = arguments[i] instanceof Path path ? path.toString() : (String) arguments[i];
    }
    int code = Main.execute(io, texts);
    return new Result(
        code, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
  }

  /** Without input; output goes to where errors go. */
  static Io errorsOn(OutputStream err, boolean isTerminal, Map<String, String> environment) {
    PrintStream stream = new PrintStream(err, true, StandardCharsets.UTF_8);
    return new Io(
        InputStream.nullInputStream(),
        stream,
        stream,
        new Io.Terminals(false, false, isTerminal),
        environment);
  }
}
