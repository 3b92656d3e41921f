package dev.nautil;

import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/**
 * A session cannot be saved to a file or restored from one: the file cannot be written or read, is
 * damaged, was saved with another model or another kind of KV cache, or is no saved session.
 */
public class SessionFileException extends NautilException {
  private static final long serialVersionUID = 1;

  private final transient Path file;
  private final String reason;

  /** Which file it is, and what is wrong. */
  public SessionFileException(Path file, String reason) {
    this(file, reason, null);
  }

  /** Which file it is, and what is wrong. */
  public SessionFileException(Path file, String reason, @Nullable Throwable cause) {
    super(file + ": " + reason, cause);
    this.file = file;
    this.reason = reason;
  }

  /** The file that was to be read or written. */
  public Path file() {
    return file;
  }

  /** What is wrong, without the file's name. */
  public String reason() {
    return reason;
  }
}
