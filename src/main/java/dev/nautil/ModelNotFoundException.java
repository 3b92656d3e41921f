package dev.nautil;

import org.jspecify.annotations.Nullable;

/** There is no such model: in the registry, or on this machine. */
public class ModelNotFoundException extends PullException {
  private static final long serialVersionUID = 1;

  /** Which model it is, and where it is not. */
  public ModelNotFoundException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
