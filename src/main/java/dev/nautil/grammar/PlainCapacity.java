package dev.nautil.grammar;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Finds for how many plain characters (see {@link GrammarVocabulary}) every text of them leads on
 * from a state, so that the tokens which consist of no more of them need not be looked at.
 *
 * <p>A lower bound: found within a frame, from the characters that lead from one of its states to
 * another. In the loop that reads a JSON string it is unlimited.
 */
final class PlainCapacity {
  static final CharSet PLAIN =
      CharSet.range(0x20, Character.MAX_CODE_POINT).minus(CharSet.of("\"\\"));

  /** Characters that are counted; more count as unlimited where the search for them ends. */
  private static final int MAX_COUNTED = 64;

  private static final Utf8Ranges UTF8 = Utf8Ranges.of(PLAIN);

  private final State[] states;

  /** By state: where plain characters lead to; null where some lead nowhere. */
  private final @Nullable Set<State>[] next;

  @SuppressWarnings({"unchecked", "rawtypes"})
  private PlainCapacity(State[] states) {
    this.states = states;
    next = new Set[states.length];
  }

  /** Of a node: at least so many plain characters may follow, whichever they are. */
  static int of(Node node) {
    State state = node.state;
    Frame frame = state.frame;
    switch (frame.kind) {
      case COUNT:
        if (!frame.hasPlainRounds || state != frame.start) {
          return state.plainCapacity;
        }
        return frame.max == Rule.UNBOUNDED ? Integer.MAX_VALUE : frame.max - node.count;
      case MEMBERS:
        boolean additional = node.data instanceof MemberSet.Used used && used.allowsAdditional();
        return additional ? state.plainCapacity : 0;
      default:
        return state.plainCapacity;
    }
  }

  /** Sets {@link State#plainCapacity}. */
  static void set(Frame frame) {
    if (frame.isDeterministic) {
      new PlainCapacity(frame.states).set();
      frame.hasPlainRounds = hasPlainRounds(frame);
    }
  }

  /** Whether each plain character is a round of its own. */
  private static boolean hasPlainRounds(Frame frame) {
    State start = frame.startState();
    Set<State> ends = new HashSet<>();
    return frame.kind == Frame.Kind.COUNT
        && start.plainCapacity > 0
        && follow(start, UTF8.start(), ends)
        && ends.stream().allMatch(State::isAccepting);
  }

  private void set() {
    List<Integer> alive = new ArrayList<>();
    for (int i = 0; i < states.length; i++) {
      Set<State> targets = new HashSet<>();
      if (leadsToAdditional(states[i]) && follow(states[i], UTF8.start(), targets)) {
        next[i] = targets;
        alive.add(i);
      }
    }
    // Each round leaves those from which every plain character leads to one of the round before.
    int round = 1;
    for (int before = states.length; !alive.isEmpty() && alive.size() < before; round++) {
      before = alive.size();
      for (int i : alive) {
        states[i].plainCapacity = round;
      }
      int last = round;
      alive.removeIf(i -> !allReach(i, last));
      if (round == MAX_COUNTED) {
        return;
      }
    }
    for (int i : alive) {
      states[i].plainCapacity = Integer.MAX_VALUE;
    }
  }

  private boolean allReach(int i, int capacity) {
    Set<State> targets = next[i];
    return targets != null && targets.stream().allMatch(s -> s.plainCapacity >= capacity);
  }

  /** Members that are named are not counted on, since they come once. */
  private static boolean leadsToAdditional(State state) {
    Frame frame = state.frame;
    return frame.kind != Frame.Kind.MEMBERS
        || frame.members != null && frame.members.leadsToAdditional(state.reachable);
  }

  /** Collects where characters lead to; false if one leads nowhere. */
  private static boolean follow(State state, int[] edges, Set<State> targets) {
    for (int e = 0; e < edges.length; e += 3) {
      int at = edges[e];
      for (int s = 0; s < state.bytes.length && at <= edges[e + 1]; s += 3) {
        if (state.bytes[s] > at || state.bytes[s + 1] < at) {
          continue;
        }
        State target = state.peers[state.bytes[s + 2]];
        if (!leadsToAdditional(target)) {
          return false;
        }
        if (edges[e + 2] == 0) {
          targets.add(target);
        } else if (!follow(target, UTF8.states.get(edges[e + 2]), targets)) {
          return false;
        }
        at = state.bytes[s + 1] + 1;
      }
      if (at <= edges[e + 1]) {
        return false;
      }
    }
    return true;
  }
}
