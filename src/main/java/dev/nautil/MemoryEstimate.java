package dev.nautil;

/**
 * What a model takes in native memory with one conversation of a full context, and what there is.
 * The Java heap, in which the tokenizer lies, is not in it.
 *
 * @param contextSize tokens: as the options ask for, or what comes of their 0 on this machine now
 * @param kvCacheType how keys and values are kept
 * @param weightBytes of all tensors. They are mapped from the file, unless {@link
 *     ModelOptions#copyIntoMemory}: then they need not be free memory, but where they do not fit
 *     beside the rest, each token waits for the disk
 * @param kvCacheBytes of contextSize tokens, taken as they are filled
 * @param workingBytes that computing takes at most, in passes of 512 tokens with as many threads as
 *     the options say. Each reply that is generated at once with others takes a row of logits more
 * @param availableBytes that the process could still allocate without swapping
 * @param physicalBytes of the machine, or of the container where that has less
 * @param fits whether {@link Model#open} opens it without {@link ModelOptions#allowOvercommit}: KV
 *     cache and working memory (and weights that are copied) fit into what is available, and
 *     together with the weights into what there is
 * @param largestContext tokens that would fit, with a quarter of what is available left to others;
 *     may be more than the model was trained for. 0: not even 64
 */
public record MemoryEstimate(
    int contextSize,
    KvCacheType kvCacheType,
    long weightBytes,
    long kvCacheBytes,
    long workingBytes,
    long availableBytes,
    long physicalBytes,
    boolean fits,
    int largestContext) {
  /** Weights, KV cache and working memory together, in bytes. */
  public long totalBytes() {
    return weightBytes + kvCacheBytes + workingBytes;
  }
}
