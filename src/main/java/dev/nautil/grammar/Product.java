package dev.nautil.grammar;

import dev.nautil.GrammarException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The machines of an intersection, which read the same text side by side.
 *
 * <p>That each of them can go on does not mean that they can end together: a place counts as dead
 * when no text leads from it to one where all are complete. That is looked for when a place is met;
 * since what is found holds for every place on the way, most are known by then.
 */
final class Product {
  /** Places that a search for an end may visit. */
  private static final int MAX_SEARCH = 300_000;

  /** Places that plain characters lead to, above which no more are looked at. */
  private static final int MAX_PLAIN = 64;

  /** Places that are kept in order to be found again. */
  private static final int MAX_PLACES = 400_000;

  /** What is not known of a place yet. */
  private static final int UNKNOWN = -1;

  /** Of a place that no text leads to an end from. */
  private static final int DEAD = -2;

  /** Where all machines are. Equal ones are the same object. */
  final class Place {
    final Config[] configs;
    private final @Nullable Place[] next;

    /** Bytes of some text that leads to where all are complete; or {@link #UNKNOWN}. */
    private int toEnd = UNKNOWN;

    private int plainToEnd = UNKNOWN;
    private @Nullable Place relaxed;
    private int room = Integer.MAX_VALUE;

    /** The relaxed place without counts below their least: {@link Machine#open}. */
    private @Nullable Place open;

    /** Rounds that are left to the least and to the most of those counts. */
    private int need;

    private int openRoom = Integer.MAX_VALUE;

    /** Of an open place, where it is known: any number of characters. */
    private @Nullable Loop loop;

    private Place(Config[] configs, int classes) {
      this.configs = configs;
      next = new Place[classes];
    }

    boolean isComplete() {
      for (Config config : configs) {
        if (!config.isComplete) {
          return false;
        }
      }
      return true;
    }

    /** What follows after a byte; null if the machines can't end together any more. */
    @Nullable Place next(int b) {
      Place place = step(this, classOf[b]);
      return place != null && isLive(place) ? place : null;
    }

    /**
     * Where the machines' configurations are relaxed. What leads on from there leads on from here
     * too, if there is room for it and for {@link #toEnd} more where it leads: that text is then an
     * end here as well.
     */
    Place relaxed() {
      if (relaxed == null) {
        Config[] all = new Config[configs.length];
        for (int i = 0; i < all.length; i++) {
          all[i] = machines.get(i).relaxed(configs[i]);
          room = Math.min(room, configs[i].room);
        }
        relaxed = place(all);
        if (relaxed != this) {
          isLive(relaxed);
        }
      }
      return relaxed;
    }

    /**
     * Bytes of some text that leads to an end from any place that plain characters lead to (see
     * {@link GrammarVocabulary}), at most; negative if some lead to none, or that takes too long to
     * find out.
     */
    int plainToEnd() {
      if (plainToEnd == UNKNOWN) {
        plainToEnd = relaxed() == this ? findPlainToEnd(this) : DEAD;
      }
      return plainToEnd;
    }

    private Place open() {
      if (open == null) {
        Config[] all = relaxed().configs.clone();
        openRoom = room;
        for (int i = 0; i < all.length; i++) {
          if (all[i].isBelow()) {
            Node node = all[i].nodes[0];
            Frame frame = node.state.frame;
            need = Math.max(need, frame.min - node.count);
            if (frame.max != Rule.UNBOUNDED) {
              openRoom = Math.min(openRoom, frame.max - node.count);
            }
            all[i] = machines.get(i).open(all[i]);
          }
        }
        open = place(all);
      }
      return open;
    }

    /**
     * The characters that lead from the open place back to it, or null if there are none, or no
     * room for them. A text of them leads on from here too: as many more of them may follow as the
     * least of the counts needs, and then the text that leads from the open place to an end.
     *
     * @param other the place of the byte before or of the one after, for it pays to look where the
     *     open one of both is the same
     */
    @Nullable Loop loop(Place other) {
      Place all = open();
      if (all.loop == null) {
        if (other.open() != all || !isLive(all)) {
          return null;
        }
        all.loop = findLoop(all);
      }
      int far = all.toEnd();
      return all.loop.isEmpty() || need + far > openRoom
          ? null
          : all.loop.within(openRoom - far, need + far);
    }

    /** As {@link Node#room}, where {@link #relaxed} has been asked for. */
    int room() {
      return room;
    }

    /** Bytes of some text that leads to an end, at most; those within the machines included. */
    int toEnd() {
      int far = toEnd;
      for (Config config : configs) {
        far = Math.max(far, config.toEnd);
      }
      return far;
    }

    @Override
    public boolean equals(@Nullable Object o) {
      return o instanceof Place other && Arrays.equals(configs, other.configs);
    }

    @Override
    public int hashCode() {
      return Arrays.hashCode(configs);
    }
  }

  private final String name;
  private final List<Machine> machines;
  private final int[] classOf = new int[256];
  private final int[] byteOf;
  private final Map<Place, Place> places = new HashMap<>();
  private final Place dead = new Place(new Config[0], 0);
  private final Place initial;
  private final RuleFacts.Facts facts;

  private Product(String name, List<Machine> machines) {
    this.name = name;
    this.machines = machines;
    BitSet starts = new BitSet();
    starts.set(0);
    machines.forEach(m -> m.program().addClassStarts(starts));
    byteOf = starts.stream().toArray();
    for (int b = 0, c = -1; b < 256; b++) {
      c += starts.get(b) ? 1 : 0;
      classOf[b] = c;
    }
    initial = place(machines.stream().map(Machine::initial).toArray(Config[]::new));
    facts = findFacts();
  }

  /** Of an intersection that no rule's cycle goes through. */
  static Product of(String name, Rule.Intersection intersection, Map<String, Rule> rules) {
    List<Machine> machines = new ArrayList<>();
    for (Rule rule : intersection.rules()) {
      String root = name + " (a part of its intersection)";
      Map<String, Rule> all = new HashMap<>(rules);
      all.put(root, rule);
      Program program = GrammarCompiler.compileOrNull(new Grammar(all, root));
      if (program == null) {
        return new Product(name, List.of());
      }
      machines.add(new Machine(program, true));
    }
    return new Product(name, machines);
  }

  private RuleFacts.Facts findFacts() {
    if (machines.isEmpty()) {
      return RuleFacts.Facts.NOTHING;
    }
    boolean nullable = initial.isComplete();
    boolean nonEmpty = false;
    isLive(initial);
    for (int b : byteOf) {
      nonEmpty = nonEmpty || initial.next(b) != null;
    }
    return new RuleFacts.Facts(nullable || nonEmpty, nullable, nonEmpty);
  }

  RuleFacts.Facts facts() {
    return facts;
  }

  Place initial() {
    return initial;
  }

  /** Adds the first byte of each class of bytes that lead to the same everywhere. */
  void addClassStarts(BitSet starts) {
    for (int b : byteOf) {
      starts.set(b);
    }
  }

  private Place place(Config[] configs) {
    Place place = new Place(configs, byteOf.length);
    if (places.size() >= MAX_PLACES) {
      places.clear();
    }
    Place same = places.putIfAbsent(place, place);
    return same != null ? same : place;
  }

  /** What follows after a byte of a class; null if a machine does not go on. */
  private @Nullable Place step(Place place, int c) {
    Place next = place.next[c];
    if (next == null) {
      next = newStep(place, byteOf[c]);
      place.next[c] = next;
    }
    return next == dead ? null : next;
  }

  private Place newStep(Place place, int b) {
    Config[] configs = new Config[place.configs.length];
    for (int i = 0; i < configs.length; i++) {
      configs[i] = machines.get(i).next(place.configs[i], b);
      if (configs[i].isDead()) {
        return dead;
      }
    }
    return place(configs);
  }

  private boolean isLive(Place place) {
    if (place.toEnd == UNKNOWN) {
      Place relaxed = place.relaxed();
      if (relaxed != place && relaxed.toEnd <= place.room) {
        place.toEnd = relaxed.toEnd;
      } else {
        search(place);
      }
    }
    return place.toEnd != DEAD;
  }

  private int findPlainToEnd(Place from) {
    Set<Place> met = new HashSet<>(List.of(from));
    Deque<Place> waiting = new ArrayDeque<>(met);
    int far = 0;
    for (Place at; (at = waiting.poll()) != null; ) {
      Set<Place> next = new HashSet<>();
      if (met.size() > MAX_PLAIN
          || !follow(at, PlainCapacity.UTF8.start(), PlainCapacity.UTF8, next)) {
        return DEAD;
      }
      far = Math.max(far, at.toEnd());
      next.stream().filter(met::add).forEach(waiting::add);
    }
    return far;
  }

  private Loop findLoop(Place place) {
    long low = Loop.BEYOND_ASCII & ~leadsElsewhere(place);
    long high = 0;
    for (int b = ' '; b < 0x80; b++) {
      if (PlainCapacity.PLAIN.contains(b) && step(place, classOf[b]) == place) {
        low |= Loop.lowBit((byte) b);
        high |= Loop.highBit((byte) b);
      }
    }
    return new Loop(low, high, Integer.MAX_VALUE, 0);
  }

  /** Bits of the characters beyond ASCII of which some do not lead back. */
  private long leadsElsewhere(Place place) {
    long bits = 0;
    int[] edges = PlainCapacity.BEYOND_ASCII.start();
    for (int e = 0; e < edges.length; e += 3) {
      for (int first = edges[e]; first <= edges[e + 1]; first++) {
        Set<Place> targets = new HashSet<>();
        int[] edge = {first, first, edges[e + 2]};
        boolean isLive = follow(place, edge, PlainCapacity.BEYOND_ASCII, targets);
        if (!isLive || !targets.equals(Set.of(place))) {
          bits |= Loop.lowBit((byte) first);
        }
      }
    }
    return bits;
  }

  /** Collects the places that characters lead to; false if one leads nowhere. */
  private boolean follow(Place from, int[] edges, Utf8Ranges utf8, Set<Place> targets) {
    for (int e = 0; e < edges.length; e += 3) {
      for (int c = classOf[edges[e]]; c <= classOf[edges[e + 1]]; c++) {
        Place next = from.next(byteOf[c]);
        if (next == null) {
          return false;
        }
        if (edges[e + 2] == 0) {
          targets.add(next);
        } else if (!follow(next, utf8.states.get(edges[e + 2]), utf8, targets)) {
          return false;
        }
      }
    }
    return true;
  }

  /** Finds an end, and tells the places on the way to it; or marks all that were met as dead. */
  private void search(Place from) {
    if (from.isComplete()) {
      from.toEnd = 0;
      return;
    }
    Map<Place, Place> cameFrom = new IdentityHashMap<>();
    cameFrom.put(from, from);
    Deque<Place> waiting = new ArrayDeque<>(List.of(from));
    for (Place at; (at = waiting.poll()) != null; ) {
      if (cameFrom.size() > MAX_SEARCH) {
        throw new GrammarException(
            "rule '"
                + name
                + "' is too large an intersection: no end in "
                + cameFrom.size()
                + " steps");
      }
      for (int c = 0; c < byteOf.length; c++) {
        Place next = step(at, c);
        if (next == null || next.toEnd == DEAD || cameFrom.putIfAbsent(next, at) != null) {
          continue;
        }
        if (next.isComplete()) {
          next.toEnd = 0;
        }
        if (next.toEnd >= 0) {
          tell(next, cameFrom);
          return;
        }
        waiting.add(next);
      }
    }
    cameFrom.keySet().forEach(place -> place.toEnd = DEAD);
  }

  /** Tells the places on the way to one that an end is known from. */
  private static void tell(Place end, Map<Place, Place> cameFrom) {
    Place at = end;
    for (Place before; (before = cameFrom.get(at)) != null && before != at; at = before) {
      before.toEnd = at.toEnd + 1;
    }
  }
}
