package dev.nautil.engine;

import dev.nautil.internal.CancelFlag;
import dev.nautil.internal.NativeContext;
import java.util.ArrayList;
import java.util.List;

/** The tokens of one step. */
final class Batch {
  private record Entry(Generation generation, int token, int position, byte want) {}

  private final List<Entry> entries = new ArrayList<>();
  private int logitsRows;
  private int hiddenRows;

  int size() {
    return entries.size();
  }

  /**
   * Adds the token that comes next in the generation's slot.
   *
   * @param want what of it is wanted; see {@link NativeContext#decode}
   */
  void add(Generation generation, int token, byte want) {
    int last = entries.size() - 1;
    boolean continues = last >= 0 && entries.get(last).generation == generation;
    int position = continues ? entries.get(last).position + 1 : generation.slot.length();
    entries.add(new Entry(generation, token, position, want));
    if (want == NativeContext.WANT_LOGITS) {
      generation.row = logitsRows++;
    } else if (want == NativeContext.WANT_HIDDEN && generation.pooler != null) {
      generation.pooler.addRow(hiddenRows++);
    }
  }

  boolean isOnlyFor(Generation generation) {
    return entries.stream().allMatch(entry -> entry.generation == generation);
  }

  double work(StepSize stepSize) {
    return entries.stream().mapToDouble(entry -> stepSize.work(entry.position)).sum();
  }

  void decode(Engine.Decoder decoder, CancelFlag cancel) {
    int n = entries.size();
    int[] tokens = new int[n];
    int[] sequences = new int[n];
    int[] positions = new int[n];
    byte[] want = new byte[n];
    for (int i = 0; i < n; i++) {
      Entry entry = entries.get(i);
      tokens[i] = entry.token;
      sequences[i] = entry.generation.slot.sequence;
      positions[i] = entry.position;
      want[i] = entry.want;
    }
    decoder.decode(tokens, sequences, positions, want, cancel);
  }

  /** The tokens are in the KV cache now. */
  void advance(long step) {
    for (int i = 0; i < entries.size(); i++) {
      Entry entry = entries.get(i);
      Generation generation = entry.generation;
      Slot slot = generation.slot;
      slot.append(entry.token);
      slot.lastUse = step;
      if (!generation.isPromptDone()) {
        generation.promptDone++;
        boolean last = i + 1 == entries.size() || entries.get(i + 1).generation != generation;
        if (last) {
          generation.tellPrompt();
        }
      }
    }
  }
}
