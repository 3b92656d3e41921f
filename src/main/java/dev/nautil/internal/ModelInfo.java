package dev.nautil.internal;

/**
 * The shape of a model.
 *
 * @param contextLength tokens that it was trained for
 * @param weightBytes in the file
 * @param hasFloatWeights whether a matrix is F32, F16 or BF16, so that a BLAS helps
 */
public record ModelInfo(
    int vocabularySize,
    int contextLength,
    int embeddingLength,
    int layers,
    int heads,
    int kvHeads,
    int headDim,
    int feedForwardLength,
    float ropeTheta,
    float rmsEpsilon,
    long parameters,
    long weightBytes,
    boolean hasFloatWeights) {}
