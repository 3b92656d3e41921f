package dev.nautil;

import org.jspecify.annotations.Nullable;

/** A model cannot be fetched. What has arrived of it is kept, and the next pull goes on with it. */
public class PullException extends NautilException {
  private static final long serialVersionUID = 1;

  /** Which model it is, and why it cannot be fetched. */
  public PullException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
