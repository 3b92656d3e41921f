package dev.nautil.template;

/**
 * A template that cannot be compiled or rendered: a syntax error, an operation that its language
 * does not allow, a limit that was reached, or the template's own {@code raise_exception}.
 */
public final class TemplateException extends RuntimeException {
  private static final long serialVersionUID = 1L;

  private final int line;
  private final String reason;
  private final boolean raisedByTemplate;

  TemplateException(int line, String reason, boolean raisedByTemplate) {
    super("template line " + line + ": " + reason);
    this.line = line;
    this.reason = reason;
    this.raisedByTemplate = raisedByTemplate;
  }

  /** The line of the template, from 1. */
  public int line() {
    return line;
  }

  /** What went wrong, without the line. */
  public String reason() {
    return reason;
  }

  /**
   * Whether the template called {@code raise_exception}; {@link #reason()} is then the message it
   * gave, which says what is wrong with the conversation.
   */
  public boolean raisedByTemplate() {
    return raisedByTemplate;
  }
}
