package dev.nautil.internal;

import dev.nautil.KvCacheType;

/**
 * What a context is made with; 0 is the core's default.
 *
 * @param contextLength tokens that a sequence may hold; 0: the model's own, as far as memory allows
 * @param sequences 0: one
 * @param batchSize tokens that one pass over the weights takes; 0: 512
 * @param exact F32 arithmetic throughout: slow, for tests
 * @param overcommit makes the context even if it does not fit into memory
 * @param kvType how keys and values are kept
 * @param blas whether OpenBLAS may multiply F32, F16 and BF16 weights, where it is there
 * @param kvCapacity tokens that all sequences together may hold; 0: as far as memory allows.
 *     Another value is taken as it is, whatever the memory
 */
public record ContextParams(
    int contextLength,
    int sequences,
    int batchSize,
    boolean exact,
    boolean overcommit,
    KvCacheType kvType,
    boolean blas,
    long kvCapacity) {

  public static final ContextParams DEFAULT =
      new ContextParams(0, 0, 0, false, false, KvCacheType.F16, true);

  /** With as much room for tokens as memory has. */
  public ContextParams(
      int contextLength,
      int sequences,
      int batchSize,
      boolean exact,
      boolean overcommit,
      KvCacheType kvType,
      boolean blas) {
    this(contextLength, sequences, batchSize, exact, overcommit, kvType, blas, 0);
  }

  /** The same with another length. */
  public ContextParams contextLength(int tokens) {
    return new ContextParams(
        tokens, sequences, batchSize, exact, overcommit, kvType, blas, kvCapacity);
  }
}
