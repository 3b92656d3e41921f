package dev.nautil.grammar;

import dev.nautil.GrammarException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Follows a text through a {@link Program}, a byte at a time, in all ways at once.
 *
 * <p>This is Earley's recogniser ("An efficient context-free parsing algorithm", 1970) with the
 * rules' automata in place of dotted rules: frames that begin at one place of the text share the
 * set of where they return to, which is a node of a graph-structured stack (Tomita, "An efficient
 * augmented-context-free parsing algorithm", 1987). A frame that has nothing left to do but return
 * is not returned to (Leo, "A general context-free parsing algorithm running in linear time on
 * every LR(k) grammar without using lookahead", 1991), so that a list that is written by right
 * recursion takes no stack. Frames that match nothing are stepped over when they are called (Aycock
 * and Horspool, "Practical Earley parsing", 2002), and no frame calls itself with nothing read
 * ({@link LeftRecursion}), so that the frames which begin at a place can be taken in order, each
 * once. Nodes, sets and configurations that are equal are made once, so that the configurations are
 * the states of an automaton that is built while it is used.
 *
 * <p>Each node can reach the end of the text, since the program has no dead ends, and where members
 * or an intersection have some, they are looked for before the node is made.
 *
 * <p>Two nodes that differ in counts alone lead on alike for a while if both counts are far from
 * their bounds: for as many characters as there are rounds to the nearest. So each node has a
 * relaxed one, which does not count there, and what depends on few characters, as a mask mostly
 * does, is computed once for all that have the same relaxed one.
 *
 * <p>Not thread-safe.
 */
final class Machine implements Loop.Steps<Config> {
  static final Comparator<Node> IDENTITY = Comparator.comparingInt(n -> n.id);

  /** Objects that are kept in order to be found again: tens of megabytes. */
  private static final int MAX_KNOWN = 200_000;

  /** Ways to read a text at once, above which it is given up. */
  private static final int MAX_NODES = 20_000;

  /** Nodes above which the table of a step is made anew: to clear a large one takes long. */
  private static final int MANY_NODES = 500;

  /** The count of a node that does not count: as many rounds as one likes may follow, or none. */
  static final int UNCOUNTED = -1;

  /**
   * Rounds to the nearest bound, below which a count is not relaxed. Few tokens have more
   * characters: 1,605 of Tekken's 131,072.
   */
  private static final int MIN_ROOM = 16;

  private final Program program;

  /** Whether its texts end together with those of others: {@link Product}. */
  private final boolean isPart;

  private final Map<Node, Node> nodes = new HashMap<>();
  private final Map<ReturnSet, ReturnSet> returnSets = new HashMap<>();
  private final Map<Config, Config> configs = new HashMap<>();
  private int lastId;

  private final Config initial;

  // Of the step that is being made.
  private int step;
  private final List<Node> reached = new ArrayList<>();
  private Map<Node, Node> lowest = new HashMap<>();
  private final List<Node> active = new ArrayList<>();
  private final BitSet called = new BitSet();
  private final List<List<Node>> callers = new ArrayList<>();
  private final BitSet calledToEnd = new BitSet();
  private boolean isComplete;

  // The bytes that lead to the same as the one of that step.
  private int first;
  private int last;

  Machine(Program program) {
    this(program, false);
  }

  Machine(Program program, boolean isPart) {
    this.program = program;
    this.isPart = isPart;
    for (int i = 0; i < program.frames.size(); i++) {
      callers.add(new ArrayList<>());
    }
    isComplete = program.matchesEmpty;
    if (program.matchesMore) {
      called.set(program.root.order);
      calledToEnd.set(program.root.order);
    }
    initial = finish();
  }

  Program program() {
    return program;
  }

  Config initial() {
    return initial;
  }

  /** What follows after a byte; dead if none may. */
  Config next(Config config, int b) {
    int c = program.classOf[b];
    @Nullable Config[] known = config.next;
    if (known == null) {
      known = new Config[program.byteOf.length];
      config.next = known;
    }
    Config next = known[c];
    if (next == null) {
      next = newNext(config, b);
      Arrays.fill(known, program.classOf[first], program.classOf[last] + 1, next);
    }
    return next;
  }

  /** Whether two bytes are known to lead to the same. */
  boolean isAlike(Config config, int b, int other) {
    @Nullable Config[] known = config.next;
    return known != null
        && known[program.classOf[b]] != null
        && known[program.classOf[b]] == known[program.classOf[other]];
  }

  /** Sets {@link #first} and {@link #last}. */
  private Config newNext(Config config, int b) {
    begin();
    first = 0;
    last = 255;
    for (Node node : config.nodes) {
      State state = node.state;
      if (node.data instanceof Product.Place place) {
        Product.@Nullable Place next = place.next(b);
        first = Math.max(first, place.firstLike(b));
        last = Math.min(last, place.lastLike(b));
        if (next != null) {
          reach(state, 0, next, node.returns);
        }
        continue;
      }
      int[] edges = state.bytes;
      for (int e = 0; e < edges.length; e += 3) {
        if (edges[e + 1] < b) {
          first = Math.max(first, edges[e + 1] + 1);
        } else if (edges[e] > b) {
          last = Math.min(last, edges[e] - 1);
        } else {
          first = Math.max(first, edges[e]);
          last = Math.min(last, edges[e + 1]);
          reach(state.peers[edges[e + 2]], node.count, node.data, node.returns);
        }
      }
    }
    return finish();
  }

  /** What follows after a token that the grammar names; dead if it may not come. */
  Config nextToken(Config config, int token) {
    begin();
    for (Node node : config.nodes) {
      int[] edges = node.state.tokens;
      for (int e = 0; e < edges.length; e += 2) {
        if (edges[e] == token) {
          reach(node.state.peers[edges[e + 1]], node.count, node.data, node.returns);
        }
      }
    }
    return finish();
  }

  /** What follows after either. */
  Config union(Config a, Config b) {
    List<Node> nodes = new ArrayList<>(Arrays.asList(a.nodes));
    nodes.addAll(Arrays.asList(b.nodes));
    return config(nodes, a.isComplete || b.isComplete);
  }

  private void reach(State state, int count, @Nullable Object data, ReturnSet returns) {
    if (isLive(state, data)) {
      reach(node(state, count, data, returns));
    }
  }

  private void reach(Node node) {
    if (node.step != step && !isCovered(node, lowest)) {
      node.step = step;
      reached.add(node);
      if (reached.size() > MAX_NODES) {
        throw new GrammarException(
            "the text can be read in more than "
                + MAX_NODES
                + " ways at once, at rule '"
                + node.state.frame.name
                + "': the grammar is too ambiguous");
      }
    }
  }

  /**
   * Whether what a node can read one of the others can that has counted less: above the least
   * number of rounds, fewer rounds leave more open.
   *
   * @param lowest by a node without its count, the one that has counted least; the node is added
   */
  private static boolean isCovered(Node node, Map<Node, Node> lowest) {
    Frame frame = node.state.frame;
    boolean isLow = node.count != UNCOUNTED && node.count < frame.min;
    if (frame.kind != Frame.Kind.COUNT || isLow) {
      return false;
    }
    Node key = new Node(node.state, UNCOUNTED, null, node.returns);
    Node known = lowest.get(key);
    if (known != null && known.count < node.count) {
      return true;
    }
    lowest.put(key, node);
    return false;
  }

  private static boolean isLive(State state, @Nullable Object data) {
    return !(data instanceof MemberSet.Used used)
        || MemberSet.intersect(state.reachable, used.available);
  }

  /** Takes all steps that read nothing from the nodes that were reached. */
  private Config finish() {
    for (int i = 0; i < reached.size(); i++) {
      Node node = reached.get(i);
      if (node.state.isActive()) {
        active.add(node);
      }
      end(node);
      call(node);
    }
    for (int f = called.nextSetBit(0); f >= 0; f = called.nextSetBit(f + 1)) {
      Frame frame = program.frames.get(f);
      ReturnSet returns = returnSet(callers.get(f), calledToEnd.get(f));
      Node start = node(frame.startState(), 0, frame.initialData(), returns);
      if (start.state.isActive()) {
        active.add(start);
      }
      call(start);
    }
    return config();
  }

  /** Starts a step; one before it may have been given up. */
  private void begin() {
    dropWhenFull();
    if (reached.size() > MANY_NODES) {
      lowest = new HashMap<>();
    }
    step++;
    reached.clear();
    lowest.clear();
    active.clear();
    for (int f = called.nextSetBit(0); f >= 0; f = called.nextSetBit(f + 1)) {
      callers.get(f).clear();
    }
    called.clear();
    calledToEnd.clear();
    isComplete = false;
  }

  private void end(Node node) {
    State state = node.state;
    Frame frame = state.frame;
    switch (frame.kind) {
      case RULE -> {
        if (state.isAccepting()) {
          endFrame(node);
        }
      }
      case COUNT -> {
        if (state.isAccepting()) {
          endRound(node, frame);
        }
      }
      case MEMBERS -> {
        for (int member : state.tags) {
          endMember(node, frame, member);
        }
      }
      case INTERSECTION -> {
        if (node.data instanceof Product.Place place && place.isComplete()) {
          endFrame(node);
        }
      }
    }
  }

  private void endFrame(Node node) {
    isComplete |= node.returns.endsText;
    for (Node caller : node.returns.nodes) {
      reach(caller);
    }
  }

  private void endRound(Node node, Frame frame) {
    boolean bounded = frame.max != Rule.UNBOUNDED;
    int count = bounded ? node.count + 1 : Math.min(node.count + 1, frame.min);
    if (node.count == UNCOUNTED) {
      count = UNCOUNTED;
    }
    if (count == UNCOUNTED || count >= frame.min) {
      endFrame(node);
    }
    if (!bounded || count < frame.max) {
      reach(frame.startState(), count, null, node.returns);
    }
  }

  private void endMember(Node node, Frame frame, int member) {
    if (node.data instanceof MemberSet.Used before) {
      MemberSet.@Nullable Used used = before.with(member);
      if (used == null) {
        return;
      }
      if (used.isComplete()) {
        endFrame(node);
      }
      if (used.mayGoOn() && frame.again != null) {
        reach(frame.again, 0, used, node.returns);
      }
    }
  }

  private void call(Node node) {
    int[] calls = node.state.calls;
    for (int i = 0; i < calls.length; i += 2) {
      int frame = calls[i];
      State after = node.state.peers[calls[i + 1]];
      if (after.onlyReturns()) {
        called.set(frame);
        callers.get(frame).addAll(Arrays.asList(node.returns.nodes));
        if (node.returns.endsText) {
          calledToEnd.set(frame);
        }
      } else if (isLive(after, node.data)) {
        called.set(frame);
        callers.get(frame).add(node(after, node.count, node.data, node.returns));
      }
    }
  }

  private Node node(State state, int count, @Nullable Object data, ReturnSet returns) {
    Node node = new Node(state, count, data, returns);
    Node same = nodes.putIfAbsent(node, node);
    if (same != null) {
      return same;
    }
    node.id = ++lastId;
    node.room = returns.room;
    if (isPart) {
      node.leastToEnd = Math.min(toFrameEnd(node) + returns.leastToEnd, Distances.FAR);
    }
    int relaxedCount = count;
    if (state.frame.kind == Frame.Kind.COUNT && count != UNCOUNTED) {
      relaxedCount = relaxedCount(state.frame, count);
      if (relaxedCount != count) {
        int bound = relaxedCount == UNCOUNTED ? state.frame.max - count : MIN_ROOM;
        node.room = Math.min(node.room, bound);
      }
    }
    if (relaxedCount != count || returns.relaxed != returns) {
      node.relaxed = node(state, relaxedCount, data, returns.relaxed);
    }
    return node;
  }

  private static int toFrameEnd(Node node) {
    Frame frame = node.state.frame;
    if (node.data instanceof Product.Place place) {
      return place.leastToEnd();
    }
    boolean isCounted = frame.kind == Frame.Kind.COUNT && node.count != UNCOUNTED;
    int rounds = isCounted ? Math.max(frame.min - node.count - 1, 0) : 0;
    return node.state.leastToAccept + frame.leastBytes(rounds);
  }

  private int relaxedCount(Frame frame, int count) {
    if (count >= frame.min && frame.max - count >= MIN_ROOM) {
      return UNCOUNTED;
    }
    // What is far below leads on alike without an end. That some other part of an intersection can
    // end when this one does is another matter.
    boolean isFarBelow = frame.min - count > MIN_ROOM && !isPart;
    return isFarBelow ? frame.min - MIN_ROOM : count;
  }

  private ReturnSet returnSet(List<Node> callers, boolean endsText) {
    ReturnSet set = new ReturnSet(sorted(callers), endsText);
    ReturnSet same = returnSets.putIfAbsent(set, set);
    if (same != null) {
      return same;
    }
    set.leastToEnd = endsText ? 0 : Distances.FAR;
    for (Node caller : set.nodes) {
      set.room = Math.min(set.room, caller.room);
      set.leastToEnd = Math.min(set.leastToEnd, caller.leastToEnd);
    }
    if (callers.stream().anyMatch(caller -> caller.relaxed != caller)) {
      set.relaxed = returnSet(callers.stream().map(caller -> caller.relaxed).toList(), endsText);
    }
    return set;
  }

  /** The configuration of the relaxed nodes. */
  Config relaxed(Config config) {
    if (config.relaxed == null) {
      List<Node> relaxed = new ArrayList<>(config.nodes.length);
      int room = Integer.MAX_VALUE;
      boolean isRelaxed = true;
      for (Node node : config.nodes) {
        Node other = relaxed(node);
        relaxed.add(other);
        room = Math.min(room, node.room);
        if (node.data instanceof Product.Place place) {
          room = Math.min(room, place.room());
        }
        isRelaxed &= other == node;
      }
      config.room = room;
      config.relaxed = isRelaxed ? config : config(relaxed, config.isComplete);
    }
    return config.relaxed;
  }

  private Node relaxed(Node node) {
    if (node.data instanceof Product.Place place) {
      Product.Place relaxed = place.relaxed();
      return relaxed == place && node.relaxed == node
          ? node
          : node(node.state, node.count, relaxed, node.returns.relaxed);
    }
    return node.relaxed;
  }

  private Config config(List<Node> nodes, boolean isComplete) {
    begin();
    active.addAll(nodes);
    this.isComplete = isComplete;
    return finish();
  }

  /**
   * The configuration that does not count, where all that is left is rounds of one count: it may
   * end at once, or after any number of rounds.
   */
  Config open(Config config) {
    if (!config.isCounting()) {
      return config;
    }
    if (config.open == null) {
      Node node = config.nodes[0];
      Node open = node(node.state, UNCOUNTED, node.data, node.returns);
      config.open = config(List.of(open), true);
    }
    return config.open;
  }

  /** Sets {@link Config#loop}. */
  void findLoop(Config config) {
    config.loop = Loop.at(config, this);
  }

  @Override
  public @Nullable Config after(Config from, int b) {
    Config next = next(from, b);
    return next.isDead() ? null : next;
  }

  @Override
  public int[] classOf() {
    return program.classOf;
  }

  @Override
  public int[] byteOf() {
    return program.byteOf;
  }

  /** The configuration of some of the nodes of another one. */
  Config part(Config config, List<Node> some) {
    if (some.size() == config.nodes.length) {
      return config;
    }
    return config(some, false);
  }

  /** Whether plain text may follow where a frame returns to. */
  boolean plainFollows(ReturnSet returns) {
    if (returns.plainFollows == null) {
      begin();
      for (Node caller : returns.nodes) {
        reach(caller);
      }
      Config after = finish();
      boolean follows = false;
      for (int b = 0; b < 256; b++) {
        boolean begins = b >= 0x80 || PlainCapacity.PLAIN.contains(b);
        follows |= begins && !next(after, b).isDead();
      }
      returns.plainFollows = follows;
    }
    return returns.plainFollows;
  }

  private Config config() {
    Config config = new Config(sorted(active), isComplete);
    Config same = configs.putIfAbsent(config, config);
    return same != null ? same : config;
  }

  private static Node[] sorted(List<Node> list) {
    Node[] sorted = list.toArray(Node[]::new);
    if (sorted.length < 2) {
      return sorted;
    }
    Arrays.sort(sorted, IDENTITY);
    Map<Node, Node> counted = Map.of();
    for (Node node : sorted) {
      if (node.state.frame.kind == Frame.Kind.COUNT) {
        counted = counted.isEmpty() ? new HashMap<>() : counted;
        isCovered(node, counted);
      }
    }
    int n = 0;
    for (Node node : sorted) {
      if ((n == 0 || node != sorted[n - 1]) && (counted.isEmpty() || !isCovered(node, counted))) {
        sorted[n++] = node;
      }
    }
    return Arrays.copyOf(sorted, n);
  }

  /** Forgets what was made; what is in use goes on, and is made anew when it is met again. */
  private void dropWhenFull() {
    if (nodes.size() + returnSets.size() + configs.size() > MAX_KNOWN) {
      nodes.clear();
      returnSets.clear();
      configs.clear();
    }
  }
}
