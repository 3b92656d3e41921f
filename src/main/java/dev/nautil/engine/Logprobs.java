package dev.nautil.engine;

import dev.nautil.TokenLogprob;
import dev.nautil.internal.NativeContext;
import java.util.ArrayList;
import java.util.List;

/**
 * The log-probability of a token, and of the most probable ones in its place.
 *
 * @param topIds most probable first
 */
public record Logprobs(int id, float logprob, int[] topIds, float[] topLogprobs) {
  /** Of the token in a row of the last decode. */
  static Logprobs of(NativeContext context, int row, int id, int alternatives) {
    float logprob = context.tokenLogprobs(new int[] {row}, new int[] {id})[0];
    int[] topIds = new int[alternatives];
    float[] topLogprobs = new float[alternatives];
    if (alternatives > 0) {
      context.topLogprobs(row, topIds, topLogprobs);
    }
    return new Logprobs(id, logprob, topIds, topLogprobs);
  }

  /** With the tokens' texts. */
  public TokenLogprob withText(Samplers samplers) {
    List<TokenLogprob> alternatives = new ArrayList<>(topIds.length);
    for (int i = 0; i < topIds.length; i++) {
      alternatives.add(
          new TokenLogprob(topIds[i], samplers.text(topIds[i]), topLogprobs[i], List.of()));
    }
    return new TokenLogprob(id, samplers.text(id), logprob, alternatives);
  }
}
