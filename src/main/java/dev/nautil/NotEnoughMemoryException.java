package dev.nautil;

/**
 * Native memory could not be had: for weights, for the KV cache or for a step's buffers. {@link
 * Model#open} throws it beforehand, with what a model takes, what there is and what can be done.
 *
 * <p>Not an {@link OutOfMemoryError}: the Java heap is as it was, and the program can go on.
 */
public class NotEnoughMemoryException extends NautilException {
  private static final long serialVersionUID = 1;

  /** What is needed and what there is. */
  public NotEnoughMemoryException(String message) {
    super(message);
  }
}
