package dev.nautil.engine;

import org.jspecify.annotations.Nullable;

/**
 * The step under way, for those who think of interrupting it: that loses its work, so that it is
 * worth it only if nobody else is in it, or if it is a long one. Guarded by the engine's lock.
 */
final class RunningStep {
  private @Nullable Batch batch;
  private boolean isLong;
  private long expectedEnd;

  /**
   * @param isLong whether it was made long because nobody waited
   * @param seconds that it is expected to take from now on
   */
  void begin(Batch batch, boolean isLong, double seconds) {
    this.batch = batch;
    this.isLong = isLong;
    expectedEnd = System.nanoTime() + (long) (seconds * 1e9);
  }

  void end() {
    batch = null;
  }

  boolean isOnlyFor(Generation generation) {
    return batch != null && batch.isOnlyFor(generation);
  }

  /** Whether it is a long one that is expected to go on for more than so many seconds. */
  boolean isLongerThan(double seconds) {
    return batch != null && isLong && expectedEnd - System.nanoTime() > seconds * 1e9;
  }
}
