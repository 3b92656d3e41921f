package dev.nautil.cli;

import dev.nautil.engine.LoadedModel;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.NativeContext;
import dev.nautil.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.function.ObjIntConsumer;

/**
 * Perplexity by the protocol of llama.cpp's llama-perplexity.
 *
 * <p>The tokens are cut into windows, and what is left over is dropped. Each window is a sequence
 * of its own; where the model wants a BOS it replaces the window's first token. The logits at
 * positions n_ctx/2 to n_ctx − 2 are scored by the token that follows.
 */
final class Perplexity {
  /**
   * How it came out.
   *
   * @param nll sum of the negative natural log-probabilities of the tokens scored
   * @param scored how many those are
   * @param tokens of the whole text
   * @param windows that were scored
   * @param contextSize tokens of a window
   */
  record Result(double nll, long scored, int tokens, int windows, int contextSize) {
    double meanNll() {
      return nll / scored;
    }

    double perplexity() {
      return Math.exp(meanNll());
    }
  }

  private Perplexity() {}

  /**
   * Scores a text.
   *
   * @param tokens as many as a window has, at least
   * @param params of the context, which is as long as a window
   * @param progress told what the windows so far give, and how many there are
   */
  static Result measure(
      LoadedModel model, int[] tokens, ContextParams params, ObjIntConsumer<Result> progress) {
    int contextSize = params.contextLength();
    int windows = tokens.length / contextSize;
    Tokenizer tokenizer = model.tokenizer();
    Result result = new Result(0, 0, tokens.length, 0, contextSize);
    try (NativeContext context = model.newContext(params)) {
      for (int i = 0; i < windows; i++) {
        int[] window = Arrays.copyOfRange(tokens, i * contextSize, (i + 1) * contextSize);
        if (tokenizer.addBos()) {
          window[0] = tokenizer.bos();
        }
        result = add(result, score(context, window));
        progress.accept(result, windows);
      }
    }
    return result;
  }

  private static Result add(Result result, float[] logprobs) {
    double nll = result.nll;
    for (float logprob : logprobs) {
      nll -= logprob;
    }
    return new Result(
        nll,
        result.scored + logprobs.length,
        result.tokens,
        result.windows + 1,
        result.contextSize);
  }

  /** The log-probabilities of the tokens in the second half, but for its first. */
  private static float[] score(NativeContext context, int[] window) {
    int n = window.length;
    int first = n / 2;
    byte[] wantsLogits = new byte[n];
    Arrays.fill(wantsLogits, first, n - 1, (byte) 1);
    int[] positions = new int[n];
    Arrays.setAll(positions, i -> i);
    context.truncate(0, 0);
    context.decode(window, new int[n], positions, wantsLogits, null);
    int[] rows = new int[n - 1 - first];
    Arrays.setAll(rows, i -> i);
    return context.tokenLogprobs(rows, Arrays.copyOfRange(window, first + 1, n));
  }
}
