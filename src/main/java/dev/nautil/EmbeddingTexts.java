package dev.nautil;

import dev.nautil.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;

/** Texts on their way to an engine that embeds them, and what comes back. */
final class EmbeddingTexts {
  private final Tokenizer tokenizer;
  private final int contextSize;
  private final boolean truncate;

  EmbeddingTexts(Tokenizer tokenizer, int contextSize, boolean truncate) {
    this.tokenizer = tokenizer;
    this.contextSize = contextSize;
    this.truncate = truncate;
  }

  List<int[]> encode(List<String> texts) {
    List<int[]> encoded = new ArrayList<>(texts.size());
    for (int i = 0; i < texts.size(); i++) {
      encoded.add(encode(texts.get(i), texts.size() == 1 ? "the text" : "text " + i));
    }
    return encoded;
  }

  private int[] encode(String text, String name) {
    int[] content = tokenizer.encode(MalformedTextException.check(name, text));
    if (content.length == 0) {
      throw new IllegalArgumentException(name + " is empty");
    }
    int before = tokenizer.addBos() ? 1 : 0;
    int after = tokenizer.addEos() ? 1 : 0;
    int wanted = before + content.length + after;
    if (wanted > contextSize && !truncate) {
      throw new ContextFullException(
          name
              + " has "
              + wanted
              + " tokens; the context has room for "
              + contextSize
              + ": split the text, or let it be truncated",
          0,
          wanted,
          contextSize);
    }
    int kept = Math.max(0, Math.min(content.length, contextSize - before - after));
    int[] tokens = new int[before + kept + after];
    System.arraycopy(content, 0, tokens, before, kept);
    if (before == 1) {
      tokens[0] = tokenizer.bos();
    }
    if (after == 1) {
      tokens[tokens.length - 1] = tokenizer.eos();
    }
    return tokens;
  }

  /**
   * Pooled states as they are given to the user.
   *
   * @param normalized divides them by their Euclidean length, unless that is 0
   */
  static float[] vector(double[] values, boolean normalized) {
    double squares = 0;
    for (double value : values) {
      squares += value * value;
    }
    double length = normalized && squares > 0 ? Math.sqrt(squares) : 1;
    float[] vector = new float[values.length];
    for (int i = 0; i < vector.length; i++) {
      vector[i] = (float) (values[i] / length);
    }
    return vector;
  }
}
