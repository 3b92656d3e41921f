package dev.nautil;

import java.nio.file.Path;

/** A GGUF file is malformed. */
public class GgufException extends NautilException {
  private static final long serialVersionUID = 1;

  private final transient Path file;
  private final int part;
  private final long offset;
  private final String reason;

  /**
   * @param file the file that was opened; of a split model, its first part
   * @param part which file of a split model is malformed, from 0
   * @param offset bytes from the start of that part, or -1 where no place is at fault
   */
  public GgufException(Path file, int part, long offset, String reason) {
    super(
        file
            + (part > 0 ? " (part " + (part + 1) + ")" : "")
            + (offset >= 0 ? " at byte " + offset : "")
            + ": "
            + reason);
    this.file = file;
    this.part = part;
    this.offset = offset;
    this.reason = reason;
  }

  /** The file that was opened; of a split model, its first part. */
  public Path file() {
    return file;
  }

  /** Which file of a split model is malformed, from 0. */
  public int part() {
    return part;
  }

  /** Bytes from the start of that part, or -1 where no place is at fault. */
  public long offset() {
    return offset;
  }

  /** What is wrong, without the file's name and the offset. */
  public String reason() {
    return reason;
  }
}
