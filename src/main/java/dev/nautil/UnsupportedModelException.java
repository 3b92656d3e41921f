package dev.nautil;

/** A model's file is well-formed, but of a kind that this version does not run. */
public class UnsupportedModelException extends NautilException {
  private static final long serialVersionUID = 1;

  /** Which model it is, and what of it Nautil does not run. */
  public UnsupportedModelException(String message) {
    super(message);
  }
}
