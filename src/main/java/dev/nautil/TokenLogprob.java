package dev.nautil;

import java.util.List;
import java.util.Objects;

/**
 * A token, and how probable the model found it where it stands. Immutable.
 *
 * @param id in the model's vocabulary
 * @param text what it puts into a text; U+FFFD stands for bytes that are a part of a character. A
 *     control token's is the way it is written
 * @param logprob the natural logarithm of the probability that the model gave it, before anything
 *     of {@link Sampling} changed that: a token that was certain after it can have a low one
 * @param alternatives the most probable tokens in its place, most probable first, as many as were
 *     asked for; it is among them if it is one. Theirs are empty
 */
public record TokenLogprob(int id, String text, float logprob, List<TokenLogprob> alternatives) {
  public TokenLogprob {
    Objects.requireNonNull(text, "text");
    alternatives = List.copyOf(alternatives);
  }
}
