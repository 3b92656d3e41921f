package dev.nautil;

/**
 * What a model is, and how it was opened.
 *
 * @param name as the file gives it, or the file's name
 * @param architecture such as "llama"
 * @param quantization the file's own label, such as "Q4_K_M"
 * @param parameters number of weights
 * @param fileBytes size of the file, or of all files of a split model
 * @param vocabulary tokens
 * @param layers transformer blocks
 * @param embedding width of the residual stream
 * @param heads query heads
 * @param kvHeads heads of keys and values
 * @param trainedContext tokens that the model was trained for
 * @param contextSize tokens that a conversation can have here
 * @param kvBytesPerToken memory that each token of a conversation takes
 * @param kvCacheType how those bytes hold keys and values
 * @param hasChatTemplate whether the file says how a conversation is written
 * @param threads that compute
 * @param instructionSet that the kernels use, such as "avx512_vnni"
 */
public record ModelDescription(
    String name,
    String architecture,
    String quantization,
    long parameters,
    long fileBytes,
    int vocabulary,
    int layers,
    int embedding,
    int heads,
    int kvHeads,
    int trainedContext,
    int contextSize,
    long kvBytesPerToken,
    KvCacheType kvCacheType,
    boolean hasChatTemplate,
    int threads,
    String instructionSet) {}
