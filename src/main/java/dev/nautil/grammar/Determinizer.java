package dev.nautil.grammar;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes a frame's states of its {@link Nfa}: sets of the Nfa's states (the subset construction), so
 * that at most one edge of a state matches; where there would be too many of those sets, the Nfa's
 * own states without their free edges, which the {@link Machine} can follow at once.
 */
final class Determinizer {
  /** Sets of states in a frame, above which they pay no more: where they multiply. */
  private static final int MAX_SETS = 5_000;

  /** The same where they are hardly more than the states: tens of milliseconds. */
  private static final int MAX_LINEAR_SETS = 50_000;

  private final Nfa nfa;
  private final Frame frame;
  private final List<State> states = new ArrayList<>();

  private final boolean[] inClosure;
  private final IntStack stack = new IntStack();

  private Determinizer(Nfa nfa, Frame frame) {
    this.nfa = nfa;
    this.frame = frame;
    inClosure = new boolean[nfa.size()];
  }

  /** Sets a frame's states; gives those that stand for the starts, to which no edge leads. */
  static State[] run(Nfa nfa, Frame frame, int... starts) {
    Determinizer subsets = new Determinizer(nfa, frame);
    State[] result = subsets.subsets(starts);
    frame.isDeterministic = result != null;
    if (result == null) {
      subsets.states.clear();
      result = subsets.single(starts);
    }
    State[] all = subsets.states.toArray(State[]::new);
    for (State state : all) {
      state.peers = all;
    }
    frame.states = all;
    return result;
  }

  private record Key(int[] set) {
    @Override
    public boolean equals(@Nullable Object o) {
      return o instanceof Key other && Arrays.equals(set, other.set);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(set);
    }
  }

  private final Map<Key, Integer> numbers = new HashMap<>();
  private final Deque<int[]> waiting = new ArrayDeque<>();

  private State @Nullable [] subsets(int[] starts) {
    State[] result = new State[starts.length];
    int[][] sets = new int[starts.length][];
    for (int i = 0; i < starts.length; i++) {
      sets[i] = closure(starts[i]);
      result[i] = new State(frame);
      states.add(result[i]);
    }
    for (int i = 0; i < starts.length; i++) {
      addEdges(result[i], sets[i]);
    }
    int done = starts.length;
    int most = Math.max(MAX_SETS, Math.min(nfa.size(), MAX_LINEAR_SETS));
    for (int[] set; (set = waiting.poll()) != null; done++) {
      if (states.size() > most) {
        return null;
      }
      State state = states.get(done);
      state.tags = tags(set);
      addEdges(state, set);
    }
    return result;
  }

  private int number(int[] set) {
    Key key = new Key(set);
    Integer known = numbers.get(key);
    if (known == null) {
      known = states.size();
      numbers.put(key, known);
      states.add(new State(frame));
      waiting.add(set);
    }
    return known;
  }

  private int[] tags(int[] set) {
    BitSet tags = new BitSet();
    for (int s : set) {
      if (nfa.tag(s) >= 0) {
        tags.set(nfa.tag(s));
      }
    }
    return tags.isEmpty() ? State.NONE : tags.stream().toArray();
  }

  private void addEdges(State state, int[] set) {
    IntStack bytes = new IntStack();
    Map<Long, IntStack> others = new HashMap<>();
    for (int s : set) {
      for (int e = nfa.lastEdge(s); e >= 0; e = nfa.before(e)) {
        if (nfa.kind(e) == Nfa.BYTES) {
          bytes.push(e);
        } else if (nfa.kind(e) != Nfa.FREE) {
          long symbol = ((long) nfa.kind(e) << 32) | nfa.first(e);
          others.computeIfAbsent(symbol, k -> new IntStack()).push(nfa.target(e));
        }
      }
    }
    state.bytes = byteEdges(bytes.toArray());
    IntStack calls = new IntStack();
    IntStack tokens = new IntStack();
    others.forEach(
        (symbol, targets) -> {
          IntStack edges = symbol >> 32 == Nfa.CALL ? calls : tokens;
          edges.push(symbol.intValue());
          edges.push(number(closure(targets.toArray())));
        });
    state.calls = calls.toArray();
    state.tokens = tokens.toArray();
  }

  /** The targets of byte edges, each byte once. */
  private int[] byteEdges(int[] edges) {
    BitSet cuts = new BitSet();
    for (int e : edges) {
      cuts.set(nfa.first(e));
      cuts.set(nfa.last(e) + 1);
    }
    IntStack result = new IntStack();
    int lastTarget = -1;
    for (int first = cuts.nextSetBit(0); first >= 0; ) {
      int next = cuts.nextSetBit(first + 1);
      IntStack targets = new IntStack();
      for (int e : edges) {
        if (nfa.first(e) <= first && first <= nfa.last(e)) {
          targets.push(nfa.target(e));
        }
      }
      if (!targets.isEmpty()) {
        int target = number(closure(targets.toArray()));
        int size = result.size();
        if (size > 0 && target == lastTarget && result.get(size - 2) == first - 1) {
          result.set(size - 2, next - 1);
        } else {
          result.push(first);
          result.push(next - 1);
          result.push(target);
        }
        lastTarget = target;
      }
      first = next;
    }
    return result.toArray();
  }

  /** The states that free edges lead to which have other edges or accept; ascending. */
  private int[] closure(int... from) {
    for (int s : from) {
      if (!inClosure[s]) {
        inClosure[s] = true;
        stack.push(s);
      }
    }
    IntStack found = new IntStack();
    IntStack met = new IntStack();
    while (!stack.isEmpty()) {
      int s = stack.pop();
      met.push(s);
      boolean matters = nfa.tag(s) >= 0;
      for (int e = nfa.lastEdge(s); e >= 0; e = nfa.before(e)) {
        if (nfa.kind(e) != Nfa.FREE) {
          matters = true;
        } else if (!inClosure[nfa.target(e)]) {
          inClosure[nfa.target(e)] = true;
          stack.push(nfa.target(e));
        }
      }
      if (matters) {
        found.push(s);
      }
    }
    while (!met.isEmpty()) {
      inClosure[met.pop()] = false;
    }
    int[] result = found.toArray();
    Arrays.sort(result);
    return result;
  }

  private State[] single(int[] starts) {
    State[] byNfaState = new State[nfa.size()];
    int[] number = new int[nfa.size()];
    State[] result = new State[starts.length];
    for (int i = 0; i < starts.length; i++) {
      result[i] = new State(frame);
      states.add(result[i]);
    }
    for (int s = 0; s < byNfaState.length; s++) {
      byNfaState[s] = new State(frame);
      number[s] = states.size();
      states.add(byNfaState[s]);
    }
    for (int s = 0; s < byNfaState.length; s++) {
      addSingleEdges(byNfaState[s], new int[] {s}, number);
      byNfaState[s].tags = tags(new int[] {s});
    }
    for (int i = 0; i < starts.length; i++) {
      addSingleEdges(result[i], closure(starts[i]), number);
    }
    return result;
  }

  private void addSingleEdges(State state, int[] set, int[] number) {
    IntStack bytes = new IntStack();
    IntStack calls = new IntStack();
    IntStack tokens = new IntStack();
    for (int s : set) {
      for (int e = nfa.lastEdge(s); e >= 0; e = nfa.before(e)) {
        if (nfa.kind(e) == Nfa.FREE) {
          continue;
        }
        IntStack edges =
            nfa.kind(e) == Nfa.BYTES ? bytes : nfa.kind(e) == Nfa.CALL ? calls : tokens;
        for (int target : closure(nfa.target(e))) {
          edges.push(nfa.first(e));
          if (nfa.kind(e) == Nfa.BYTES) {
            edges.push(nfa.last(e));
          }
          edges.push(number[target]);
        }
      }
    }
    state.bytes = bytes.toArray();
    state.calls = calls.toArray();
    state.tokens = tokens.toArray();
  }
}
