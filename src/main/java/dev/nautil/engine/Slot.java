package dev.nautil.engine;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/** A sequence of the KV cache, and which tokens it holds. The engine thread's alone. */
final class Slot {
  final int sequence;
  private int[] tokens = new int[256];
  private int length;

  /** Whose tokens are being added; null while nobody's are. */
  @Nullable Generation user;

  /** The step in which it was last used: the least is the first to be given up. */
  long lastUse;

  Slot(int sequence) {
    this.sequence = sequence;
  }

  int length() {
    return length;
  }

  void truncate(int n) {
    length = Math.min(length, n);
  }

  void append(int token) {
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * length);
    }
    tokens[length++] = token;
  }

  /** Makes this slot hold the first {@code n} tokens of another. */
  void copyFrom(Slot other, int n) {
    tokens = Arrays.copyOf(other.tokens, Math.max(n, 256));
    length = n;
  }

  /** How many tokens it shares with the start of a prompt. */
  int commonPrefix(int[] prompt) {
    int mismatch = Arrays.mismatch(tokens, 0, length, prompt, 0, prompt.length);
    return mismatch < 0 ? length : mismatch;
  }
}
