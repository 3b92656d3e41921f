package dev.nautil.internal;

/**
 * What a GGUF file is made of.
 *
 * @param version of GGUF
 * @param parts files of a split model, else 1
 * @param alignment of tensors in the file, in bytes
 * @param fileBytes of all parts
 * @param tensorBytes of all tensors, without padding
 */
public record FileInfo(
    int version,
    int parts,
    long alignment,
    long metadataCount,
    long tensorCount,
    long fileBytes,
    long tensorBytes) {}
