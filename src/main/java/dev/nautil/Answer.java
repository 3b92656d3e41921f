package dev.nautil;

import dev.nautil.json.JsonValues;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A value that a reply is to be. Not thread-safe. */
final class Answer<T> {
  private final Class<T> type;
  private @Nullable T value;

  Answer(Class<T> type) {
    this.type = type;
  }

  /** What the reply is held to. */
  Constraint form() {
    return Constraint.json(type);
  }

  /**
   * Takes the value out of the reply.
   *
   * @throws IncompleteReplyException if it was cut off
   * @throws NautilException if the type refuses it
   */
  void read(Reply reply) {
    if (reply.finishReason() != FinishReason.STOP) {
      throw new IncompleteReplyException(reply);
    }
    value = JsonValues.read(reply.text(), type);
  }

  T value() {
    return Objects.requireNonNull(value);
  }
}
