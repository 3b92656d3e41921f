package dev.nautil;

/**
 * A grammar, a regular expression or a schema cannot be enforced: it is malformed, matches nothing,
 * or takes more work than is allowed. The message names the culprit and its place.
 */
public class GrammarException extends NautilException {
  private static final long serialVersionUID = 1;

  /** What is wrong, and where. */
  public GrammarException(String message) {
    super(message);
  }
}
