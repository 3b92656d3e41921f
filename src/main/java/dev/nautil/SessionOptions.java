package dev.nautil;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How a session talks. Immutable: each method gives a changed copy. */
public final class SessionOptions {
  static final SessionOptions DEFAULTS = new SessionOptions(null, Sampling.defaults(), 0, false);

  private final @Nullable String system;
  private final Sampling sampling;
  private final int maxTokens;
  private final boolean raw;

  private SessionOptions(@Nullable String system, Sampling sampling, int maxTokens, boolean raw) {
    if (system != null && raw) {
      throw new IllegalArgumentException(
          "raw text has no system prompt: put it before the text, or leave out raw()");
    }
    this.system = system;
    this.sampling = sampling;
    this.maxTokens = maxTokens;
    this.raw = raw;
  }

  /** What the model is to do or to be, for the whole conversation. */
  public SessionOptions system(String system) {
    return new SessionOptions(Objects.requireNonNull(system, "system"), sampling, maxTokens, raw);
  }

  /** How tokens are chosen; {@link Sampling#defaults()} if it is not said. */
  public SessionOptions sampling(Sampling sampling) {
    return new SessionOptions(system, Objects.requireNonNull(sampling, "sampling"), maxTokens, raw);
  }

  /**
   * Ends a reply after so many tokens; 0, the default, lets it go on to the end of the context.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public SessionOptions maxTokens(int maxTokens) {
    if (maxTokens < 0) {
      throw new IllegalArgumentException(
          "maxTokens is " + maxTokens + "; it must be 0 (no limit) or more");
    }
    return new SessionOptions(system, sampling, maxTokens, raw);
  }

  /**
   * Continues text instead of answering messages: what is sent goes to the model as it is, without
   * its chat template, after what was sent and generated before.
   *
   * @throws IllegalArgumentException if there is a system prompt
   */
  public SessionOptions raw() {
    return new SessionOptions(system, sampling, maxTokens, true);
  }

  public Optional<String> system() {
    return Optional.ofNullable(system);
  }

  public Sampling sampling() {
    return sampling;
  }

  public int maxTokens() {
    return maxTokens;
  }

  public boolean isRaw() {
    return raw;
  }
}
