package dev.nautil.store;

import dev.nautil.registry.Backoff;
import dev.nautil.registry.BlobSource;
import dev.nautil.registry.Body;
import dev.nautil.registry.Descriptor;
import dev.nautil.registry.RegistryException;
import dev.nautil.registry.RegistryException.Kind;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Fetches blobs, one after another, each over several connections, while one thread hashes what has
 * arrived.
 *
 * <p>Blobs come in their order, since the hash of one can only be computed from its start: so it
 * advances with what arrives, and there is little left to do at the end.
 */
final class Downloads {
  private final StoreFolder folder;
  private final BlobSource source;
  private final List<PartialBlob> blobs;
  private final AtomicLong pieces = new AtomicLong();
  private final Set<Body> open = ConcurrentHashMap.newKeySet();
  private volatile boolean ends;
  private @Nullable IOException failure;
  private int finished;
  private int connections = 1;

  /**
   * @param blobs whose locks the caller holds; they are closed by the caller
   */
  Downloads(StoreFolder folder, BlobSource source, List<PartialBlob> blobs) {
    this.folder = folder;
    this.source = source;
    this.blobs = blobs;
  }

  /**
   * Returns when all blobs are in the store.
   *
   * @param connections at once
   * @param progress called some ten times a second, by this thread; what it throws ends the
   *     fetching
   * @throws RegistryException if one cannot be fetched; what has arrived remains
   * @throws InterruptedException if this thread is interrupted; what has arrived remains
   */
  void run(int connections, Progress progress) throws IOException, InterruptedException {
    synchronized (this) {
      this.connections = connections;
    }
    AtomicInteger number = new AtomicInteger();
    ExecutorService threads =
        Executors.newCachedThreadPool(
            task -> {
              Thread thread = new Thread(task, "nautil-pull-" + number.getAndIncrement());
              thread.setDaemon(true);
              return thread;
            });
    try {
      threads.execute(() -> attempt(this::hash));
      for (int i = 0; i < connections; i++) {
        threads.execute(() -> attempt(this::fetch));
      }
      synchronized (this) {
        while (finished < blobs.size() && failure == null) {
          wait(100);
          progress.report();
        }
      }
    } finally {
      // Threads that write end between two writes; their channels are not used afterwards. Those
      // that wait for a body do not notice that they are interrupted.
      threads.shutdownNow();
      ends = true;
      open.forEach(Body::close);
      boolean interrupted = Thread.interrupted();
      while (!threads.isTerminated()) {
        try {
          threads.awaitTermination(1, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
    IOException failed = failure();
    if (failed != null) {
      throw failed;
    }
  }

  private synchronized @Nullable IOException failure() {
    return finished < blobs.size() ? failure : null;
  }

  /** Tells how far it is. */
  interface Progress {
    void report() throws IOException;
  }

  private interface Task {
    void run() throws IOException, InterruptedException;
  }

  private void attempt(Task task) {
    try {
      task.run();
    } catch (InterruptedException | InterruptedIOException e) {
      // Whoever interrupted knows.
    } catch (IOException e) {
      fail(e);
    } catch (RuntimeException | Error e) {
      fail(new IOException("a defect of Nautil: " + e, e));
    }
  }

  private synchronized void fail(IOException e) {
    if (failure == null) {
      failure = e;
    }
    notifyAll();
  }

  /** Hashes each blob as it arrives, and gives it its name. */
  private void hash() throws IOException, InterruptedException {
    for (PartialBlob blob : blobs) {
      while (!blob.hash().equals(blob.blob().digest())) {
        source.distrust();
        // Nobody fetches pieces of it now: all are there.
        if (!blob.restart()) {
          throw new RegistryException(
              Kind.OTHER,
              "what was sent twice for "
                  + blob.blob().digest()
                  + " is something else: the registry, or something on the way to it, is damaged");
        }
        wake();
      }
      blob.keep(folder.blob(blob.blob().digest()));
      synchronized (this) {
        finished++;
        notifyAll();
      }
    }
  }

  private synchronized void wake() {
    notifyAll();
  }

  private void fetch() throws IOException, InterruptedException {
    byte[] buffer = new byte[Journal.PIECE];
    Backoff backoff = source.backoff();
    long seen = pieces.get();
    for (PartialBlob.Segment segment = next(null); segment != null; segment = next(segment)) {
      try {
        fetch(segment, buffer);
      } catch (RegistryException e) {
        if (ends) {
          return;
        }
        if (e.kind() != Kind.CHANGED || !segment.of().restartWhole(segment)) {
          // A server that serves two of four connections is no reason to give up.
          if (pieces.get() != seen) {
            backoff.progressed();
          }
          seen = pieces.get();
          backoff.await(e);
        }
      }
    }
  }

  /**
   * What is to be fetched next; null when all blobs are finished.
   *
   * @param last what the caller has had, if anything. If it did not get all of it, it gets the
   *     rest: another thread would not have waited, nor counted the failures.
   */
  private synchronized PartialBlob.@Nullable Segment next(PartialBlob.@Nullable Segment last)
      throws InterruptedException {
    if (last != null) {
      last.of().release(last);
      notifyAll();
      PartialBlob.Segment rest = last.of().take(connections);
      if (rest != null) {
        return rest;
      }
    }
    while (finished < blobs.size() && failure == null) {
      for (PartialBlob each : blobs.subList(finished, blobs.size())) {
        PartialBlob.Segment segment = each.take(connections);
        if (segment != null) {
          return segment;
        }
      }
      // Until somebody gives one back, or a blob has to begin anew.
      wait();
    }
    return null;
  }

  private Body opened(Descriptor blob, long from, long to) throws IOException {
    Body body = source.open(blob, from, to);
    open.add(body);
    if (ends) {
      body.close();
    }
    return body;
  }

  private void fetch(PartialBlob.Segment segment, byte[] buffer) throws IOException {
    PartialBlob blob = segment.of();
    long from = Journal.start(segment.first());
    long to = blob.end(segment.last() - 1);
    Body body = opened(blob.blob(), from, to);
    try (body) {
      if (body.start() != from) {
        blob.fetchWhole();
        return;
      }
      for (int piece = segment.first(); piece < segment.last(); piece++) {
        body.readFully(buffer, blob.length(piece));
        if (blob.isComplete()) {
          return;
        }
        blob.makeRoom(segment, piece);
        // One that comes again is no progress, or a server that breaks each time were asked
        // forever.
        if (blob.write(piece, buffer)) {
          pieces.incrementAndGet();
        }
      }
    } finally {
      open.remove(body);
    }
  }
}
