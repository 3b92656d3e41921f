package dev.nautil;

/**
 * A tool that cannot be offered to a model: its name, its parameters or its schema are at fault.
 */
public class InvalidToolException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  /** Which tool it is, and what is wrong. */
  public InvalidToolException(String message) {
    super(message);
  }
}
