package dev.nautil;

import java.util.Iterator;
import java.util.List;
import java.util.Objects;

/**
 * What the model replied. Immutable.
 *
 * <p>If tools were called on the way to it, usage and timings are the sums of all the model's
 * replies, but the text is the last one's; what came before is in {@link Session#history}.
 *
 * @param text without the markers of the model's format, and without calls
 * @param toolCalls that have no result yet: those that the caller is to run. Unmodifiable
 * @param logprobs one for each token that {@link Usage#replyTokens} counts, a stop string's among
 *     them; empty unless {@link SessionOptions#logprobs(int)} asked for them
 */
public record Reply(
    String text,
    List<ToolCall> toolCalls,
    FinishReason finishReason,
    Usage usage,
    Timings timings,
    List<TokenLogprob> logprobs) {
  public Reply {
    Objects.requireNonNull(text, "text");
    toolCalls = List.copyOf(toolCalls);
    Objects.requireNonNull(finishReason, "finishReason");
    Objects.requireNonNull(usage, "usage");
    Objects.requireNonNull(timings, "timings");
    logprobs = List.copyOf(logprobs);
  }

  /** Tokens of the prompt that were read a second, of those that were not cached. */
  public double promptTokensPerSecond() {
    return perSecond(usage.promptTokens() - usage.cachedTokens(), timings.prompt().toNanos());
  }

  /** Tokens generated a second, after the first. */
  public double replyTokensPerSecond() {
    return perSecond(Math.max(0, usage.replyTokens() - 1), timings.reply().toNanos());
  }

  private static double perSecond(int tokens, long nanos) {
    return nanos <= 0 ? 0 : tokens * 1e9 / nanos;
  }

  /**
   * A reply while it is generated. Iterating waits for the next event; there is one iteration.
   *
   * <p>Tools are run by the thread that reads the events, one after the other in the order of their
   * calls.
   *
   * <p>Closing it before the end cancels the reply, also while the prompt is still being read: what
   * was generated until then becomes the assistant's message, and if nothing was, the session is as
   * it was before the turn. A failure is thrown by the iterator, and leaves the session so, too.
   * What tools were called and returned before a reply was cancelled stays in the history; a tool
   * that is running is not interrupted.
   *
   * <p>Used by one thread at a time, except for {@link #close}, which any thread may call.
   */
  public interface Stream extends Iterable<Event>, AutoCloseable {
    /**
     * The events of this reply; always the same iterator.
     *
     * @throws NautilException from the iterator's methods, if the reply fails
     * @throws IllegalStateException from them, if the model is closed meanwhile
     */
    @Override
    Iterator<Event> iterator();

    /** Reads what is left of the events and gives the whole reply. */
    Reply reply();

    /** Cancels the reply unless it is complete; does nothing the second time. */
    @Override
    void close();
  }
}
