package dev.nautil;

import org.jspecify.annotations.Nullable;

/** The store of models cannot be read or written, or what it has is damaged. */
public class StoreException extends NautilException {
  private static final long serialVersionUID = 1;

  /** What of the store cannot be read or written. */
  public StoreException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
