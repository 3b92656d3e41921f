package dev.nautil.grammar;

import java.util.List;

/**
 * Finds for the states of frames how far they are from where the frame accepts: what leads a search
 * for an end straight to it.
 */
final class Distances {
  /** Of states of which it is not known yet, and the most that is told. */
  static final int FAR = 1 << 24;

  private Distances() {}

  /** Sets the distances of all states. */
  static void set(List<Frame> frames) {
    for (Frame frame : frames) {
      for (State state : frame.states) {
        state.leastToAccept = state.isAccepting() ? 0 : FAR;
      }
    }
    // What a frame takes changes what its callers do, so that it goes on until nothing changes;
    // backwards, since frames and states are made before most of those that they lead to.
    for (boolean changes = true; changes; ) {
      changes = false;
      for (int i = frames.size() - 1; i >= 0; i--) {
        State[] states = frames.get(i).states;
        for (int j = states.length - 1; j >= 0; j--) {
          changes |= set(states[j], frames);
        }
      }
    }
  }

  /** Whether it comes nearer. */
  private static boolean set(State state, List<Frame> frames) {
    int before = state.leastToAccept;
    for (int e = 0; e < state.bytes.length; e += 3) {
      int far = 1 + state.peers[state.bytes[e + 2]].leastToAccept;
      if (far < state.leastToAccept) {
        state.leastToAccept = far;
        state.wayByte = state.bytes[e];
      }
    }
    for (int c = 0; c < state.calls.length; c += 2) {
      int far =
          frames.get(state.calls[c]).leastBytes() + state.peers[state.calls[c + 1]].leastToAccept;
      if (far < state.leastToAccept) {
        state.leastToAccept = far;
        state.wayByte = -1;
      }
    }
    return state.leastToAccept < before;
  }
}
