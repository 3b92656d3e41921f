package dev.nautil;

/** A model's file cannot be opened, mapped or read. */
public class ModelFileException extends NautilException {
  private static final long serialVersionUID = 1;

  public ModelFileException(String message) {
    super(message);
  }
}
