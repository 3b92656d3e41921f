package dev.nautil.registry;

import java.io.IOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/**
 * A registry did not give what it was asked for. The message may have words of the server's; what a
 * terminal would obey is taken out of it.
 */
public final class RegistryException extends IOException {
  private static final long serialVersionUID = 1;

  /** What a caller can do about it. */
  public enum Kind {
    /** The same request may succeed later. */
    TRANSIENT,
    /** The host is not known or takes no connection: transient only if it was reached before. */
    UNREACHABLE,
    /** There is no such model, version or blob. */
    NOT_FOUND,
    /** The registry wants credentials, or others. */
    UNAUTHORIZED,
    /** What it has is not what was asked for: what arrived of it before is of no use. */
    CHANGED,
    /** Anything else; asking again does not help. */
    OTHER
  }

  private final Kind kind;
  private final transient @Nullable Duration retryAfter;

  public RegistryException(Kind kind, String message) {
    this(kind, message, null, null);
  }

  public RegistryException(Kind kind, String message, @Nullable Throwable cause) {
    this(kind, message, null, cause);
  }

  RegistryException(
      Kind kind, String message, @Nullable Duration retryAfter, @Nullable Throwable cause) {
    super(message.replaceAll("[\\p{Cc}\\p{Cf}]", "?"), cause);
    this.kind = kind;
    this.retryAfter = retryAfter;
  }

  public Kind kind() {
    return kind;
  }

  /** How long the registry asks to wait; null if it does not say. */
  public @Nullable Duration retryAfter() {
    return retryAfter;
  }
}
