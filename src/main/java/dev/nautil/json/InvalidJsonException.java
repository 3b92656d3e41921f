package dev.nautil.json;

import dev.nautil.NautilException;

/** Text that is no JSON, or JSON that is not what was described. */
public final class InvalidJsonException extends NautilException {
  private static final long serialVersionUID = 1;

  InvalidJsonException(String message) {
    super(message);
  }
}
