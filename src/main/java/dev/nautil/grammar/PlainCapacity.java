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
 * another, and from calls of frames that take any number. In the loop that reads a JSON string it
 * is unlimited.
 */
final class PlainCapacity {
  static final CharSet PLAIN =
      CharSet.range(0x20, Character.MAX_CODE_POINT).minus(CharSet.of("\"\\"));

  /** Characters that are counted; more count as unlimited where the search for them ends. */
  private static final int MAX_COUNTED = 64;

  static final Utf8Ranges UTF8 = Utf8Ranges.of(PLAIN);

  /** The plain characters of more than a byte. */
  static final Utf8Ranges BEYOND_ASCII =
      Utf8Ranges.of(CharSet.range(0x80, Character.MAX_CODE_POINT));

  private final State[] states;

  /** By number, as calls name them. */
  private final List<Frame> frames;

  /** Whether to follow the additional members alone: those may come however many have come. */
  private final boolean additional;

  /** By state: what is found. */
  private final int[] capacities;

  /** By state: where plain characters lead to; null where some lead nowhere. */
  private final @Nullable Set<Integer>[] next;

  @SuppressWarnings({"unchecked", "rawtypes"})
  private PlainCapacity(State[] states, List<Frame> frames, boolean additional) {
    this.states = states;
    this.frames = frames;
    this.additional = additional;
    capacities = new int[states.length];
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
      case INTERSECTION:
        return node.data instanceof Product.Place place && place.plainToEnd() >= 0
            ? Integer.MAX_VALUE
            : 0;
      case MEMBERS:
        return node.data instanceof MemberSet.Used used && used.allowsAdditional()
            ? Math.max(state.plainCapacity, state.additionalCapacity)
            : state.plainCapacity;
      default:
        return state.plainCapacity;
    }
  }

  /** Sets the capacities of all states. */
  static void set(List<Frame> frames) {
    // A frame is made before most of those that it calls.
    for (int i = frames.size() - 1; i >= 0; i--) {
      set(frames.get(i), frames);
    }
  }

  private static void set(Frame frame, List<Frame> frames) {
    if (frame.isDeterministic) {
      PlainCapacity all = new PlainCapacity(frame.states, frames, false);
      all.find();
      for (int i = 0; i < frame.states.length; i++) {
        frame.states[i].plainCapacity = all.capacities[i];
      }
      if (frame.kind == Frame.Kind.MEMBERS) {
        PlainCapacity additional = new PlainCapacity(frame.states, frames, true);
        additional.find();
        for (int i = 0; i < frame.states.length; i++) {
          frame.states[i].additionalCapacity = additional.capacities[i];
        }
      }
      frame.hasPlainRounds = hasPlainRounds(frame, frames);
    }
  }

  /** Whether each plain character is a round of its own. */
  private static boolean hasPlainRounds(Frame frame, List<Frame> frames) {
    Set<Integer> ends = new HashSet<>();
    return frame.kind == Frame.Kind.COUNT
        && new PlainCapacity(frame.states, frames, false)
            .follow(frame.startState(), UTF8.start(), ends)
        && ends.stream().allMatch(end -> frame.states[end].isAccepting());
  }

  private void find() {
    List<Integer> alive = new ArrayList<>();
    for (int i = 0; i < states.length; i++) {
      Set<Integer> targets = new HashSet<>();
      if (callsUnlimited(states[i])) {
        capacities[i] = Integer.MAX_VALUE;
      } else if (follow(states[i], UTF8.start(), targets)) {
        next[i] = targets;
        alive.add(i);
      }
    }
    // Each round leaves those from which every plain character leads to one of the round before.
    int before = states.length + 1;
    for (int round = 1; !alive.isEmpty() && alive.size() < before; round++) {
      before = alive.size();
      for (int i : alive) {
        capacities[i] = round;
      }
      int reached = round;
      alive.removeIf(i -> !allReach(i, reached));
      if (round == MAX_COUNTED) {
        return;
      }
    }
    for (int i : alive) {
      capacities[i] = Integer.MAX_VALUE;
    }
  }

  private boolean callsUnlimited(State state) {
    for (int c = 0; c < state.calls.length; c += 2) {
      State start = frames.get(state.calls[c]).startState();
      if (start.plainCapacity == Integer.MAX_VALUE
          && staysLive(state, states[state.calls[c + 1]])) {
        return true;
      }
    }
    return false;
  }

  private boolean allReach(int i, int capacity) {
    Set<Integer> targets = next[i];
    return targets != null && targets.stream().allMatch(t -> capacities[t] >= capacity);
  }

  /** Whether the member that the node stands for can still come where an edge leads. */
  private boolean staysLive(State from, State to) {
    Frame frame = from.frame;
    if (frame.members == null) {
      return true;
    }
    if (additional) {
      return frame.members.leadsToAdditional(from.reachable)
          && frame.members.leadsToAdditional(to.reachable);
    }
    for (int i = 0; i < from.reachable.length; i++) {
      if ((from.reachable[i] & ~to.reachable[i]) != 0) {
        return false;
      }
    }
    return true;
  }

  /** Collects the numbers of states that characters lead to; false if one leads nowhere. */
  private boolean follow(State state, int[] edges, Set<Integer> targets) {
    for (int e = 0; e < edges.length; e += 3) {
      int at = edges[e];
      for (int s = 0; s < state.bytes.length && at <= edges[e + 1]; s += 3) {
        if (state.bytes[s] > at || state.bytes[s + 1] < at) {
          continue;
        }
        State target = states[state.bytes[s + 2]];
        if (!staysLive(state, target)) {
          return false;
        }
        if (edges[e + 2] == 0) {
          targets.add(state.bytes[s + 2]);
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
