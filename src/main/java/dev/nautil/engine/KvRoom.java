package dev.nautil.engine;

import java.util.ArrayList;
import java.util.List;

/**
 * Lets a generation begin only where the KV cache has room for it beside those that have begun.
 *
 * <p>How long a reply will be is not known, so that what has begun may outgrow the cache
 * nevertheless. Then the youngest generation is paused: it gives up its room, and reads what it had
 * when it begins again. The oldest one is never paused for another one, and nobody who waits for
 * room is overtaken by a younger one, so that each has its turn.
 *
 * <p>The engine thread's alone.
 */
final class KvRoom {
  /** Tokens of a page of the KV cache: what sequences take it by, and share. */
  static final int PAGE = 64;

  private final long capacity;

  /**
   * Whether somebody was paused, and nothing has given room since: then nobody begins, whatever is
   * expected to fit, or the same two would push each other out without end.
   */
  private boolean isFull;

  /**
   * @param tokens that the KV cache has room for
   */
  KvRoom(long tokens) {
    capacity = tokens / PAGE;
  }

  /** A generation was paused for want of room. */
  void full() {
    isFull = true;
  }

  /** Something was done that may have given room. */
  void changed() {
    isFull = false;
  }

  /** Whether a generation fits beside others, conversations that nobody uses left out. */
  boolean isFor(Generation next, List<Generation> active) {
    if (isFull || active.isEmpty()) {
      return !isFull;
    }
    List<Generation> all = new ArrayList<>(active);
    all.add(next);
    return all.stream().mapToLong(KvRoom::pages).sum() - sharedPages(all) <= capacity;
  }

  /** Pages that a generation fills soon: one more than it has, unless it will be shorter. */
  private static long pages(Generation generation) {
    int left = generation.request.maxTokens() - generation.generated;
    return (generation.length() + Math.min(left, PAGE) + PAGE - 1L) / PAGE;
  }

  /** Of what generations begin with, one has the pages, and those that come after share them. */
  private static long sharedPages(List<Generation> all) {
    long shared = 0;
    for (int i = 1; i < all.size(); i++) {
      Generation generation = all.get(i);
      int longest =
          all.subList(0, i).stream()
              .mapToInt(earlier -> SharedPrefix.length(generation, earlier))
              .max()
              .orElse(0);
      shared += longest / PAGE;
    }
    return shared;
  }
}
