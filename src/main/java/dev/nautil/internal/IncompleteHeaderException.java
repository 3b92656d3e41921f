package dev.nautil.internal;

import dev.nautil.GgufException;
import java.nio.file.Path;

/** A file ends within its header; a longer beginning of the same file may do. */
public final class IncompleteHeaderException extends GgufException {
  private static final long serialVersionUID = 1;

  private final long neededBytes;

  IncompleteHeaderException(Path file, int part, long offset, String reason, long neededBytes) {
    super(file, part, offset, reason);
    this.neededBytes = neededBytes;
  }

  /**
   * Bytes from the start of the part that are needed at least, more than it has. Where it is more
   * than the whole part has, the file is malformed.
   */
  public long neededBytes() {
    return neededBytes;
  }
}
