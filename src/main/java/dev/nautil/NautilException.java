package dev.nautil;

import org.jspecify.annotations.Nullable;

/** What Nautil throws when a call cannot be carried out; its subclasses say why. */
public class NautilException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /** What happened, where, and what to do. */
  public NautilException(String message) {
    super(message);
  }

  /** What happened, where, and what to do. */
  public NautilException(String message, @Nullable Throwable cause) {
    super(message, cause);
  }
}
