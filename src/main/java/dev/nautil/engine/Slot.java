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

  /** Whose tokens were added last; null if it is not known. */
  @Nullable Object conversation;

  /** Where the tokens' keys and values came from, if it was a file. */
  @Nullable RestoredKv restored;

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
    if (length == 0) {
      conversation = null;
      restored = null;
    }
  }

  void append(int token) {
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, 2 * length);
    }
    tokens[length++] = token;
  }

  /** Not a copy, and longer than what the slot holds. */
  int[] tokens() {
    return tokens;
  }

  /**
   * Makes this slot hold the first {@code n} of some tokens, which are copied.
   *
   * @param origin of their keys and values
   */
  void hold(int[] others, int n, @Nullable RestoredKv origin) {
    restored = origin;
    tokens = Arrays.copyOf(others, Math.max(n, 256));
    length = n;
  }

  /**
   * How many tokens it shares with the start of a prompt.
   *
   * @param restored what the prompt may go on from besides what was computed
   */
  int commonPrefix(int[] prompt, @Nullable RestoredKv restored) {
    if (this.restored != null && this.restored != restored) {
      return 0;
    }
    int mismatch = Arrays.mismatch(tokens, 0, length, prompt, 0, prompt.length);
    return mismatch < 0 ? length : mismatch;
  }
}
