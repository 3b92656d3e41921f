package dev.nautil.internal;

import dev.nautil.internal.bindings.Nautil;
import dev.nautil.internal.bindings.NtPool;

/** A pool of threads that contexts share. Thread-safe. */
public final class NativePool implements AutoCloseable {
  private final NativeHandle<NtPool> handle;

  /**
   * @param threads 0: as many as the process may run at once
   */
  public NativePool(int threads) {
    CallStatus status = new CallStatus(null);
    NtPool pool = status.check(Nautil.nt_pool_new(threads, status.error()));
    handle = new NativeHandle<>(this, "thread pool", pool, Nautil::nt_pool_free, () -> {});
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

  /** Contexts that use the pool keep it until they are closed. */
  @Override
  public void close() {
    handle.close();
  }
}
