package dev.nautil.engine;

import dev.nautil.Sampling;
import dev.nautil.internal.SamplingRow;
import dev.nautil.tokenizer.Tokenizer;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.ThreadLocalRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Gives samplings that are said in texts the tokens of one model. Thread-safe. */
public final class Samplers {
  private record Breakers(List<String> texts, LongBuffer tokens) {}

  private final Tokenizer tokenizer;
  private final int vocabularySize;
  private final int[] xtcExempt;

  /** The last ones asked for: finding them looks at every token. */
  private volatile @Nullable Breakers breakers;

  /**
   * @param vocabularySize the model's, which may have tokens that the tokenizer does not
   */
  public Samplers(Tokenizer tokenizer, int vocabularySize) {
    this.tokenizer = tokenizer;
    this.vocabularySize = vocabularySize;
    int[] ends = tokenizer.endOfGeneration();
    xtcExempt = IntStream.concat(Arrays.stream(ends), lastToken("\n")).toArray();
  }

  public int vocabularySize() {
    return vocabularySize;
  }

  /**
   * How a generation after a prompt is sampled.
   *
   * @throws IllegalArgumentException if a biased token is not in the vocabulary
   */
  public SamplingRow row(Sampling sampling, int[] prompt) {
    check(sampling);
    long seed = sampling.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong());
    LongBuffer breakers =
        sampling.dry().map(dry -> breakers(dry.breakers()).duplicate()).orElse(null);
    return new SamplingRow(sampling, seed, prompt, breakers, xtcExempt);
  }

  /**
   * @throws IllegalArgumentException if a biased token is not in the vocabulary
   */
  public void check(Sampling sampling) {
    for (int token : sampling.logitBias().keySet()) {
      if (token >= vocabularySize) {
        throw new IllegalArgumentException(
            "a logit bias is for token " + token + "; this model has " + vocabularySize);
      }
    }
  }

  /** A bit for each token that a repetition does not reach over. */
  LongBuffer breakers(List<String> texts) {
    Breakers found = breakers;
    if (found == null || !found.texts.equals(texts)) {
      // Two threads may look for them at once, which gives the same.
      found = new Breakers(texts, findBreakers(texts));
      breakers = found;
    }
    return found.tokens;
  }

  private LongBuffer findBreakers(List<String> texts) {
    int words = (vocabularySize + 63) / 64;
    LongBuffer mask =
        ByteBuffer.allocateDirect(words * Long.BYTES).order(ByteOrder.nativeOrder()).asLongBuffer();
    for (int id = 0; id < tokenizer.size(); id++) {
      String piece = tokenizer.pieces().string(id);
      if (texts.stream().anyMatch(piece::contains)) {
        set(mask, id);
      }
    }
    for (String text : texts) {
      // After another character, since a tokenizer may put a space before a text.
      lastToken("a" + text).forEach(token -> set(mask, token));
    }
    return mask;
  }

  /** Empty if the vocabulary has none for the text. */
  private IntStream lastToken(String text) {
    int[] tokens = tokenizer.encode(text);
    return Arrays.stream(tokens).skip(Math.max(0, tokens.length - 1));
  }

  private static void set(LongBuffer mask, int id) {
    mask.put(id / 64, mask.get(id / 64) | 1L << id);
  }

  /** What a token puts into a text, U+FFFD where that is a part of a character. */
  public String text(int id) {
    return id < tokenizer.size() ? new String(tokenizer.piece(id), StandardCharsets.UTF_8) : "";
  }
}
