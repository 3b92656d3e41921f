package dev.nautil.internal;

/**
 * A tensor of a GGUF file.
 *
 * @param type GGUF's number, for {@link Native#typeName}
 * @param shape values in each of its dimensions, the length of a row first; not copied
 * @param part which file of a split model, from 0
 * @param offset bytes from the start of that file
 */
public record TensorInfo(String name, int type, long[] shape, int part, long offset, long bytes) {

  /** Number of values. */
  public long elements() {
    long n = 1;
    for (long length : shape) {
      n *= length;
    }
    return n;
  }
}
