package dev.nautil.template;

/** An error inside the interpreter; {@link ChatTemplate} turns it into one that names the line. */
final class Fail extends RuntimeException {
  private static final long serialVersionUID = 1L;

  final boolean raisedByTemplate;

  Fail(String reason) {
    this(reason, false);
  }

  Fail(String reason, boolean raisedByTemplate) {
    super(reason, null, false, false);
    this.raisedByTemplate = raisedByTemplate;
  }
}
