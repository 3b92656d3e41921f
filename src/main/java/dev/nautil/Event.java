package dev.nautil;

import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** What happens while a reply is generated. */
public sealed interface Event {
  /**
   * The oldest turns were forgotten, since the context had no room for them: {@link
   * ContextPolicy#DROP_OLDEST_TURNS}. Comes before the prompt is read. If the turn fails, the
   * session still has them.
   *
   * @param turns how many
   */
  record TurnsDropped(int turns) implements Event {}

  /**
   * Some of the prompt was read: it takes long if the prompt is.
   *
   * @param done tokens read, those that were cached included
   * @param total tokens of the prompt
   */
  record Prompt(int done, int total) implements Event {}

  /**
   * More of the reply's text: whole characters.
   *
   * @param text not empty
   * @param logprobs of the tokens that came since the last text, whose texts need not end where it
   *     does; empty unless {@link SessionOptions#logprobs(int)} asked for them
   */
  record Text(String text, List<TokenLogprob> logprobs) implements Event {
    public Text {
      Objects.requireNonNull(text, "text");
      logprobs = List.copyOf(logprobs);
    }

    /** Without log-probabilities. */
    public Text(String text) {
      this(text, List.of());
    }
  }

  /** The model calls a tool: the whole call is there. */
  record ToolCall(dev.nautil.ToolCall call) implements Event {
    public ToolCall {
      Objects.requireNonNull(call, "call");
    }
  }

  /**
   * A tool was called, and the model is given the result.
   *
   * @param failure what the tool threw, if it did; the result tells the model
   */
  record ToolResult(Message.ToolResult result, @Nullable Exception failure) implements Event {
    public ToolResult {
      Objects.requireNonNull(result, "result");
    }
  }

  /** The reply is complete; the last event. */
  record Done(Reply reply) implements Event {
    public Done {
      Objects.requireNonNull(reply, "reply");
    }
  }
}
