package dev.nautil.engine;

import dev.nautil.BusyException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.NavigableSet;
import java.util.TreeSet;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Generations that have no place now, in the order in which they came. Not thread-safe. */
final class WaitingQueue {
  private final NavigableSet<Generation> generations =
      new TreeSet<>(Comparator.comparingLong(generation -> generation.number));
  private final int limit;
  private long added;

  /**
   * @param limit generations that may wait; those for which there is a place do not count
   */
  WaitingQueue(int limit) {
    this.limit = limit;
  }

  /**
   * Adds a generation; one that goes on with a turn in any case, of which each caller has one.
   *
   * @param places that are free
   * @throws BusyException if there is neither a place nor room to wait
   */
  void add(Generation generation, int places) {
    int waiting = Math.max(0, generations.size() - places);
    if (!generation.request.goesOn() && generations.size() - places >= limit) {
      throw new BusyException(waiting, limit);
    }
    generation.number = added++;
    generations.add(generation);
  }

  /** Adds one that had a place and lost it: it comes before those that came after it. */
  void putBack(Generation generation) {
    generations.add(generation);
  }

  boolean isEmpty() {
    return generations.isEmpty();
  }

  /** The first that is ready; null if none is. */
  @Nullable Generation first(Predicate<Generation> isReady) {
    return generations.stream().filter(isReady).findFirst().orElse(null);
  }

  /** Removes one. False: it does not wait here. */
  boolean remove(Generation generation) {
    return generations.remove(generation);
  }

  /** Removes all. */
  List<Generation> drain() {
    List<Generation> all = new ArrayList<>(generations);
    generations.clear();
    return all;
  }
}
