package dev.nautil.internal;

import dev.nautil.internal.bindings.NtSampling;
import java.nio.ByteBuffer;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/** How each row of a batch is sampled. Not thread-safe; made once and filled again each step. */
public final class SamplingBatch {
  private static final int SIZE = Struct.size(NtSampling.class);
  private static final int COUNTER = Struct.offset(NtSampling.class, "counter");
  private static final int MIROSTAT_MU = Struct.offset(NtSampling.class, "mirostat_mu");

  private final ByteBuffer memory;
  private final NtSampling pointer;

  /** Keeps the memory that the structs point to, until the next step. */
  private final @Nullable SamplingRow[] rows;

  /**
   * @param capacity rows
   */
  public SamplingBatch(int capacity) {
    memory = Struct.buffer(Math.multiplyExact(capacity, SIZE));
    pointer = new NtSampling(new Pointer(memory));
    rows = new SamplingRow[capacity];
  }

  public int capacity() {
    return rows.length;
  }

  /**
   * Sets how row {@code index} of the batch is sampled.
   *
   * @param counter different for each draw of a generation: the position of the token
   */
  public void set(int index, SamplingRow row, long counter) {
    rows[index] = row;
    memory.put(index * SIZE, row.memory, 0, SIZE).putLong(index * SIZE + COUNTER, counter);
  }

  /** Gives the first rows what sampling them changed. */
  void update(int count) {
    for (int i = 0; i < count; i++) {
      double mu = memory.getDouble(i * SIZE + MIROSTAT_MU);
      rows[i].memory.putDouble(MIROSTAT_MU, mu);
    }
  }

  NtSampling pointer() {
    return pointer;
  }
}
