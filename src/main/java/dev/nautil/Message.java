package dev.nautil;

import java.util.List;
import java.util.Objects;

/**
 * One message of a conversation. Immutable.
 *
 * <p>The constructors throw a {@link MalformedTextException} if the content is not UTF-16.
 */
public sealed interface Message {
  /** The text of the message. */
  String content();

  /** What the model is to do or to be, for the whole conversation. */
  record System(String content) implements Message {
    public System {
      MalformedTextException.check("the system prompt", content);
    }
  }

  /** What a user says. */
  record User(String content) implements Message {
    public User {
      MalformedTextException.check("the user's message", content);
    }
  }

  /**
   * What the model replied.
   *
   * @param content its text; may be empty if there are calls
   * @param toolCalls the tools that it wants to be called; unmodifiable
   */
  record Assistant(String content, List<ToolCall> toolCalls) implements Message {
    public Assistant {
      MalformedTextException.check("the assistant's message", content);
      toolCalls = List.copyOf(toolCalls);
    }

    /** A reply that calls no tools. */
    public Assistant(String content) {
      this(content, List.of());
    }
  }

  /**
   * What came of a tool's call.
   *
   * @param callId of the call, which is in the assistant's message before
   * @param name of the tool
   * @param content text or JSON
   */
  record ToolResult(String callId, String name, String content) implements Message {
    public ToolResult {
      Objects.requireNonNull(callId, "callId");
      MalformedTextException.check("the name of a called tool", name);
      MalformedTextException.check("the id of a call of " + name, callId);
      MalformedTextException.check("the result of " + name, content);
    }
  }
}
