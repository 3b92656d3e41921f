package dev.nautil.grammar;

import dev.nautil.GrammarException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Rewrites frames that call themselves with nothing read, and puts frames in order.
 *
 * <p>The left-corner transform (Rosenkrantz and Lewis, "Deterministic left corner parsing", 1970),
 * on automata: where frames A and B call each other at their start, A's new automaton begins as any
 * of them begins otherwise; where one of them, say B, has ended, it goes on behind each call of B
 * that was at a start; and it has ended where A has.
 */
final class LeftRecursion {
  private final List<Frame> frames;
  private final int[] cycle;

  private LeftRecursion(List<Frame> frames, int[] cycle) {
    this.frames = frames;
    this.cycle = cycle;
  }

  /**
   * @throws GrammarException if a frame calls itself so that is not a rule
   */
  static void remove(List<Frame> frames) {
    int[][] next = new int[frames.size()][];
    for (int i = 0; i < next.length; i++) {
      int[] calls = frames.get(i).startState().calls;
      next[i] = new int[calls.length / 2];
      for (int c = 0; c < next[i].length; c++) {
        next[i][c] = calls[2 * c];
      }
    }
    int order = frames.size();
    for (int[] component : Graph.components(next)) {
      for (int i : component) {
        frames.get(i).order = --order;
      }
      if (Graph.isCycle(component, next)) {
        new LeftRecursion(frames, component).remove();
      }
    }
  }

  private void remove() {
    List<State[]> automata = new ArrayList<>();
    List<State> starts = new ArrayList<>();
    for (int i : cycle) {
      Frame frame = frames.get(i);
      if (frame.kind != Frame.Kind.RULE) {
        throw new GrammarException(
            "rule '"
                + frame.name
                + "' is left-recursive through a counted repetition, which is not supported: let"
                + " the repetition begin with something else");
      }
      automata.add(frame.states);
      starts.add(frame.startState());
    }
    for (int goal = 0; goal < cycle.length; goal++) {
      Nfa nfa = new Nfa();
      int start = nfa.newState();
      build(nfa, start, automata, starts, goal);
      Frame frame = frames.get(cycle[goal]);
      frame.start = Determinizer.run(nfa, frame, start)[0];
    }
  }

  private void build(Nfa nfa, int start, List<State[]> automata, List<State> starts, int goal) {
    int[] ended = new int[cycle.length];
    int[] first = new int[cycle.length];
    for (int i = 0; i < cycle.length; i++) {
      ended[i] = nfa.newState();
      first[i] = nfa.size();
      for (int s = 0; s < automata.get(i).length; s++) {
        nfa.newState();
      }
    }
    nfa.accept(ended[goal], 0);
    for (int i = 0; i < cycle.length; i++) {
      State[] states = automata.get(i);
      for (int s = 0; s < states.length; s++) {
        State state = states[s];
        boolean isStart = state == starts.get(i);
        int from = isStart ? start : first[i] + s;
        copyEdges(nfa, state, from, first[i], isStart ? ended : null);
        if (state.isAccepting()) {
          nfa.free(from, ended[i]);
        }
      }
    }
  }

  private void copyEdges(Nfa nfa, State state, int from, int first, int @Nullable [] ended) {
    for (int e = 0; e < state.bytes.length; e += 3) {
      nfa.bytes(from, state.bytes[e], state.bytes[e + 1], first + state.bytes[e + 2]);
    }
    for (int e = 0; e < state.tokens.length; e += 2) {
      nfa.token(from, state.tokens[e], first + state.tokens[e + 1]);
    }
    for (int e = 0; e < state.calls.length; e += 2) {
      int inCycle = ended == null ? -1 : inCycle(state.calls[e]);
      int to = first + state.calls[e + 1];
      if (inCycle < 0 || ended == null) {
        nfa.call(from, state.calls[e], to);
      } else {
        nfa.free(ended[inCycle], to);
      }
    }
  }

  private int inCycle(int frame) {
    for (int i = 0; i < cycle.length; i++) {
      if (cycle[i] == frame) {
        return i;
      }
    }
    return -1;
  }
}
