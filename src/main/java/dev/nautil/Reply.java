package dev.nautil;

import java.util.Iterator;
import java.util.List;
import java.util.Objects;

/**
 * What the model replied. Immutable.
 *
 * @param text without the markers of the model's format
 * @param logprobs one for each token that {@link Usage#replyTokens} counts, a stop string's among
 *     them; empty unless {@link SessionOptions#logprobs(int)} asked for them
 */
public record Reply(
    String text,
    FinishReason finishReason,
    Usage usage,
    Timings timings,
    List<TokenLogprob> logprobs) {
  public Reply {
    Objects.requireNonNull(text, "text");
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
   * <p>Closing it before the end cancels the reply, also while the prompt is still being read: what
   * was generated until then becomes the assistant's message, and if nothing was, the session is as
   * it was before the turn. A failure is thrown by the iterator, and leaves the session so, too.
   *
   * <p>Used by one thread at a time, except for {@link #close}, which any thread may call.
   */
  public interface Stream extends Iterable<Event>, AutoCloseable {
    /**
     * The events of this reply; always the same iterator.
     *
     * @throws NautilException from the iterator's methods, if the reply fails
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
