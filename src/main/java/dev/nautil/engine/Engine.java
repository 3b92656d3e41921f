package dev.nautil.engine;

import dev.nautil.CancelledException;
import dev.nautil.ContextFullException;
import dev.nautil.FinishReason;
import dev.nautil.Sampling;
import dev.nautil.internal.CancelFlag;
import dev.nautil.internal.NativeContext;
import dev.nautil.internal.SamplingBatch;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The one thread that decodes for all sessions of a model.
 *
 * <p>Each step takes the next token of every generation that has read its prompt, and then as much
 * of the others' prompts as fits: what is decoded together costs little more than one alone, since
 * the weights are read once. A generation that cannot have a place yet waits in a queue.
 *
 * <p>Prompts are whole conversations. A prompt goes to the slot of the KV cache whose tokens it
 * shares the longest prefix with, and only the rest is decoded. Where that would drop tokens of
 * another conversation and there is a slot that is needed less, the prefix is shared into it
 * instead. Slots keep their tokens until another conversation needs the place.
 *
 * <p>The thread is a daemon and holds the context, not the model that users hold. Thread-safe.
 */
public final class Engine implements AutoCloseable {
  /**
   * Tokens of a prompt in a step that others' next tokens wait for: 128 decode in about 0.1 s with
   * a small model.
   */
  private static final int SHARED_STEP_TOKENS = 128;

  /** Generations that are decoded together; others wait. */
  private static final int MOST_ACTIVE = 16;

  /**
   * Tokens of another conversation that are dropped rather than kept in a slot of their own, where
   * all slots hold something.
   */
  private static final int CHEAP_TO_LOSE = 256;

  private final NativeContext context;
  private final int contextLength;
  private final int batchSize;
  private final CancelFlag cancel = new CancelFlag();
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final Deque<Generation> waiting = new ArrayDeque<>();
  private final Deque<Task> tasks = new ArrayDeque<>();
  private boolean closed;

  // The engine thread's alone.
  private final List<Slot> slots = new ArrayList<>();
  private final List<Generation> active = new ArrayList<>();
  private final SamplingBatch samplingBatch = new SamplingBatch(MOST_ACTIVE);
  private long steps;

  /** Something else to do than to decode, and who is told if it cannot be done. */
  private record Task(Runnable work, Consumer<Throwable> failed) {}

  private final KvTransfer.Sequence transfers;

  /**
   * @param context the engine's from now on: closed with it. Its last sequence is for {@link
   *     KvTransfer}
   */
  public Engine(NativeContext context) {
    this.context = context;
    contextLength = context.info().contextLength();
    batchSize = context.info().batchSize();
    int last = context.info().sequences() - 1;
    for (int i = 0; i < last; i++) {
      slots.add(new Slot(i));
    }
    transfers = new KvTransfer.Sequence(last);
    thread = new Thread(this::run, "nautil-engine");
    thread.setDaemon(true);
    thread.start();
  }

  public NativeContext context() {
    return context;
  }

  /**
   * Starts a generation.
   *
   * @throws ContextFullException if the prompt does not fit into the context
   * @throws IllegalStateException if the engine is closed
   */
  public Generation submit(GenerationRequest request) {
    int length = request.prompt().length;
    if (length > contextLength) {
      throw new ContextFullException(
          "the conversation has " + length + " tokens; the context has room for " + contextLength,
          0,
          length,
          contextLength);
    }
    Generation generation = new Generation(request, this::interruptStep);
    lock.lock();
    try {
      requireOpen();
      waiting.add(generation);
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

  private static IllegalStateException closedException() {
    return new IllegalStateException("this model is closed");
  }

  private void interruptStep() {
    lock.lock();
    try {
      changed.signal();
    } finally {
      lock.unlock();
    }
    cancel.cancel();
  }

  private void run() {
    Throwable cause = closedException();
    try {
      while (awaitWork()) {
        doTasks();
        step();
      }
    } catch (Throwable e) {
      cause = e;
      closeWithoutWaiting();
    } finally {
      failAll(cause);
      context.close();
    }
  }

  private void doTasks() {
    for (Task task : takeTasks()) {
      try {
        task.work.run();
      } catch (Throwable e) {
        task.failed.accept(e);
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

  private void failAll(Throwable cause) {
    takeTasks().forEach(task -> task.failed.accept(cause));
    lock.lock();
    try {
      active.addAll(waiting);
      waiting.clear();
    } finally {
      lock.unlock();
    }
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
        if (closed) {
          return false;
        }
        dropCancelled();
        while (!waiting.isEmpty() && active.size() < MOST_ACTIVE) {
          start(waiting.remove());
        }
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
    waiting.removeIf(
        generation -> {
          if (generation.isCancelled()) {
            generation.end(FinishReason.CANCELLED);
          }
          return generation.isCancelled();
        });
  }

  private void start(Generation generation) {
    int[] prompt = generation.request.prompt();
    Slot source = slots.get(0);
    int shared = -1;
    for (Slot slot : slots) {
      int prefix = slot.commonPrefix(prompt, generation.request.restored());
      // Of equal ones the one that a generation does not use, so that it need not be shared.
      if (prefix > shared || (prefix == shared && source.user != null)) {
        source = slot;
        shared = prefix;
      }
    }
    // The last token is decoded in any case: its logits are wanted.
    shared = Math.min(shared, prompt.length - 1);
    Slot target = isNeeded(source, shared, generation) ? leastUsed(source) : source;
    if (target == source) {
      truncate(source, shared);
    } else {
      truncate(target, 0);
      context.fork(source.sequence, target.sequence, shared);
      target.hold(source.tokens(), shared, source.restored);
    }
    target.user = generation;
    target.conversation = generation.request.conversation();
    target.lastUse = steps;
    active.add(generation);
    generation.start(target, shared);
  }

  /**
   * Whether what a slot holds after its first tokens is to stay: a generation goes on from it, it
   * is much, or it is another conversation's and costs no third one its place.
   */
  private boolean isNeeded(Slot slot, int shared, Generation other) {
    int lost = slot.length() - shared;
    boolean others = slot.conversation != other.request.conversation();
    return slot.user != null
        || lost > CHEAP_TO_LOSE
        || (lost > 0 && others && slots.stream().anyMatch(s -> s.user == null && s.length() == 0));
  }

  /** The slot that can best be given up: free, and empty or longest unused. */
  private Slot leastUsed(Slot fallback) {
    Slot best = fallback;
    boolean found = fallback.user == null;
    for (Slot slot : slots) {
      if (slot.user != null) {
        continue;
      }
      boolean emptier = slot.length() == 0 && best.length() > 0;
      boolean older = slot.lastUse < best.lastUse && (slot.length() == 0) == (best.length() == 0);
      if (!found || emptier || older) {
        best = slot;
        found = true;
      }
    }
    return best;
  }

  private void truncate(Slot slot, int length) {
    context.truncate(slot.sequence, length);
    slot.truncate(length);
  }

  private void end(Generation generation, FinishReason reason) {
    release(generation);
    generation.end(reason);
  }

  private void release(Generation generation) {
    active.remove(generation);
    if (generation.slot != null) {
      generation.slot.user = null;
    }
  }

  private void step() {
    steps++;
    for (Generation generation : List.copyOf(active)) {
      if (generation.isPromptDone() && generation.slot.length() >= contextLength) {
        end(generation, FinishReason.CONTEXT_FULL);
      }
    }
    if (active.isEmpty()) {
      return;
    }
    Batch batch = nextBatch();
    try {
      batch.decode(context, cancel);
    } catch (CancelledException e) {
      return;
    } catch (ContextFullException e) {
      makeRoom(e);
      return;
    } catch (RuntimeException e) {
      failActive(e);
      return;
    }
    batch.advance(steps);
    sample();
  }

  private void failActive(RuntimeException cause) {
    for (Generation generation : List.copyOf(active)) {
      release(generation);
      generation.fail(cause);
    }
  }

  /** Every generation's next token, and then as much of prompts as fits. */
  private Batch nextBatch() {
    Batch batch = new Batch();
    for (Generation generation : active) {
      generation.row = -1;
      if (generation.isPromptDone()) {
        batch.add(generation, generation.nextToken, true);
      }
    }
    int limit = batch.size() == 0 ? batchSize : Math.min(batchSize, SHARED_STEP_TOKENS);
    for (Generation generation : active) {
      int[] prompt = generation.request.prompt();
      for (int i = generation.promptDone; i < prompt.length && batch.size() < limit; i++) {
        batch.add(generation, prompt[i], i == prompt.length - 1);
      }
    }
    return batch;
  }

  /**
   * The KV cache is full: gives up the longest unused conversation, or else the youngest
   * generation.
   */
  private void makeRoom(ContextFullException full) {
    if (dropLongestUnused()) {
      return;
    }
    Generation youngest = active.get(active.size() - 1);
    if (youngest.isPromptDone()) {
      end(youngest, FinishReason.CONTEXT_FULL);
    } else {
      release(youngest);
      truncate(youngest.slot, 0);
      youngest.fail(full);
    }
  }

  /** Gives up the longest unused conversation. The engine thread's. */
  boolean dropLongestUnused() {
    Slot unused = null;
    for (Slot slot : slots) {
      boolean candidate = slot.user == null && slot.length() > 0;
      if (candidate && (unused == null || slot.lastUse < unused.lastUse)) {
        unused = slot;
      }
    }
    if (unused == null) {
      return false;
    }
    truncate(unused, 0);
    return true;
  }

  /**
   * Makes an empty sequence that is no slot's share what slots hold of the start of a prompt. The
   * engine thread's.
   *
   * @return how many tokens
   */
  int shareInto(int sequence, int[] prompt, @Nullable RestoredKv restored) {
    Slot source = slots.get(0);
    int shared = 0;
    for (Slot slot : slots) {
      int prefix = slot.commonPrefix(prompt, restored);
      if (prefix > shared) {
        source = slot;
        shared = prefix;
      }
    }
    context.fork(source.sequence, sequence, shared);
    return shared;
  }

  /**
   * Gives a slot the tokens of a sequence that is no slot's, unless all slots are in use. The
   * engine thread's.
   */
  void adopt(int sequence, int[] tokens, RestoredKv restored) {
    Slot target = leastUsed(slots.get(0));
    if (target.user != null) {
      return;
    }
    truncate(target, 0);
    context.fork(sequence, target.sequence, tokens.length);
    target.hold(tokens, tokens.length, restored);
    target.lastUse = steps;
  }

  /** Gives each generation that has a row of logits its next token. */
  private void sample() {
    List<Generation> drawn = active.stream().filter(generation -> generation.row >= 0).toList();
    if (drawn.isEmpty()) {
      return;
    }
    int[] rows = new int[drawn.size()];
    for (int i = 0; i < rows.length; i++) {
      Generation generation = drawn.get(i);
      GenerationRequest request = generation.request;
      Sampling sampling = request.sampling();
      rows[i] = generation.row;
      samplingBatch.set(
          i,
          sampling.temperature(),
          sampling.topP(),
          sampling.minP(),
          sampling.topK(),
          request.seed(),
          request.prompt().length + (long) generation.generated);
    }
    int[] tokens;
    try {
      tokens = context.sample(rows, samplingBatch, null);
    } catch (RuntimeException e) {
      failActive(e);
      return;
    }
    for (int i = 0; i < rows.length; i++) {
      take(drawn.get(i), tokens[i]);
    }
  }

  private void take(Generation generation, int token) {
    if (generation.request.isEnd().test(token)) {
      end(generation, FinishReason.STOP);
      return;
    }
    generation.nextToken = token;
    generation.generated++;
    generation.put(new Generation.Signal.Token(token));
    if (generation.generated >= generation.request.maxTokens()) {
      end(generation, FinishReason.MAX_TOKENS);
    }
  }
}
