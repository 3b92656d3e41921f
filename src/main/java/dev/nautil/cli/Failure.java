package dev.nautil.cli;

/** A command cannot do what it was asked to; the message is all that its user needs. */
final class Failure extends RuntimeException {
  private static final long serialVersionUID = 1;

  Failure(String message) {
    super(message);
  }

  Failure(String message, Throwable cause) {
    super(message, cause);
  }
}
