package dev.nautil.internal;

/**
 * A context's limits and what it holds now.
 *
 * @param contextLength tokens that a sequence may hold
 * @param batchSize tokens that one pass over the weights takes
 * @param kvCapacity tokens that all sequences together may hold
 * @param kvBytesPerToken of all layers, keys and values
 * @param kvBytes allocated now
 * @param decodedTokens since the context was made
 */
public record ContextInfo(
    int contextLength,
    int sequences,
    int batchSize,
    int threads,
    long kvCapacity,
    long kvBytesPerToken,
    long kvBytes,
    long decodedTokens) {}
