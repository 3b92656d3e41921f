package dev.nautil.internal;

import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.function.Function;
import org.bytedeco.javacpp.Pointer;

/**
 * A handle of the core, and when it is freed.
 *
 * <p>Each call takes a lease. Closing refuses new leases, asks the running calls to stop, waits for
 * them and frees the handle. A handle made from another one (a context from a model) holds it: a
 * held handle can be closed at any time, and is freed when the last holder is.
 *
 * <p>If nobody closes it, a {@link Cleaner} does once its owner is unreachable. Nothing that the
 * Cleaner keeps refers to the owner, or it never would be. The Cleaner never waits: where calls
 * still run, the last of them frees.
 *
 * <p>Thread-safe.
 */
final class NativeHandle<P extends Pointer> implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();

  private final Object owner;
  private final State<P> state;
  private final Cleaner.Cleanable cleanable;

  /**
   * @param owner whose reachability keeps the handle open
   * @param name what an exception calls the handle
   * @param free frees the pointer; must not refer to the owner
   * @param cancel makes running calls return soon; must not refer to the owner
   * @param held handles that must outlive this one; the caller has a lease on each
   */
  NativeHandle(
      Object owner,
      String name,
      P pointer,
      Consumer<P> free,
      Runnable cancel,
      NativeHandle<?>... held) {
    this.owner = owner;
    state = new State<>(name, pointer, free, cancel);
    for (NativeHandle<?> handle : held) {
      handle.state.hold();
      state.held.add(handle.state);
    }
    cleanable = CLEANER.register(owner, state::closeWithoutWaiting);
  }

  /**
   * Makes one call of the core.
   *
   * @throws IllegalStateException if the handle is closed
   */
  <R> R use(Function<P, R> call) {
    P pointer = state.lease();
    try {
      return call.apply(pointer);
    } finally {
      state.release();
      // Else the Cleaner could cancel the last call on an owner that nobody refers to any more.
      Reference.reachabilityFence(owner);
    }
  }

  boolean isClosed() {
    return state.isClosed();
  }

  /**
   * Cancels the running calls, waits for them and frees the handle; does nothing the second time.
   */
  @Override
  public void close() {
    state.close();
    cleanable.clean();
  }

  /**
   * Its monitor guards what changes. Giving a lease back takes nothing of the Java heap, which may
   * be full: a {@code ReentrantLock} does where threads meet, and a lease that was lost would be
   * waited for without end.
   */
  private static final class State<P extends Pointer> {
    private final String name;
    private final P pointer;
    private final Consumer<P> free;
    private final Runnable cancel;
    private final List<State<?>> held = new ArrayList<>();
    private int leases;
    private int holders;
    private boolean closed;
    private boolean freeing;
    private boolean freed;

    State(String name, P pointer, Consumer<P> free, Runnable cancel) {
      this.name = name;
      this.pointer = pointer;
      this.free = free;
      this.cancel = cancel;
    }

    synchronized P lease() {
      if (closed) {
        throw new IllegalStateException("this " + name + " is closed");
      }
      leases++;
      return pointer;
    }

    void release() {
      change(-1, 0);
    }

    /** Under a lease, so that the handle is not freed yet, even if it is closed. */
    synchronized void hold() {
      holders++;
    }

    synchronized boolean isClosed() {
      return closed;
    }

    void close() {
      closeWithoutWaiting();
      boolean interrupted = false;
      synchronized (this) {
        // The last call frees the handle, perhaps in another thread.
        while (leases > 0 || (freeing && !freed)) {
          try {
            wait();
          } catch (InterruptedException e) {
            interrupted = true;
          }
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }

    void closeWithoutWaiting() {
      synchronized (this) {
        closed = true;
      }
      cancel.run();
      change(0, 0);
    }

    /** Frees the handle if that leaves it closed and unused. */
    private void change(int moreLeases, int moreHolders) {
      synchronized (this) {
        leases += moreLeases;
        holders += moreHolders;
        notifyAll();
        if (!closed || freeing || leases > 0 || holders > 0) {
          return;
        }
        freeing = true;
      }
      try {
        free.accept(pointer);
      } finally {
        for (int i = 0; i < held.size(); i++) {
          held.get(i).change(0, -1);
        }
        synchronized (this) {
          freed = true;
          notifyAll();
        }
      }
    }
  }
}
