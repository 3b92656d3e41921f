package dev.nautil;

import org.jspecify.annotations.Nullable;

/** A registry wants credentials, or does not accept those that there are. */
public class RegistryAccessException extends PullException {
  private static final long serialVersionUID = 1;

  /** Which registry refuses what. */
  public RegistryAccessException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
