package dev.nautil.tokenizer;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * Many byte strings in one array: string {@code i} is the bytes from {@code offsets[i]} to {@code
 * offsets[i + 1]}.
 *
 * <p>A vocabulary has 10<sup>5</sup> strings; as objects they would take several times the memory,
 * and cross from native code one by one.
 *
 * <p>Immutable and thread-safe.
 */
public final class StringTable {
  private final byte[] bytes;
  private final int[] offsets;

  /**
   * A table over the given arrays, which it keeps: the caller must not change them afterwards.
   *
   * @param offsets one more than there are strings; ascending, within {@code bytes}
   * @throws IllegalArgumentException if the offsets are not as described
   */
  public StringTable(byte[] bytes, int[] offsets) {
    if (offsets.length == 0) {
      throw new IllegalArgumentException("no offsets: a table of n strings has n + 1");
    }
    int previous = 0;
    for (int offset : offsets) {
      if (offset < previous || offset > bytes.length) {
        throw new IllegalArgumentException(
            "offset " + offset + " is not ascending within " + bytes.length + " bytes");
      }
      previous = offset;
    }
    this.bytes = bytes;
    this.offsets = offsets;
  }

  /** A table of the strings in UTF-8. */
  public static StringTable of(List<String> strings) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    int[] offsets = new int[strings.size() + 1];
    for (int i = 0; i < strings.size(); i++) {
      bytes.writeBytes(strings.get(i).getBytes(StandardCharsets.UTF_8));
      offsets[i + 1] = bytes.size();
    }
    return new StringTable(bytes.toByteArray(), offsets);
  }

  /** Number of strings. */
  public int size() {
    return offsets.length - 1;
  }

  /** The bytes of one string; a copy. */
  public byte[] get(int index) {
    return Arrays.copyOfRange(bytes, start(index), end(index));
  }

  /** One string decoded from UTF-8, with U+FFFD where it is not UTF-8. */
  public String string(int index) {
    Utf8Decoder decoder = new Utf8Decoder();
    StringBuilder out = new StringBuilder();
    decoder.accept(bytes, start(index), end(index), out);
    decoder.finish(out);
    return out.toString();
  }

  /** The array behind all strings, not a copy. */
  public byte[] bytes() {
    return bytes;
  }

  /** Where a string starts in {@link #bytes}. */
  public int start(int index) {
    return offsets[index];
  }

  /** Where a string ends in {@link #bytes}. */
  public int end(int index) {
    return offsets[index + 1];
  }
}
