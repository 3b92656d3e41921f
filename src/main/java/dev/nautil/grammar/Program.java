package dev.nautil.grammar;

import java.util.BitSet;
import java.util.List;

/** A compiled grammar: frames, in an order in which those come first that call others at once. */
final class Program {
  final List<Frame> frames;
  final Frame root;

  /** Whether the empty text matches; whether another does. */
  final boolean matchesEmpty;

  final boolean matchesMore;

  /** By byte: its class. Bytes of one class lead to the same everywhere. */
  final int[] classOf = new int[256];

  /** By class: a byte of it. */
  final int[] byteOf;

  Program(List<Frame> frames, Frame root, boolean matchesEmpty, boolean matchesMore) {
    this.frames = frames;
    this.root = root;
    this.matchesEmpty = matchesEmpty;
    this.matchesMore = matchesMore;
    BitSet starts = new BitSet(257);
    starts.set(0);
    for (Frame frame : frames) {
      if (frame.product != null) {
        frame.product.addClassStarts(starts);
      }
      for (State state : frame.states) {
        for (int i = 0; i < state.bytes.length; i += 3) {
          starts.set(state.bytes[i]);
          starts.set(state.bytes[i + 1] + 1);
        }
      }
    }
    starts.clear(256);
    byteOf = starts.stream().toArray();
    for (int b = 0, c = -1; b < 256; b++) {
      c += starts.get(b) ? 1 : 0;
      classOf[b] = c;
    }
  }

  /** Adds the first byte of each class. */
  void addClassStarts(BitSet starts) {
    for (int b : byteOf) {
      starts.set(b);
    }
  }
}
