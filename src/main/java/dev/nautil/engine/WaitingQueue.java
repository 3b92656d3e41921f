package dev.nautil.engine;

import dev.nautil.BusyException;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/** Generations that have no place yet, in the order in which they came. Not thread-safe. */
final class WaitingQueue {
  private final Set<Generation> generations = new LinkedHashSet<>();
  private final int limit;

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
    generations.add(generation);
  }

  boolean isEmpty() {
    return generations.isEmpty();
  }

  /** Takes the first that is ready; null if none is. */
  @Nullable Generation poll(Predicate<Generation> isReady) {
    Iterator<Generation> each = generations.iterator();
    while (each.hasNext()) {
      Generation generation = each.next();
      if (isReady.test(generation)) {
        each.remove();
        return generation;
      }
    }
    return null;
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
