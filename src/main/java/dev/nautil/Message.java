package dev.nautil;

import java.util.Objects;

/** One message of a conversation. Immutable. */
public sealed interface Message {
  /** The text of the message. */
  String content();

  /** What the model is to do or to be, for the whole conversation. */
  record System(String content) implements Message {
    public System {
      Objects.requireNonNull(content, "content");
    }
  }

  /** What a user says. */
  record User(String content) implements Message {
    public User {
      Objects.requireNonNull(content, "content");
    }
  }

  /** What the model replied. */
  record Assistant(String content) implements Message {
    public Assistant {
      Objects.requireNonNull(content, "content");
    }
  }
}
