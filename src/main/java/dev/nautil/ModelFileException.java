package dev.nautil;

/** A model's file cannot be opened, mapped or read. */
public class ModelFileException extends NautilException {
  private static final long serialVersionUID = 1;

  /** Which file it is, and why it cannot be read. */
  public ModelFileException(String message) {
    super(message);
  }
}
