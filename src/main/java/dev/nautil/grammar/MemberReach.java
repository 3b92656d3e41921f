package dev.nautil.grammar;

/** Finds which members may end at a state that another leads to. */
final class MemberReach {
  private MemberReach() {}

  static void set(State[] states, int members) {
    long[] none = MemberSet.bits(members);
    for (State state : states) {
      state.reachable = none;
      for (int tag : state.tags) {
        long[] one = MemberSet.bits(members);
        one[tag / 64] |= 1L << tag;
        state.reachable = union(state.reachable, one);
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
    long[] before = state.reachable;
    for (int i = stride - 1; i < edges.length; i += stride) {
      state.reachable = union(state.reachable, states[edges[i]].reachable);
    }
    return state.reachable != before;
  }

  /** One of the two where it has all of both, so that most states share what they have. */
  private static long[] union(long[] a, long[] b) {
    if (a == b || contains(a, b)) {
      return a;
    }
    if (contains(b, a)) {
      return b;
    }
    long[] union = a.clone();
    for (int w = 0; w < union.length; w++) {
      union[w] |= b[w];
    }
    return union;
  }

  private static boolean contains(long[] a, long[] b) {
    for (int w = 0; w < a.length; w++) {
      if ((b[w] & ~a[w]) != 0) {
        return false;
      }
    }
    return true;
  }
}
