package dev.nautil.cli;

import dev.nautil.engine.LoadedModel;
import dev.nautil.internal.ModelInfo;
import dev.nautil.internal.NativePool;
import dev.nautil.internal.TensorInfo;
import java.util.List;

/**
 * What a step has to read and to multiply at the least, and the machine's limits for that.
 *
 * <p>Bytes: every weight once for each pass over them (a pass takes up to n_batch tokens), and once
 * what the KV cache held before each pass of a sequence; tokens that sequences share, once. The
 * embeddings of the tokens are not counted where the output head has weights of its own.
 *
 * <p>Multiply-adds: those of matrix products; the output head's only for tokens whose logits are
 * wanted; attention's are not counted.
 */
record Work(long tokens, double bytes, double multiplyAdds) {

  /** What the machine can do, measured in this process. */
  record Limits(double bytesPerSecond, double multiplyAddsPerSecond) {
    static Limits measure(NativePool pool) {
      return new Limits(pool.measureBandwidth(), pool.measureDot());
    }

    /** The least time in which this machine can read and multiply so much. */
    double seconds(double bytes, double multiplyAdds) {
      return Math.max(bytes / bytesPerSecond, multiplyAdds / multiplyAddsPerSecond);
    }

    /** Tokens a second that no program on this machine can exceed. */
    double tokensPerSecond(Work work) {
      return work.tokens / seconds(work.bytes, work.multiplyAdds);
    }
  }

  /**
   * A model's share in it.
   *
   * @param bytes of the weights that a pass reads
   * @param multiplyAdds of a token, without the output head's
   * @param headMultiplyAdds of a token whose logits are wanted
   * @param kvBytes of a token in the KV cache
   * @param passTokens that a pass over the weights takes
   */
  record Costs(long bytes, long multiplyAdds, long headMultiplyAdds, long kvBytes, int passTokens) {

    static Costs of(LoadedModel model, long kvBytes, int passTokens) {
      List<TensorInfo> tensors = model.file().tensors();
      boolean tied = tensors.stream().noneMatch(tensor -> tensor.name().equals("output.weight"));
      long bytes = 0;
      long matrices = 0;
      for (TensorInfo tensor : tensors) {
        if (tensor.name().equals("token_embd.weight") && !tied) {
          continue;
        }
        bytes += tensor.bytes();
        matrices += tensor.shape().length > 1 ? tensor.elements() : 0;
      }
      ModelInfo info = model.model().info();
      long head = (long) info.vocabularySize() * info.embeddingLength();
      return new Costs(bytes, matrices - head, head, kvBytes, passTokens);
    }

    /** Reads {@code n} tokens of a prompt behind {@code depth} others. */
    Work prefill(int n, int depth) {
      double read = 0;
      for (int done = 0; done < n; done += passTokens) {
        read += bytes + (double) kvBytes * (depth + done);
      }
      return new Work(n, read, (double) multiplyAdds * n + headMultiplyAdds);
    }

    /**
     * Generates {@code n} tokens in each of {@code batch} sequences behind {@code depth} others.
     *
     * @param shared whether the sequences share those others
     */
    Work decode(int n, int batch, int depth, boolean shared) {
      double before = (double) depth * (shared ? Math.min(1, batch) : batch);
      double own = batch * (n - 1) / 2.0;
      double read = n * (bytes + kvBytes * (before + own));
      long tokens = (long) n * batch;
      return new Work(tokens, read, (double) tokens * (multiplyAdds + headMultiplyAdds));
    }
  }
}
