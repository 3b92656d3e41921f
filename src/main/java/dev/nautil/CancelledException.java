package dev.nautil;

/**
 * A call ended early because it was cancelled, or because its model was closed; it changed nothing.
 */
public class CancelledException extends NautilException {
  private static final long serialVersionUID = 1;

  /** What was cancelled, and why. */
  public CancelledException(String message) {
    super(message);
  }
}
