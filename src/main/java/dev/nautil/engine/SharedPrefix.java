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
    int[] prompt = generation.text();
    RestoredKv restored = generation.request.restored();
    int cached =
        slots.stream().mapToInt(slot -> slot.commonPrefix(prompt, restored)).max().orElse(0);
    int longest = cached + WORTH_WAITING - 1;
    for (Generation other : active) {
      int common = other.isPromptDone() ? 0 : length(generation, other);
      if (common > longest) {
        longest = common;
        generation.prefixReader = other;
        generation.prefixLength = common;
      }
    }
    return generation.prefixReader != null;
  }

  /** How many tokens of its text a generation can have from another one that reads it or did. */
  static int length(Generation generation, Generation other) {
    RestoredKv others = other.request.restored();
    boolean leaves = others == null || others == generation.request.restored();
    if (!leaves || generation.pooler != null || other.pooler != null) {
      return 0;
    }
    int[] text = generation.text();
    int mismatch = Arrays.mismatch(text, other.text());
    return mismatch < 0 ? text.length : mismatch;
  }
}
