package dev.nautil;

/** A reply that was to be whole was cut off. */
public final class IncompleteReplyException extends NautilException {
  private static final long serialVersionUID = 1;

  private final transient Reply reply;

  IncompleteReplyException(Reply reply) {
    super(
        "the answer was cut off ("
            + reply.finishReason()
            + ") after "
            + reply.usage().replyTokens()
            + " tokens: allow more with maxTokens, or ask for less");
    this.reply = reply;
  }

  /** What there is of it; null after deserialization. */
  public Reply reply() {
    return reply;
  }
}
