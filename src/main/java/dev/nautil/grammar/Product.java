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
final class Product implements Loop.Steps<Product.Place> {
  /** Places that a search for an end may visit. */
  private static final int MAX_SEARCH = 300_000;

  /** Places that plain characters lead to, above which no more are looked at. */
  private static final int MAX_PLAIN = 64;

  /** Places among which a loop is looked for. */
  private static final int MAX_NEAR = 64;

  /** Places that are kept in order to be found again. */
  private static final int MAX_PLACES = 400_000;

  /** What is not known of a place yet. */
  private static final int UNKNOWN = -1;

  /** Of a place that no text leads to an end from. */
  private static final int DEAD = -2;

  /** Where all machines are. Equal ones are the same object. */
  final class Place {
    final Config[] configs;
    private @Nullable Place @Nullable [] next;

    /** Bytes of some text that leads to where all are complete; or {@link #UNKNOWN}. */
    private int toEnd = UNKNOWN;

    private int plainToEnd = UNKNOWN;
    private Set<Place> plainPlaces = Set.of();
    private @Nullable Place relaxed;
    private int room = Integer.MAX_VALUE;

    /** The relaxed place without counts of rounds: {@link Machine#open}. */
    private @Nullable Place open;

    /** Rounds that are left to the least and to the most of those counts. */
    private int need;

    private int openRoom = Integer.MAX_VALUE;

    /**
     * The least that is left to the most of those counts of which each plain character is a round.
     */
    private int plainRoom = Integer.MAX_VALUE;

    /** Whether all that is counted is one of those counts. */
    private boolean isOneCount;

    /** Of an open place; as {@link #toEndByLoop()}. */
    private int toEndByLoop = UNKNOWN;

    /** Of an open place, where it was looked for. */
    @Nullable Loop loop;

    private Place(Config[] configs) {
      this.configs = configs;
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

    /** The first of the bytes around one that are known to lead to the same place. */
    int firstLike(int b) {
      int c = classOf[b];
      while (next != null && c > 0 && next[c - 1] == next[classOf[b]]) {
        c--;
      }
      return byteOf[c];
    }

    /** The last of them. */
    int lastLike(int b) {
      int c = classOf[b] + 1;
      while (next != null && c < byteOf.length && next[c] == next[classOf[b]]) {
        c++;
      }
      return c < byteOf.length ? byteOf[c] - 1 : 255;
    }

    /**
     * Where the machines' configurations are relaxed. What leads on from there leads on from here
     * too, if there is room for it and for {@link #toEnd} more where it leads: that text is then an
     * end here as well.
     */
    Place relaxed() {
      Place place = relax();
      if (place != this) {
        isLive(place);
      }
      return place;
    }

    /** As {@link #relaxed}, without looking for its end: a search may ask for it. */
    private Place relax() {
      if (relaxed == null) {
        Config[] all = new Config[configs.length];
        for (int i = 0; i < all.length; i++) {
          all[i] = machines.get(i).relaxed(configs[i]);
          room = Math.min(room, configs[i].room);
        }
        relaxed = place(all);
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
        plainToEnd = DEAD;
        if (open() == this) {
          findPlainToEnd(this);
        }
      }
      return plainToEnd;
    }

    /** The places that plain characters lead to; where {@link #plainToEnd()} has found them. */
    Set<Place> plainPlaces() {
      return plainPlaces;
    }

    /**
     * Where nothing is counted of what counts rounds and nothing else: what leads on from here
     * leads on from there, to a place whose open place is the one that it leads to there.
     */
    Place open() {
      if (open == null) {
        Config[] all = relax().configs.clone();
        openRoom = room;
        int counts = 0;
        for (int i = 0; i < all.length; i++) {
          if (all[i].isCounting()) {
            Node node = all[i].nodes[0];
            Frame frame = node.state.frame;
            need = Math.max(need, frame.min - node.count);
            if (frame.max != Rule.UNBOUNDED) {
              int left = frame.max - node.count;
              openRoom = Math.min(openRoom, left);
              plainRoom = frame.hasPlainRounds ? Math.min(plainRoom, left) : plainRoom;
            }
            all[i] = machines.get(i).open(all[i]);
            counts++;
          }
        }
        isOneCount = counts == 1 && room == Integer.MAX_VALUE;
        open = place(all);
      }
      return open;
    }

    /**
     * Of an open place: bytes of some text that leads to an end by way of a place that a plain
     * character of one byte leads back to, at most, so that any number of characters more can be
     * put into it; negative if none is near.
     */
    int toEndByLoop() {
      if (toEndByLoop == UNKNOWN) {
        findLoopOnTheWay(this);
      }
      return toEndByLoop;
    }

    /**
     * Up to how many plain characters of a token it is known whether they lead on from here: if and
     * only if they do from the open place.
     *
     * @param far the most of {@link #toEnd()} where they lead to there, if no more rounds are
     *     needed; else the most of {@link #toEndByLoop()}
     */
    int openChars(int far) {
      return need == 0 || mayEndByLoop(far) ? openRoom - far : 0;
    }

    /** Rounds that are needed before an end. */
    int need() {
      open();
      return need;
    }

    /** Plain characters above which none leads on. */
    int plainRoom() {
      return plainRoom;
    }

    /**
     * Whether there is room to have as many rounds as are needed on the way to an end, by as many
     * characters more at the loop, each of which is a round of every count.
     */
    private boolean mayEndByLoop(int far) {
      // Of one count, those on the way are rounds as well.
      return isOneCount ? Math.max(need, far) <= openRoom : need + far <= openRoom;
    }

    /** Sets {@link #loop}. */
    void findLoop() {
      loop = Loop.at(this, Product.this);
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

    /**
     * The fewest bytes that lead to an end, if any do: more may be needed to get to one together.
     */
    int leastToEnd() {
      Config farthest = farthest();
      return farthest == null ? 0 : farthest.leastToEnd;
    }

    /** The machine that is farthest from an end; null if all are complete. */
    private @Nullable Config farthest() {
      Config farthest = null;
      for (Config config : configs) {
        if (!config.isComplete && (farthest == null || config.leastToEnd > farthest.leastToEnd)) {
          farthest = config;
        }
      }
      return farthest;
    }

    /** The byte that the machine which is farthest from an end takes to one; −1 if none. */
    int wayByte() {
      Config farthest = farthest();
      return farthest == null ? -1 : farthest.wayByte();
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

  /** By class: whether a plain character of one byte is of it. */
  private final boolean[] isPlain;

  private final Map<Place, Place> places = new HashMap<>();
  private final Place dead = new Place(new Config[0]);
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
    isPlain = new boolean[byteOf.length];
    for (int b = ' '; b < 0x80; b++) {
      isPlain[classOf[b]] |= PlainCapacity.PLAIN.contains(b);
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
      Distances.set(program.frames);
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
    Place place = new Place(configs);
    if (places.size() >= MAX_PLACES) {
      places.clear();
    }
    Place same = places.putIfAbsent(place, place);
    return same != null ? same : place;
  }

  /** What follows after a byte of a class; null if a machine does not go on. */
  private @Nullable Place step(Place place, int c) {
    @Nullable Place[] known = place.next;
    if (known == null) {
      known = new Place[byteOf.length];
      place.next = known;
    }
    Place next = known[c];
    if (next == null) {
      next = newStep(place, byteOf[c]);
      known[c] = next;
      for (int d = c - 1; d >= 0 && isAlike(place, c, d); d--) {
        known[d] = next;
      }
      for (int d = c + 1; d < known.length && isAlike(place, c, d); d++) {
        known[d] = next;
      }
    }
    return next == dead ? null : next;
  }

  /** Whether bytes of two classes are known to lead to the same, or nowhere. */
  private boolean isAlike(Place place, int c, int d) {
    for (int i = 0; i < place.configs.length; i++) {
      Machine machine = machines.get(i);
      if (!machine.isAlike(place.configs[i], byteOf[c], byteOf[d])) {
        return false;
      }
      if (machine.next(place.configs[i], byteOf[c]).isDead()) {
        return true;
      }
    }
    return true;
  }

  private Place newStep(Place place, int b) {
    // Often a length that is reached: the others' ways on need not be made.
    for (Config config : place.configs) {
      if (config.nodes.length == 0) {
        return dead;
      }
    }
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
      } else if (!endsByLoop(place) && !descend(place)) {
        search(place, true);
      }
    }
    return place.toEnd != DEAD;
  }

  /** The same of an open place, without looking for loops: they are looked for from there. */
  private boolean isOpenLive(Place place) {
    if (place.toEnd == UNKNOWN && !descend(place)) {
      search(place, false);
    }
    return place.toEnd != DEAD;
  }

  /** Tells a place below a least count an end that it has by way of a loop, if it has one. */
  private static boolean endsByLoop(Place place) {
    int far = place.need() == 0 ? DEAD : place.open().toEndByLoop();
    if (far < 0 || !place.mayEndByLoop(far)) {
      return false;
    }
    place.toEnd = place.need + far;
    return true;
  }

  private void findPlainToEnd(Place from) {
    Set<Place> met = new HashSet<>(List.of(from));
    Deque<Place> waiting = new ArrayDeque<>(met);
    int far = 0;
    for (Place at; (at = waiting.poll()) != null; ) {
      Set<Place> next = new HashSet<>();
      if (met.size() > MAX_PLAIN
          || !Loop.follow(at, PlainCapacity.UTF8.start(), PlainCapacity.UTF8, this, next)) {
        return;
      }
      far = Math.max(far, at.toEnd());
      next.stream().filter(met::add).forEach(waiting::add);
    }
    from.plainToEnd = far;
    from.plainPlaces = met;
  }

  @Override
  public @Nullable Place after(Place from, int b) {
    return from.next(b);
  }

  @Override
  public int[] classOf() {
    return classOf;
  }

  @Override
  public int[] byteOf() {
    return byteOf;
  }

  /**
   * Finds {@link Place#toEndByLoop} of a place and of those on the way to a loop: depth first,
   * since nearly any way leads to one, and few places are met so.
   */
  private void findLoopOnTheWay(Place from) {
    List<Place> way = new ArrayList<>(List.of(from));
    IntStack classes = new IntStack();
    classes.push(0);
    Set<Place> met = new HashSet<>(way);
    while (!way.isEmpty() && met.size() < MAX_NEAR) {
      Place at = way.get(way.size() - 1);
      int c = classes.pop();
      if (c == byteOf.length) {
        way.remove(way.size() - 1);
        continue;
      }
      classes.push(c + 1);
      Place next = step(at, c);
      int far = DEAD;
      if (next == at && isPlain[c] && isOpenLive(at)) {
        far = at.toEnd();
      } else if (next != null && next.toEnd != DEAD && met.add(next)) {
        if (next.toEndByLoop < 0) {
          way.add(next);
          classes.push(0);
          continue;
        }
        far = next.toEndByLoop + 1;
      }
      if (far >= 0) {
        for (int i = way.size() - 1; i >= 0; i--) {
          way.get(i).toEndByLoop = far++;
        }
        return;
      }
    }
    from.toEndByLoop = DEAD;
  }

  /**
   * Follows the shortest ways of the machines, which they mostly can go together, and tells the
   * places there; false if they don't lead to an end, or to one that is too far.
   */
  private boolean descend(Place from) {
    List<Place> way = new ArrayList<>(List.of(from));
    Place at = from;
    while (!at.isComplete() && at.toEnd < 0) {
      at = way.size() < MAX_SEARCH ? nearer(at) : null;
      if (at == null) {
        return false;
      }
      way.add(at);
    }
    int far = Math.max(at.toEnd, 0);
    for (int i = way.size() - 1; i >= 0; i--) {
      way.get(i).toEnd = far++;
    }
    return true;
  }

  /** What follows on the way of one of the machines, nearer to an end; null if none is. */
  private @Nullable Place nearer(Place at) {
    int least = at.leastToEnd();
    for (Config config : at.configs) {
      int b = config.isComplete ? -1 : config.wayByte();
      Place next = b < 0 ? null : step(at, classOf[b]);
      if (next != null && next.toEnd != DEAD && next.leastToEnd() < least) {
        return next;
      }
    }
    return null;
  }

  /** Finds an end, and tells the places on the way to it; or marks all that were met as dead. */
  private void search(Place from, boolean byLoops) {
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
      if (byLoops && at != from && endsByLoop(at)) {
        tell(at, cameFrom);
        return;
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
