package dev.nautil.grammar;

import org.jspecify.annotations.Nullable;

/**
 * A part of a grammar with an automaton of its own, which other automata call. It matches a text
 * that is not empty: where its rule may match nothing, a caller goes past it.
 */
final class Frame {
  enum Kind {
    /** Ends where its automaton accepts. */
    RULE,
    /** Its automaton is one of several rounds, which are counted. */
    COUNT,
    /** Its automaton is one of several members; remembers which there were. */
    MEMBERS,
    /** Has no automaton but several machines, which all must accept. */
    INTERSECTION
  }

  final Kind kind;

  /** The grammar's rule that it is, or is a part of: for messages. */
  final String name;

  final Rule rule;

  /** Place in an order in which a frame comes before those that it calls with nothing read. */
  int order;

  State[] states = {};

  /** Whether a byte leads from a state to at most one other; edges are then in ascending order. */
  boolean isDeterministic;

  /** Where it begins: nothing leads here, and it does not accept. */
  @Nullable State start;

  /** Of MEMBERS: where it goes on after a member, with a separator. */
  @Nullable State again;

  /** Of COUNT: the least and most rounds. */
  int min;

  int max;

  /** Of COUNT: whether each plain character is a round of its own. */
  boolean hasPlainRounds;

  /** Of MEMBERS: which there are. */
  @Nullable MemberSet members;

  /** Of INTERSECTION: its machines. */
  @Nullable Product product;

  Frame(Kind kind, String name, Rule rule) {
    this.kind = kind;
    this.name = name;
    this.rule = rule;
  }

  /** {@link #start}, when the frame is set up. */
  State startState() {
    if (start == null) {
      throw new IllegalStateException(name + " is not compiled");
    }
    return start;
  }

  /** The fewest bytes that it takes, or less where it has members or is an intersection. */
  int leastBytes() {
    int once = startState().leastToAccept;
    return switch (kind) {
      case RULE, MEMBERS -> once;
      case COUNT -> leastBytes(Math.max(min, 1));
      case INTERSECTION -> product == null ? 0 : product.initial().leastToEnd();
    };
  }

  /** The fewest bytes of so many rounds. */
  int leastBytes(int count) {
    return (int) Math.min((long) count * startState().leastToAccept, Distances.FAR);
  }

  /** What it remembers when it begins. */
  @Nullable Object initialData() {
    return members != null ? members.initial() : product != null ? product.initial() : null;
  }
}
