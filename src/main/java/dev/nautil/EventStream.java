package dev.nautil;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/** A reply whose events are made on the thread that reads them. */
abstract class EventStream implements Reply.Stream, Iterator<Event> {
  /** That happened and were not read yet. */
  final Deque<Event> events = new ArrayDeque<>();

  /** Set when it is complete; its {@link Event.Done} is the last event. */
  volatile @Nullable Reply reply;

  /** Set when the reply fails. */
  volatile @Nullable RuntimeException failure;

  /**
   * Waits for something to happen: adds events, or sets the reply, or sets the failure and throws
   * it.
   */
  abstract void advance();

  /**
   * Begins to end the reply early.
   *
   * @return whether {@link #close} is to wait until it has ended
   */
  abstract boolean cancel();

  @Override
  public Iterator<Event> iterator() {
    return this;
  }

  @Override
  public synchronized boolean hasNext() {
    if (failure != null) {
      throw failure;
    }
    while (events.isEmpty() && reply == null) {
      advance();
    }
    return !events.isEmpty();
  }

  @Override
  public synchronized Event next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the reply has ended");
    }
    return events.remove();
  }

  @Override
  public Reply reply() {
    while (hasNext()) {
      next();
    }
    return reply;
  }

  @Override
  public void close() {
    if (reply != null || failure != null || !cancel()) {
      return;
    }
    synchronized (this) {
      while (reply == null && failure == null) {
        try {
          advance();
        } catch (RuntimeException e) {
          // It is what ended the reply, and there is no one to tell: the caller wanted it to end.
          return;
        }
      }
    }
  }
}
