package dev.nautil.engine;

import dev.nautil.CancelledException;
import dev.nautil.NautilException;
import dev.nautil.Pooling;
import dev.nautil.engine.Generation.Signal;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * Has an engine read texts for their embeddings, several at once, on the thread that waits for
 * them.
 */
public final class Embedder {
  /**
   * Texts that are read at once: the engine has 16 places, and half of them are for conversations.
   */
  private static final int MOST_AT_ONCE = 8;

  private record Pending(SignalSource source, int room) {}

  private final Engine engine;
  private final Pooling pooling;

  /** Tokens of the cache that texts may take together, so that one call alone never fills it. */
  private final int mostRoom;

  private final Deque<Pending> pending = new ArrayDeque<>();
  private int room;

  /** For one call of {@link #embed}. */
  public Embedder(Engine engine, Pooling pooling) {
    this.engine = engine;
    this.pooling = pooling;
    // What fills a step and the next one keeps the engine busy.
    int busy = 2 * engine.context().info().batchSize();
    mostRoom = Math.min(busy, engine.context().info().contextLength());
  }

  /**
   * The pooled hidden states of each text.
   *
   * @param texts token ids, each one at least and no more than the context has room for
   * @throws IllegalStateException if the engine is or was closed
   * @throws CancelledException if the thread is interrupted; it then still is
   */
  public List<double[]> embed(List<int[]> texts) {
    List<double[]> embeddings = new ArrayList<>(texts.size());
    try {
      for (int[] text : texts) {
        int needed = (text.length + KvRoom.PAGE - 1) / KvRoom.PAGE * KvRoom.PAGE;
        while (!pending.isEmpty() && (pending.size() == MOST_AT_ONCE || room + needed > mostRoom)) {
          embeddings.add(await());
        }
        pending.add(new Pending(engine.submitEmbedding(text, pooling), needed));
        room += needed;
      }
      while (!pending.isEmpty()) {
        embeddings.add(await());
      }
      return embeddings;
    } finally {
      pending.forEach(left -> left.source.cancel());
    }
  }

  /** Waits for the first of those that are read. */
  private double[] await() {
    Pending first = pending.element();
    Signal signal = take(first.source);
    while (signal instanceof Signal.Prompt) {
      signal = take(first.source);
    }
    pending.remove();
    room -= first.room;
    if (signal instanceof Signal.Embedding embedding) {
      return embedding.values();
    }
    if (signal instanceof Signal.Failed failed) {
      throw failed.cause() instanceof RuntimeException unchecked
          ? unchecked
          : new NautilException("the embedding failed: " + failed.cause(), failed.cause());
    }
    throw new IllegalStateException("an embedding ended with " + signal);
  }

  private static Signal take(SignalSource source) {
    try {
      return source.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("the thread was interrupted");
    }
  }
}
