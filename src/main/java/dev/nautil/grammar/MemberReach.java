package dev.nautil.grammar;

/** Finds which members may end at a state that another leads to. */
final class MemberReach {
  private MemberReach() {}

  static void set(State[] states, int members) {
    for (State state : states) {
      state.reachable = MemberSet.bits(members);
      for (int tag : state.tags) {
        state.reachable[tag / 64] |= 1L << tag;
      }
    }
    // Later states mostly lead to still later ones, so that few rounds are needed backwards.
    boolean changed = true;
    while (changed) {
      changed = false;
      for (int i = states.length - 1; i >= 0; i--) {
        changed |= addTargets(states[i], states[i].bytes, 3, states);
        changed |= addTargets(states[i], states[i].calls, 2, states);
        changed |= addTargets(states[i], states[i].tokens, 2, states);
      }
    }
  }

  private static boolean addTargets(State state, int[] edges, int stride, State[] states) {
    boolean changed = false;
    for (int i = stride - 1; i < edges.length; i += stride) {
      long[] more = states[edges[i]].reachable;
      for (int w = 0; w < more.length; w++) {
        changed |= (more[w] & ~state.reachable[w]) != 0;
        state.reachable[w] |= more[w];
      }
    }
    return changed;
  }
}
