package dev.nautil;

import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** How a model is opened. Immutable: each method gives a changed copy. */
public final class ModelOptions {
  static final ModelOptions DEFAULTS = new ModelOptions(0, 0, false, KvCacheType.F16, 1024, null);

  private final int contextSize;
  private final int threads;
  private final boolean copyIntoMemory;
  private final KvCacheType kvCacheType;
  private final int maxWaiting;
  private final @Nullable Consumer<LoadProgress> onProgress;

  private ModelOptions(
      int contextSize,
      int threads,
      boolean copyIntoMemory,
      KvCacheType kvCacheType,
      int maxWaiting,
      @Nullable Consumer<LoadProgress> onProgress) {
    this.contextSize = contextSize;
    this.threads = threads;
    this.copyIntoMemory = copyIntoMemory;
    this.kvCacheType = kvCacheType;
    this.maxWaiting = maxWaiting;
    this.onProgress = onProgress;
  }

  /**
   * How far the opening of a model is.
   *
   * @param done bytes of the file that are in memory
   * @param total bytes of the file
   */
  public record LoadProgress(long done, long total) {}

  /**
   * Tokens that a conversation can have. 0, the default: the model's own limit, as far as the
   * memory that is free now allows; {@link Model#describe} tells what came of it. A long context
   * costs memory only as it fills, but opening fails with {@link NotEnoughMemoryException} if a
   * full one would take more than is free now.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public ModelOptions contextSize(int tokens) {
    if (tokens < 0) {
      throw new IllegalArgumentException(
          "contextSize is " + tokens + "; it must be 0 (the model's own) or more");
    }
    return new ModelOptions(tokens, threads, copyIntoMemory, kvCacheType, maxWaiting, onProgress);
  }

  /**
   * Threads that compute. 0, the default: as many as the process may run at once.
   *
   * @throws IllegalArgumentException if it is negative or above 1024
   */
  public ModelOptions threads(int threads) {
    if (threads < 0 || threads > 1024) {
      throw new IllegalArgumentException(
          "threads is " + threads + "; it must be 0 (as many as there are) to 1024");
    }
    return new ModelOptions(
        contextSize, threads, copyIntoMemory, kvCacheType, maxWaiting, onProgress);
  }

  /**
   * Reads the file into memory instead of mapping it. Opening takes longer and no memory is shared
   * with other processes, but the file may then be changed or truncated while the model is open.
   */
  public ModelOptions copyIntoMemory() {
    return new ModelOptions(contextSize, threads, true, kvCacheType, maxWaiting, onProgress);
  }

  /**
   * How keys and values are kept; {@link KvCacheType#F16} is the default. With {@link
   * KvCacheType#Q8_0} a context takes about half the memory, or is twice as long in the same.
   * Opening fails with {@link UnsupportedModelException} where the model's heads do not allow it.
   */
  public ModelOptions kvCacheType(KvCacheType type) {
    return new ModelOptions(
        contextSize,
        threads,
        copyIntoMemory,
        Objects.requireNonNull(type, "type"),
        maxWaiting,
        onProgress);
  }

  /**
   * Requests that may wait while every place is taken; 1024 if it is not said. One more is refused
   * with a {@link BusyException}. A model has 16 places: so many replies are generated at once.
   *
   * @param requests 0 or more; with 0, what cannot begin at once is refused
   * @throws IllegalArgumentException if it is negative
   */
  public ModelOptions maxWaiting(int requests) {
    if (requests < 0) {
      throw new IllegalArgumentException(
          "maxWaiting is " + requests + "; it must be 0 (nothing waits) or more");
    }
    return new ModelOptions(
        contextSize, threads, copyIntoMemory, kvCacheType, requests, onProgress);
  }

  /**
   * Reads the whole file while the model is opened, instead of when a part of it is first needed,
   * and tells how far it is. The consumer is called on the thread that opens the model; what it
   * throws ends the opening.
   */
  public ModelOptions onProgress(Consumer<LoadProgress> consumer) {
    return new ModelOptions(
        contextSize,
        threads,
        copyIntoMemory,
        kvCacheType,
        maxWaiting,
        Objects.requireNonNull(consumer, "consumer"));
  }

  public int contextSize() {
    return contextSize;
  }

  public int threads() {
    return threads;
  }

  public boolean isCopiedIntoMemory() {
    return copyIntoMemory;
  }

  public KvCacheType kvCacheType() {
    return kvCacheType;
  }

  public int maxWaiting() {
    return maxWaiting;
  }

  @Nullable Consumer<LoadProgress> progress() {
    return onProgress;
  }
}
