package dev.nautil.engine;

import dev.nautil.KvCacheType;
import dev.nautil.MemoryEstimate;
import dev.nautil.NotEnoughMemoryException;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.NativeFile;
import dev.nautil.internal.Sizes;
import java.nio.file.Path;
import java.util.Locale;

/** Refuses what does not fit into memory before any of it is taken. */
final class MemoryCheck {
  private MemoryCheck() {}

  /**
   * Requires that a context of the file's model fits, unless it need not.
   *
   * @param threads 0: as many as the process may run at once
   * @param copy whether the weights are yet to be read into memory
   * @throws NotEnoughMemoryException with the numbers, and what to do
   */
  static void require(NativeFile file, int threads, ContextParams params, boolean copy) {
    if (params.overcommit()) {
      return;
    }
    MemoryEstimate estimate = file.estimate(threads, params, copy);
    if (!estimate.fits()) {
      throw new NotEnoughMemoryException(message(file.path(), estimate));
    }
  }

  private static String message(Path file, MemoryEstimate estimate) {
    return String.format(
        Locale.ROOT,
        "%s takes %s of weights, %s of KV cache for %,d tokens and %s of working memory; there are"
            + " %s of memory, of which %s are available. Use %s%sa file of a smaller quantisation;"
            + " or let it be opened all the same, and slow (ModelOptions.allowOvercommit,"
            + " --overcommit)",
        file,
        Sizes.brief(estimate.weightBytes()),
        Sizes.brief(estimate.kvCacheBytes()),
        estimate.contextSize(),
        Sizes.brief(estimate.workingBytes()),
        Sizes.brief(estimate.physicalBytes()),
        Sizes.brief(estimate.availableBytes()),
        smallerContext(estimate),
        estimate.kvCacheType() == KvCacheType.F16
            ? "KvCacheType.Q8_0 (--kv-type q8_0), which halves the KV cache, or "
            : "");
  }

  private static String smallerContext(MemoryEstimate estimate) {
    int fits = estimate.largestContext();
    return fits > 0 && fits < estimate.contextSize()
        ? String.format(
            Locale.ROOT,
            "a smaller context (ModelOptions.contextSize, --ctx-size: up to %d tokens fit), ",
            fits)
        : "";
  }
}
