package dev.nautil.internal;

import dev.nautil.internal.bindings.NtSampling;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;

/** How each row of a batch is sampled. Not thread-safe; made once and filled again each step. */
public final class SamplingBatch {
  private static final int SIZE = Struct.size(NtSampling.class);
  private static final int TEMPERATURE = Struct.offset(NtSampling.class, "temperature");
  private static final int TOP_P = Struct.offset(NtSampling.class, "top_p");
  private static final int MIN_P = Struct.offset(NtSampling.class, "min_p");
  private static final int TOP_K = Struct.offset(NtSampling.class, "top_k");
  private static final int SEED = Struct.offset(NtSampling.class, "seed");
  private static final int COUNTER = Struct.offset(NtSampling.class, "counter");

  private final int capacity;
  private final ByteBuffer memory;
  private final NtSampling pointer;

  /**
   * @param capacity rows
   */
  public SamplingBatch(int capacity) {
    this.capacity = capacity;
    memory = Struct.buffer(Math.multiplyExact(capacity, SIZE));
    pointer = new NtSampling(new Pointer(memory));
  }

  public int capacity() {
    return capacity;
  }

  /**
   * Sets how row {@code index} of the batch is sampled: top-k, then top-p, then min-p, then a draw.
   *
   * @param temperature 0 takes the most probable token
   * @param topP 1: off
   * @param minP 0: off
   * @param topK 0: off
   * @param counter different for each draw of a generation: the position of the token
   */
  public void set(
      int index, float temperature, float topP, float minP, int topK, long seed, long counter) {
    int base = Math.multiplyExact(index, SIZE);
    memory
        .putFloat(base + TEMPERATURE, temperature)
        .putFloat(base + TOP_P, topP)
        .putFloat(base + MIN_P, minP)
        .putInt(base + TOP_K, topK)
        .putLong(base + SEED, seed)
        .putLong(base + COUNTER, counter);
  }

  NtSampling pointer() {
    return pointer;
  }
}
