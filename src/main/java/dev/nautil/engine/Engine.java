package dev.nautil.engine;

import dev.nautil.BusyException;
import dev.nautil.CancelledException;
import dev.nautil.ContextFullException;
import dev.nautil.FinishReason;
import dev.nautil.NotEnoughMemoryException;
import dev.nautil.Pooling;
import dev.nautil.internal.CancelFlag;
import dev.nautil.internal.ModelInfo;
import dev.nautil.internal.NativeContext;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that decodes for all sessions of a model.
 *
 * <p><b>Steps.</b> Generations join and leave between steps, not between requests, as in Orca (Yu
 * et al., OSDI 2022). Each step takes the next token of every generation that has read its prompt:
 * what is decoded together costs little more than one alone, since the weights are read once. What
 * is left of the step's time goes to prompts, in chunks, as in Sarathi-Serve (Agrawal et al., OSDI
 * 2024), so that a long prompt does not halt the others. A chunk is sized by time, not in tokens:
 * {@link StepSize} learns what tokens cost on this machine. While no generation waits for its next
 * token, steps are longer, which reads prompts faster. Prompts share a step's tokens evenly ({@link
 * PromptShares}).
 *
 * <p><b>Places.</b> A generation that cannot have a place yet waits in a queue, which is bounded.
 * It also waits while another one reads what both prompts begin with ({@link SharedPrefix}); those
 * behind it do not.
 *
 * <p><b>Interrupting.</b> The core can end a step early, which undoes it. A cancelled generation
 * ends with the step under way, at once if it is alone in it. A step that would go on for longer
 * than others may wait is interrupted for whoever comes or cancels; the next one is then a short
 * one, so that prompts are read however many come.
 *
 * <p><b>The KV cache.</b> What prompts have in common with what it holds is not decoded again
 * ({@link ConversationCache}). Where memory leaves it less room than all places would take,
 * generations wait for room and are paused for want of it ({@link KvRoom}).
 *
 * <p><b>Failing.</b> What one generation alone does fails it alone. Where the system has no memory
 * for a step, the KV cache gives room as if it were full, so that only one that is alone fails.
 * Where the Java heap has none, those in the step fail: how far it came is not known.
 *
 * <p>The thread is a daemon and holds the context, not the model that users hold. Thread-safe.
 */
public final class Engine implements AutoCloseable {
  /** Generations that are decoded together; others wait. */
  public static final int PLACES = 16;

  /** Where a step's tokens are decoded: {@link NativeContext#decode}, but for tests. */
  @FunctionalInterface
  interface Decoder {
    void decode(int[] tokens, int[] sequences, int[] positions, byte[] want, CancelFlag cancel);
  }

  private final NativeContext context;
  private final Decoder decoder;

  /** That a generation can have, prompt and reply: then it fits if nobody else has any. */
  private final int mostTokens;

  private final CancelFlag cancel = new CancelFlag();
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final WaitingQueue waiting;
  private final RunningStep running = new RunningStep();
  private final Deque<Task> tasks = new ArrayDeque<>();
  private boolean closed;

  /** What the thread failed with, if it did. */
  private @Nullable Throwable failure;

  /** Whether the step that is being prepared would leave someone out, or is for one who left. */
  private boolean outdated;

  // Written by the engine thread.
  private volatile int freePlaces;
  private volatile double patience;

  // The engine thread's alone.
  private final ConversationCache cache;
  private final List<Generation> active = new ArrayList<>();
  private final KvRoom room;
  private final NextTokens nextTokens;
  private final StepSize stepSize;
  private final KvTransfer.Sequence transfers;
  private final int places;

  /** Whether the last step was interrupted: then the next one is short, and is not. */
  private boolean interrupted;

  /** Something else to do than to decode, and who is told if it cannot be done. */
  private record Task(Runnable work, Consumer<Throwable> failed) {
    /** As soon as the heap has room for it: somebody waits. */
    void fail(Throwable cause) {
      boolean told = false;
      while (!told) {
        try {
          failed.accept(cause);
          told = true;
        } catch (OutOfMemoryError e) {
          // Once more.
        }
      }
    }
  }

  /**
   * @param context the engine's from now on: closed with it. Its last sequence is for {@link
   *     KvTransfer}
   * @param model whose context it is
   * @param maxWaiting generations that may wait for a place
   */
  public Engine(NativeContext context, ModelInfo model, int maxWaiting) {
    this(context, model, maxWaiting, context::decode);
  }

  /** With another decoder, which has the context decode, or fails. */
  Engine(NativeContext context, ModelInfo model, int maxWaiting, Decoder decoder) {
    this(context, model, maxWaiting, decoder, Masks.WORKERS);
  }

  /** With other workers for masks, too. */
  Engine(
      NativeContext context,
      ModelInfo model,
      int maxWaiting,
      Decoder decoder,
      Executor maskWorkers) {
    this.context = context;
    this.decoder = decoder;
    long capacity = context.info().kvCapacity();
    mostTokens = (int) Math.min(context.info().contextLength(), capacity);
    room = new KvRoom(capacity);
    long attention = 2L * model.layers() * model.heads() * model.headDim();
    stepSize = new StepSize(model.parameters(), attention, context.info().batchSize());
    patience = stepSize.sharedSeconds();
    waiting = new WaitingQueue(maxWaiting);
    int last = context.info().sequences() - 1;
    cache = new ConversationCache(context, last);
    transfers = new KvTransfer.Sequence(last);
    places = Math.min(PLACES, last);
    nextTokens = new NextTokens(context, places, maskWorkers, this::end, this::fail);
    freePlaces = places;
    thread = new Thread(this::run, "nautil-engine");
    thread.setDaemon(true);
    thread.start();
  }

  public NativeContext context() {
    return context;
  }

  /** What the KV cache holds. The engine thread's alone: see {@link #betweenSteps}. */
  ConversationCache cache() {
    return cache;
  }

  /**
   * Starts a generation.
   *
   * @throws ContextFullException if the prompt does not fit into the context
   * @throws BusyException if as many wait as may
   * @throws IllegalStateException if the engine is closed
   */
  public Generation submit(GenerationRequest request) {
    int length = request.prompt().length;
    if (length > mostTokens) {
      throw new ContextFullException(
          "the conversation has " + length + " tokens; the context has room for " + mostTokens,
          0,
          length,
          mostTokens);
    }
    return submit(new Generation(request, this::cancelled));
  }

  /**
   * Reads a text for the embedding that its hidden states give.
   *
   * @param tokens one at least, and no more than the context has room for; not copied
   * @throws IllegalStateException if the engine is closed
   */
  public SignalSource submitEmbedding(int[] tokens, Pooling pooling) {
    return submit(Generation.embedding(tokens, pooling, this::cancelled));
  }

  private Generation submit(Generation generation) {
    lock.lock();
    try {
      requireOpen();
      waiting.add(generation, freePlaces);
      if (freePlaces > 0) {
        outdated = true;
        interruptIf(running.isLongerThan(patience));
      }
      changed.signal();
    } finally {
      lock.unlock();
    }
    return generation;
  }

  /**
   * Begins to move tokens between the KV cache and the caller's memory, after any other thread that
   * does so.
   */
  public KvTransfer transfer() throws InterruptedException {
    return new KvTransfer(this, transfers);
  }

  /**
   * Has something done by the engine's thread between two steps. The result fails with an {@link
   * IllegalStateException} if the engine is closed.
   */
  <T> CompletableFuture<T> betweenSteps(Supplier<T> work) {
    CompletableFuture<T> result = new CompletableFuture<>();
    lock.lock();
    try {
      requireOpen();
      tasks.add(new Task(() -> result.complete(work.get()), result::completeExceptionally));
      interruptIf(running.isLongerThan(patience));
      changed.signal();
    } catch (IllegalStateException e) {
      result.completeExceptionally(e);
    } finally {
      lock.unlock();
    }
    return result;
  }

  /** Cancels what runs, fails it, waits for the thread and closes the context. */
  @Override
  public void close() {
    closeWithoutWaiting();
    boolean interrupted = false;
    while (thread.isAlive() && Thread.currentThread() != thread) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }

  /** What {@link #close} does, but for the waiting. */
  public void closeWithoutWaiting() {
    lock.lock();
    try {
      closed = true;
      changed.signal();
    } finally {
      lock.unlock();
    }
    cancel.cancel();
  }

  /**
   * Does nothing while the engine is open.
   *
   * @throws IllegalStateException if it is closed
   */
  public void requireOpen() {
    lock.lock();
    try {
      if (closed) {
        throw closedException();
      }
    } finally {
      lock.unlock();
    }
  }

  /** With the lock. */
  private IllegalStateException closedException() {
    return failure == null
        ? new IllegalStateException("this model is closed")
        : new IllegalStateException("this model is closed: its engine failed: " + failure, failure);
  }

  /** A generation was cancelled, by any thread. */
  private void cancelled(Generation generation) {
    lock.lock();
    try {
      if (waiting.remove(generation)) {
        generation.end(FinishReason.CANCELLED);
        return;
      }
      outdated = true;
      interruptIf(running.isOnlyFor(generation) || running.isLongerThan(patience));
      changed.signal();
    } finally {
      lock.unlock();
    }
  }

  private void interruptIf(boolean worthIt) {
    if (worthIt) {
      cancel.cancel();
    }
  }

  private void run() {
    try {
      boolean open;
      do {
        open = goOn();
      } while (open);
    } catch (Throwable e) {
      fail(e);
    } finally {
      failAll();
      context.close();
    }
  }

  /** False: closed. */
  private boolean goOn() {
    try {
      if (!awaitWork()) {
        return false;
      }
      doTasks();
      step();
    } catch (OutOfMemoryError e) {
      // At any place. What was decoded and not noted in a slot is cut off when that is used again.
      failActive(e);
    }
    return true;
  }

  private void doTasks() {
    for (Task task : takeTasks()) {
      room.changed();
      try {
        task.work.run();
      } catch (Throwable e) {
        task.fail(e);
      }
    }
  }

  private List<Task> takeTasks() {
    lock.lock();
    try {
      List<Task> taken = List.copyOf(tasks);
      tasks.clear();
      return taken;
    } finally {
      lock.unlock();
    }
  }

  private void fail(Throwable cause) {
    lock.lock();
    try {
      failure = cause;
    } finally {
      lock.unlock();
    }
    closeWithoutWaiting();
  }

  private void failAll() {
    Throwable cause;
    lock.lock();
    try {
      cause = failure == null ? closedException() : failure;
      active.addAll(waiting.drain());
    } finally {
      lock.unlock();
    }
    takeTasks().forEach(task -> task.fail(cause));
    active.forEach(generation -> generation.fail(cause));
    active.clear();
  }

  /**
   * Waits until there is something to do and gives waiting generations their places. False: closed.
   */
  private boolean awaitWork() {
    lock.lock();
    try {
      while (true) {
        cancel.reset();
        outdated = false;
        if (closed) {
          return false;
        }
        dropCancelled();
        startWaiting();
        if (!active.isEmpty() || !tasks.isEmpty()) {
          return true;
        }
        changed.awaitUninterruptibly();
      }
    } finally {
      lock.unlock();
    }
  }

  private void dropCancelled() {
    for (Generation generation : List.copyOf(active)) {
      if (generation.isCancelled()) {
        end(generation, FinishReason.CANCELLED);
      }
    }
  }

  private void startWaiting() {
    while (active.size() < places) {
      Generation next =
          waiting.first(generation -> !SharedPrefix.isBeingRead(generation, active, cache.slots()));
      if (next == null || !room.isFor(next, active)) {
        return;
      }
      active.add(next);
      waiting.remove(next);
      freePlaces = places - active.size();
      try {
        cache.start(next);
      } catch (RuntimeException | OutOfMemoryError e) {
        fail(next, e);
      }
    }
  }

  private void end(Generation generation, FinishReason reason) {
    try {
      release(generation);
    } finally {
      generation.end(reason);
    }
  }

  private void release(Generation generation) {
    active.remove(generation);
    freePlaces = places - active.size();
    cache.release(generation);
    room.changed();
  }

  private void step() {
    cache.beginStep();
    for (Generation generation : List.copyOf(active)) {
      if (generation.isPromptDone() && generation.slot.length() >= mostTokens) {
        end(generation, FinishReason.CONTEXT_FULL);
      }
    }
    if (active.isEmpty()) {
      return;
    }
    boolean isLong = !interrupted && active.stream().noneMatch(Generation::isPromptDone);
    Batch batch = nextBatch(isLong ? stepSize.aloneSeconds() : stepSize.sharedSeconds());
    double work = batch.work(stepSize);
    if (!begin(batch, isLong, work)) {
      return;
    }
    nextTokens.prepare(active);
    long start = System.nanoTime();
    try {
      batch.decode(decoder, cancel);
    } catch (CancelledException e) {
      interrupted = true;
      return;
    } catch (ContextFullException e) {
      makeRoom();
      return;
    } catch (NotEnoughMemoryException e) {
      makeDoWithLess(e);
      return;
    } catch (RuntimeException e) {
      failActive(e);
      return;
    } finally {
      finished();
    }
    interrupted = false;
    batch.advance(cache.steps());
    pool();
    nextTokens.draw(active);
    stepSize.measured(batch.size(), work, (System.nanoTime() - start) / 1e9);
    patience = stepSize.sharedSeconds();
  }

  /** False: something has changed, and the batch must be put together anew. */
  private boolean begin(Batch batch, boolean isLong, double work) {
    lock.lock();
    try {
      if (outdated || closed) {
        return false;
      }
      running.begin(batch, isLong, stepSize.expectedSeconds(work));
      return true;
    } finally {
      lock.unlock();
    }
  }

  private void finished() {
    lock.lock();
    try {
      running.end();
    } finally {
      lock.unlock();
    }
  }

  private void failActive(Throwable cause) {
    while (!active.isEmpty()) {
      try {
        fail(active.get(active.size() - 1), cause);
      } catch (OutOfMemoryError e) {
        // It was told, and has left.
      }
    }
  }

  /** Every generation's next token, and then as much of prompts as there is time for. */
  private Batch nextBatch(double seconds) {
    Batch batch = new Batch();
    for (Generation generation : active) {
      generation.beginStep();
      if (generation.isPromptDone()) {
        batch.add(generation, generation.nextToken, NativeContext.WANT_LOGITS);
      }
    }
    StepSize.Budget budget = stepSize.promptBudget(seconds, batch.size(), batch.work(stepSize));
    List<Generation> reading =
        active.stream().filter(generation -> !generation.isPromptDone()).toList();
    int first = reading.isEmpty() ? 0 : (int) (cache.steps() % reading.size());
    int[] shares = PromptShares.divide(reading, first, budget, stepSize);
    for (int i = 0; i < shares.length; i++) {
      Generation generation = reading.get(i);
      int[] text = generation.text();
      for (int n = 0; n < shares[i]; n++) {
        int next = generation.promptDone + n;
        batch.add(generation, text[next], generation.wantOfPrompt(next));
      }
    }
    return batch;
  }

  /** The KV cache is full: a conversation that nobody uses gives way, or else who came last. */
  private void makeRoom() {
    if (!cache.shrinkLongestUnused()) {
      pause(Collections.max(active, Comparator.comparingLong(generation -> generation.number)));
    }
  }

  /**
   * The system has no memory for a step: room in the KV cache is memory, and who waits needs none.
   */
  private void makeDoWithLess(NotEnoughMemoryException cause) {
    if (active.size() > 1) {
      makeRoom();
    } else if (!cache.shrinkLongestUnused()) {
      fail(active.get(0), cause);
    }
  }

  /** Of its tokens in the KV cache, those stay for now that need not give way. */
  private void pause(Generation generation) {
    try {
      release(generation);
      room.full();
      generation.pause();
      putBack(generation);
    } catch (OutOfMemoryError e) {
      generation.fail(e);
    }
  }

  private void putBack(Generation generation) {
    lock.lock();
    try {
      if (generation.isCancelled()) {
        generation.end(FinishReason.CANCELLED);
      } else {
        waiting.putBack(generation);
      }
    } finally {
      lock.unlock();
    }
  }

  /** Takes the step's hidden states to the embeddings that they belong to. */
  private void pool() {
    for (Generation generation : List.copyOf(active)) {
      if (generation.pooler == null) {
        continue;
      }
      try {
        generation.pooler.pool(context);
      } catch (RuntimeException e) {
        fail(generation, e);
        continue;
      }
      if (generation.isPromptDone()) {
        release(generation);
        generation.endEmbedding();
      }
    }
  }

  private void fail(Generation generation, Throwable cause) {
    try {
      release(generation);
    } finally {
      generation.fail(cause);
    }
  }
}
