package dev.nautil.engine;

import java.util.Arrays;
import java.util.List;

/**
 * Lets a generation wait while another one reads what both prompts begin with, so that many that
 * come at once with the same system prompt read it once.
 */
final class SharedPrefix {
  /** Tokens that are worth waiting for: a page of the KV cache, which sequences can share. */
  private static final int WORTH_WAITING = 64;

  private SharedPrefix() {}

  /**
   * Whether more of the prompt will soon be in the KV cache than is now.
   *
   * <p>A generation waits for one that has its place, and ends to wait when that one has read the
   * common part or has ended; it waits again only for a longer part. So each wait comes to an end.
   * A text that is embedded shares nothing: its hidden states are wanted, and it leaves no keys.
   * What goes on from keys of a file leaves none for others.
   */
  static boolean isBeingRead(Generation generation, List<Generation> active, List<Slot> slots) {
    Generation reader = generation.prefixReader;
    if (reader != null && active.contains(reader) && reader.promptDone < generation.prefixLength) {
      return true;
    }
    generation.prefixReader = null;
    if (generation.pooler != null) {
      return false;
    }
    int[] prompt = generation.request.prompt();
    RestoredKv restored = generation.request.restored();
    int cached =
        slots.stream().mapToInt(slot -> slot.commonPrefix(prompt, restored)).max().orElse(0);
    int longest = cached + WORTH_WAITING - 1;
    for (Generation other : active) {
      RestoredKv others = other.request.restored();
      boolean leaves = other.pooler == null && (others == null || others == restored);
      boolean reads = leaves && !other.isPromptDone();
      int common = reads ? commonPrefix(prompt, other.request.prompt()) : 0;
      if (common > longest) {
        longest = common;
        generation.prefixReader = other;
        generation.prefixLength = common;
      }
    }
    return generation.prefixReader != null;
  }

  private static int commonPrefix(int[] a, int[] b) {
    int mismatch = Arrays.mismatch(a, b);
    return mismatch < 0 ? a.length : mismatch;
  }
}
