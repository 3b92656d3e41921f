package dev.nautil.cli;

import java.io.BufferedOutputStream;
import java.io.BufferedReader;
import java.io.FileDescriptor;
import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Help.Ansi;

/**
 * Where a command reads and writes. Text is UTF-8 whatever the locale says.
 *
 * @param out throws {@link OutputException} where it cannot be written to
 */
record Io(
    InputStream in,
    PrintStream out,
    PrintStream err,
    Terminals terminals,
    Map<String, String> environment) {

  /** Which of the three are terminals. */
  record Terminals(boolean in, boolean out, boolean err) {
    static final Terminals NONE = new Terminals(false, false, false);

    static Terminals detect() {
      return new Terminals(
          TerminalCheck.isTerminal(0), TerminalCheck.isTerminal(1), TerminalCheck.isTerminal(2));
    }
  }

  /** The process's own. */
  static Io system() {
    return new Io(
        new FileInputStream(FileDescriptor.in),
        print(new FileOutputStream(FileDescriptor.out)),
        new PrintStream(new FileOutputStream(FileDescriptor.err), true, StandardCharsets.UTF_8),
        Terminals.detect(),
        System.getenv());
  }

  /** A stream as {@link #out} is to be. */
  static PrintStream print(OutputStream stream) {
    return new PrintStream(
        new Failing(new BufferedOutputStream(stream)), false, StandardCharsets.UTF_8);
  }

  /** PrintStream swallows an IOException; this makes it another one, and writes nothing more. */
  private static final class Failing extends FilterOutputStream {
    private boolean failed;

    Failing(OutputStream out) {
      super(out);
    }

    @Override
    public void write(int b) {
      write(new byte[] {(byte) b}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) {
      attempt(() -> out.write(bytes, offset, length));
    }

    @Override
    public void flush() {
      attempt(out::flush);
    }

    private interface Action {
      void run() throws IOException;
    }

    private void attempt(Action action) {
      if (failed) {
        return;
      }
      try {
        action.run();
      } catch (IOException e) {
        failed = true;
        throw new OutputException(e);
      }
    }
  }

  BufferedReader reader() {
    return new BufferedReader(new InputStreamReader(in, StandardCharsets.UTF_8));
  }

  /** A reader that waits for the first character, and drops it if it is a byte order mark. */
  BufferedReader pipedReader() throws IOException {
    BufferedReader reader = reader();
    reader.mark(1);
    if (reader.read() != '\ufeff') {
      reader.reset();
    }
    return reader;
  }

  /** An environment variable; null if it is not set, or empty. */
  @Nullable String environment(String name) {
    String value = environment.get(name);
    return value == null || value.isEmpty() ? null : value;
  }

  boolean wantsStackTraces() {
    return environment("NAUTIL_STACKTRACE") != null;
  }

  /** For what picocli prints. */
  Ansi ansi() {
    return terminals.out && terminals.err && wantsColour() ? Ansi.ON : Ansi.OFF;
  }

  boolean wantsColour() {
    return environment("NO_COLOR") == null && !isDumb();
  }

  /** Whether what is on standard error can be taken away again. */
  boolean canRedraw() {
    return terminals.err && !isDumb();
  }

  private boolean isDumb() {
    return "dumb".equals(environment("TERM"));
  }

  /** Text for standard error, in red where that is a terminal. */
  String errorColour(String text) {
    return terminals.err && wantsColour() ? "\033[31m" + text + "\033[0m" : text;
  }
}
