package dev.nautil.cli;

import java.io.IOException;

/** Standard output cannot be written to. */
final class OutputException extends RuntimeException {
  private static final long serialVersionUID = 1;

  OutputException(IOException cause) {
    super("cannot write to standard output: " + cause.getMessage(), cause);
  }

  /** Whether it is only that nobody reads it any more, as after {@code | head -1}. */
  boolean isClosedPipe() {
    String reason = String.valueOf(getCause().getMessage());
    return reason.contains("Broken pipe") || reason.contains("pipe is being closed");
  }
}
