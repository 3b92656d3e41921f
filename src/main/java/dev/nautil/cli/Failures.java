package dev.nautil.cli;

import dev.nautil.NautilException;
import dev.nautil.internal.FileFailure;
import java.io.IOException;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;

/** What becomes of a failure: a line on standard error and an exit code. */
final class Failures {
  private static final int FAILED = 1;
  private static final int USAGE = 2;

  /** 128 + SIGPIPE, as programs end that do not handle it. */
  private static final int OUTPUT_CLOSED = 141;

  private Failures() {}

  static int reportUsage(ParameterException e, Io io) {
    CommandSpec command = e.getCommandLine().getCommandSpec();
    String name = command.qualifiedName();
    print(io, name, e.getMessage());
    io.err().println("Try '" + name + " --help'.");
    return USAGE;
  }

  static int report(Throwable e, Io io, boolean stackTrace) {
    if (e instanceof OutputException output && output.isClosedPipe()) {
      return OUTPUT_CLOSED;
    }
    print(io, "nautil", message(e));
    if (stackTrace) {
      e.printStackTrace(io.err());
    }
    return FAILED;
  }

  private static void print(Io io, String who, String message) {
    String line = message.strip().replaceAll("\\s*[\\r\\n]+\\s*", " ");
    // It may quote what somebody else wrote.
    io.err().println(io.errorColour(who + ":") + " " + Printable.line(line));
  }

  private static String message(Throwable e) {
    if (e instanceof OutOfMemoryError) {
      return "the Java heap is too small (" + e.getMessage() + "): give it more with -Xmx";
    }
    if (e instanceof IOException io && e.getMessage() != null) {
      return FileFailure.reason(io);
    }
    boolean told =
        e instanceof Failure
            || e instanceof OutputException
            || e instanceof NautilException
            || e instanceof IllegalArgumentException;
    return told && e.getMessage() != null
        ? e.getMessage()
        : "a defect of Nautil (--stacktrace shows where): " + e;
  }
}
