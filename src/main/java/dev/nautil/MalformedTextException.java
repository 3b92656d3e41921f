package dev.nautil;

import dev.nautil.tokenizer.Utf8;
import java.util.Objects;

/**
 * A text that is not UTF-16: it has half of a surrogate pair without the other. A model reads
 * characters, and half of one is none; texts that were cut at any index, instead of between
 * characters, end like that.
 */
public class MalformedTextException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  private final int index;

  /**
   * @param what the text is
   * @param index of the half, in {@code char}s
   */
  public MalformedTextException(String what, int index) {
    super(what + " has half of a surrogate pair at index " + index);
    this.index = index;
  }

  /** Where the half is, in {@code char}s. */
  public int index() {
    return index;
  }

  /**
   * The text, if it is well-formed.
   *
   * @param what it is, for the message
   */
  static String check(String what, String text) {
    Objects.requireNonNull(text, what);
    int index = Utf8.loneSurrogate(text);
    if (index >= 0) {
      throw new MalformedTextException(what, index);
    }
    return text;
  }
}
