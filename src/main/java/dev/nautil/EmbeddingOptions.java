package dev.nautil;

import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How texts are embedded. Immutable: each method gives a changed copy. */
public final class EmbeddingOptions {
  static final EmbeddingOptions DEFAULTS = new EmbeddingOptions(null, true, false);

  private final @Nullable Pooling pooling;
  private final boolean normalized;
  private final boolean truncated;

  private EmbeddingOptions(@Nullable Pooling pooling, boolean normalized, boolean truncated) {
    this.pooling = pooling;
    this.normalized = normalized;
    this.truncated = truncated;
  }

  /**
   * How the tokens' states become one vector. The default is what the model's file declares (GGUF's
   * key {@code <architecture>.pooling_type}), and {@link Pooling#MEAN} where it declares none:
   * models that were trained for embeddings say what they need, and of others the mean tells most.
   */
  public EmbeddingOptions pooling(Pooling pooling) {
    return new EmbeddingOptions(Objects.requireNonNull(pooling, "pooling"), normalized, truncated);
  }

  /** Leaves vectors as long as they come; by default their Euclidean length is 1. */
  public EmbeddingOptions withoutNormalization() {
    return new EmbeddingOptions(pooling, false, truncated);
  }

  /**
   * Embeds of a text that is too long for the context as much of its beginning as fits; by default
   * such a text is refused.
   */
  public EmbeddingOptions truncate() {
    return new EmbeddingOptions(pooling, normalized, true);
  }

  /** The pooling that was chosen; empty: the file's. */
  public Optional<Pooling> pooling() {
    return Optional.ofNullable(pooling);
  }

  /** Whether vectors have length 1. */
  public boolean isNormalized() {
    return normalized;
  }

  /** Whether a text that is too long is cut. */
  public boolean isTruncated() {
    return truncated;
  }
}
