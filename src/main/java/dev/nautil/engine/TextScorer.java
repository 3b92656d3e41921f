package dev.nautil.engine;

import dev.nautil.ContextFullException;
import dev.nautil.TokenLogprob;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.NativeContext;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * How probable a model finds a text, token by token, each text in a context of its own.
 * Thread-safe.
 */
public final class TextScorer {
  /** Tokens at a time: a row of logits each, of half a megabyte where the vocabulary is large. */
  private static final int STEP = 64;

  private final LoadedModel model;
  private final ContextParams params;

  /**
   * @param params of each text's context; its length is how many tokens a text can have
   */
  public TextScorer(LoadedModel model, ContextParams params) {
    this.model = model;
    this.params = params;
  }

  /**
   * The log-probability of each token after the first.
   *
   * @throws ContextFullException if the tokens do not fit
   */
  public List<TokenLogprob> score(int[] tokens, int alternatives) {
    int read = tokens.length - 1; // nothing follows the last one
    int contextLength = params.contextLength();
    if (read > contextLength) {
      throw new ContextFullException(
          "the text has " + read + " tokens to read; the context has room for " + contextLength,
          0,
          read,
          contextLength);
    }
    List<TokenLogprob> scores = new ArrayList<>();
    if (read <= 0) {
      return scores;
    }
    int told = Math.min(alternatives, model.model().info().vocabularySize());
    try (NativeContext context = model.newContext(params)) {
      for (int start = 0; start < read; start += STEP) {
        int n = Math.min(STEP, read - start);
        decode(context, Arrays.copyOfRange(tokens, start, start + n), start);
        for (int i = 0; i < n; i++) {
          Logprobs score = Logprobs.of(context, i, tokens[start + i + 1], told);
          scores.add(score.withText(model.samplers()));
        }
      }
    }
    return scores;
  }

  private static void decode(NativeContext context, int[] tokens, int start) {
    int[] positions = new int[tokens.length];
    Arrays.setAll(positions, i -> start + i);
    byte[] wantsLogits = new byte[tokens.length];
    Arrays.fill(wantsLogits, (byte) 1);
    context.decode(tokens, new int[tokens.length], positions, wantsLogits, null);
  }
}
