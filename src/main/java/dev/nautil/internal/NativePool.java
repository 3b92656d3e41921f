package dev.nautil.internal;

import dev.nautil.internal.bindings.Nautil;
import dev.nautil.internal.bindings.NtPool;
import java.util.HashMap;
import java.util.Map;

/**
 * A pool of threads. Contexts of the same number share one, of whatever model they are: two models
 * that work at once take turns, and do not fight for the processor. Thread-safe.
 */
public final class NativePool implements AutoCloseable {
  /** By number of threads. */
  private static final Map<Integer, Shared> POOLS = new HashMap<>();

  /** Guarded by {@link #POOLS}. */
  private static final class Shared {
    final NativeHandle<NtPool> handle;
    int users;

    Shared(int threads) {
      CallStatus status = new CallStatus(null);
      NtPool pool = status.check(Nautil.nt_pool_new(threads, status.error()));
      handle = new NativeHandle<>(this, "thread pool", pool, Nautil::nt_pool_free, () -> {});
    }
  }

  private final int key;
  private final NativeHandle<NtPool> handle;
  private boolean closed;

  /**
   * @param threads 0: as many as the process may run at once
   */
  public NativePool(int threads) {
    key = threads == 0 ? Native.defaultThreads() : threads;
    synchronized (POOLS) {
      Shared shared = POOLS.get(key);
      if (shared == null) {
        shared = new Shared(key);
        POOLS.put(key, shared);
      }
      shared.users++;
      handle = shared.handle;
    }
  }

  public int threads() {
    return handle.use(Nautil::nt_pool_threads);
  }

  /** Bytes a second that all threads together read from memory; takes about 1 s. */
  public double measureBandwidth() {
    return handle.use(
        pool -> {
          CallStatus status = new CallStatus(null);
          double[] result = new double[1];
          status.check(Nautil.nt_measure_bandwidth(pool, result, status.error()));
          return result[0];
        });
  }

  /** Peak int8 multiply-adds a second of all threads together; takes about 0.3 s. */
  public double measureDot() {
    return handle.use(
        pool -> {
          CallStatus status = new CallStatus(null);
          double[] result = new double[1];
          status.check(Nautil.nt_measure_dot(pool, result, status.error()));
          return result[0];
        });
  }

  NativeHandle<NtPool> handle() {
    return handle;
  }

  /** Contexts that use the pool keep it until they are closed, and so do others who share it. */
  @Override
  public void close() {
    synchronized (POOLS) {
      if (closed) {
        return;
      }
      closed = true;
      Shared shared = POOLS.get(key);
      shared.users--;
      if (shared.users == 0) {
        POOLS.remove(key);
        shared.handle.close();
      }
    }
  }
}
