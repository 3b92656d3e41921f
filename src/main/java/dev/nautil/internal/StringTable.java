package dev.nautil.internal;

import java.nio.charset.StandardCharsets;

/**
 * Many strings in one array, as GGUF holds a vocabulary.
 *
 * @param bytes all strings one after another, UTF-8 as a rule; not copied
 * @param offsets {@code size() + 1} ascending positions in {@code bytes}; not copied
 */
public record StringTable(byte[] bytes, int[] offsets) {

  public int size() {
    return offsets.length - 1;
  }

  /** String {@code index}; what is not UTF-8 becomes U+FFFD. */
  public String get(int index) {
    int start = offsets[index];
    return new String(bytes, start, offsets[index + 1] - start, StandardCharsets.UTF_8);
  }
}
