package dev.nautil.engine;

import dev.nautil.BusyException;
import dev.nautil.CancelledException;
import dev.nautil.ContextFullException;
import dev.nautil.FinishReason;
import dev.nautil.GrammarException;
import dev.nautil.Pooling;
import dev.nautil.grammar.GrammarMatcher;
import dev.nautil.internal.CancelFlag;
import dev.nautil.internal.ModelInfo;
import dev.nautil.internal.NativeContext;
import dev.nautil.internal.SamplingBatch;
import java.nio.LongBuffer;
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
 * <p><b>The KV cache.</b> Prompts are whole conversations. A prompt goes to the slot of the KV
 * cache whose tokens it shares the longest prefix with, and only the rest is decoded. Where that
 * would drop tokens of another conversation and there is a slot that is needed less, the prefix is
 * shared into it instead. Slots keep their tokens until another conversation needs the place.
 *
 * <p>The thread is a daemon and holds the context, not the model that users hold. Thread-safe.
 */
public final class Engine implements AutoCloseable {
  /** Generations that are decoded together; others wait. */
  public static final int PLACES = 16;

  /**
   * Tokens of another conversation that are dropped rather than kept in a slot of their own, where
   * all slots hold something.
   */
  private static final int CHEAP_TO_LOSE = 256;

  private final NativeContext context;
  private final int contextLength;
  private final CancelFlag cancel = new CancelFlag();
  private final Thread thread;

  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private final WaitingQueue waiting;
  private final RunningStep running = new RunningStep();
  private final Deque<Task> tasks = new ArrayDeque<>();
  private boolean closed;

  /** Whether the step that is being prepared would leave someone out, or is for one who left. */
  private boolean outdated;

  // Written by the engine thread.
  private volatile int freePlaces;
  private volatile double patience;

  // The engine thread's alone.
  private final List<Slot> slots = new ArrayList<>();
  private final List<Generation> active = new ArrayList<>();
  private final SamplingBatch samplingBatch;
  private final Masks masks;
  private final StepSize stepSize;
  private final KvTransfer.Sequence transfers;
  private final int places;
  private long steps;

  /** Whether the last step was interrupted: then the next one is short, and is not. */
  private boolean interrupted;

  /** Something else to do than to decode, and who is told if it cannot be done. */
  private record Task(Runnable work, Consumer<Throwable> failed) {}

  /**
   * @param context the engine's from now on: closed with it. Its last sequence is for {@link
   *     KvTransfer}
   * @param model whose context it is
   * @param maxWaiting generations that may wait for a place
   */
  public Engine(NativeContext context, ModelInfo model, int maxWaiting) {
    this.context = context;
    contextLength = context.info().contextLength();
    long attention = 2L * model.layers() * model.heads() * model.headDim();
    stepSize = new StepSize(model.parameters(), attention, context.info().batchSize());
    patience = stepSize.sharedSeconds();
    waiting = new WaitingQueue(maxWaiting);
    int last = context.info().sequences() - 1;
    for (int i = 0; i < last; i++) {
      slots.add(new Slot(i));
    }
    transfers = new KvTransfer.Sequence(last);
    places = Math.min(PLACES, last);
    samplingBatch = new SamplingBatch(places);
    masks = new Masks(context.maskWords());
    freePlaces = places;
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
   * @throws BusyException if as many wait as may
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

  private static IllegalStateException closedException() {
    return new IllegalStateException("this model is closed");
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
      active.addAll(waiting.drain());
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
          waiting.poll(generation -> !SharedPrefix.isBeingRead(generation, active, slots));
      if (next == null) {
        return;
      }
      start(next);
    }
  }

  private void start(Generation generation) {
    if (generation.pooler != null) {
      // Keys and values that are held already would not tell what the hidden states were.
      Slot target = leastUsed(slots.get(0));
      truncate(target, 0);
      start(generation, target, 0);
      return;
    }
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
    start(generation, target, shared);
  }

  private void start(Generation generation, Slot target, int shared) {
    target.user = generation;
    target.conversation = generation.request.conversation();
    target.lastUse = steps;
    active.add(generation);
    freePlaces = places - active.size();
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
    freePlaces = places - active.size();
    if (generation.slot != null) {
      generation.slot.user = null;
      if (generation.pooler != null) {
        // No text is likely to start like one that was embedded.
        truncate(generation.slot, 0);
      }
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
    boolean isLong = !interrupted && active.stream().noneMatch(Generation::isPromptDone);
    Batch batch = nextBatch(isLong ? stepSize.aloneSeconds() : stepSize.sharedSeconds());
    double work = batch.work(stepSize);
    if (!begin(batch, isLong, work)) {
      return;
    }
    active.stream().filter(generation -> generation.row >= 0).forEach(masks::begin);
    long start = System.nanoTime();
    try {
      batch.decode(context, cancel);
    } catch (CancelledException e) {
      interrupted = true;
      return;
    } catch (ContextFullException e) {
      makeRoom(e);
      return;
    } catch (RuntimeException e) {
      failActive(e);
      return;
    } finally {
      finished();
    }
    interrupted = false;
    batch.advance(steps);
    pool();
    sample();
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

  private void failActive(RuntimeException cause) {
    List.copyOf(active).forEach(generation -> fail(generation, cause));
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
    int first = reading.isEmpty() ? 0 : (int) (steps % reading.size());
    int[] shares = PromptShares.divide(reading, first, budget, stepSize);
    for (int i = 0; i < shares.length; i++) {
      Generation generation = reading.get(i);
      int[] prompt = generation.request.prompt();
      for (int n = 0; n < shares[i]; n++) {
        int next = generation.promptDone + n;
        batch.add(generation, prompt[next], generation.wantOfPrompt(next));
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
        generation.put(new Generation.Signal.Embedding(generation.pooler.result()));
      }
    }
  }

  /** Gives each generation that has a row of logits its next token. */
  private void sample() {
    List<Generation> drawn = active.stream().filter(generation -> generation.row >= 0).toList();
    if (!drawn.isEmpty()) {
      sample(drawn);
    }
  }

  /** A row that cannot be sampled is the end of its generation alone. */
  private void sample(List<Generation> drawn) {
    int[] tokens;
    @Nullable Logprobs[] logprobs = new Logprobs[drawn.size()];
    try {
      tokens = draw(drawn, logprobs);
    } catch (Masks.Failed e) {
      fail(e.generation, e.getCause());
      sample();
      return;
    } catch (RuntimeException e) {
      if (drawn.size() == 1) {
        fail(drawn.get(0), e);
      } else {
        drawn.forEach(generation -> sample(List.of(generation)));
      }
      return;
    }
    for (int i = 0; i < tokens.length; i++) {
      take(drawn.get(i), tokens[i], logprobs[i]);
    }
  }

  private int[] draw(List<Generation> drawn, @Nullable Logprobs[] logprobs) throws Masks.Failed {
    LongBuffer allowed = masks.join(drawn);
    int[] rows = new int[drawn.size()];
    for (int i = 0; i < rows.length; i++) {
      Generation generation = drawn.get(i);
      GenerationRequest request = generation.request;
      rows[i] = generation.row;
      samplingBatch.set(
          i, request.sampling(), request.prompt().length + (long) generation.generated);
    }
    int[] tokens = context.sample(rows, samplingBatch, allowed);
    for (int i = 0; i < rows.length; i++) {
      int alternatives = drawn.get(i).request.logprobs();
      logprobs[i] =
          alternatives < 0 ? null : Logprobs.of(context, rows[i], tokens[i], alternatives);
    }
    return tokens;
  }

  private void fail(Generation generation, Throwable cause) {
    release(generation);
    generation.fail(cause);
  }

  private void take(Generation generation, int token, @Nullable Logprobs logprobs) {
    if (generation.request.isEnd().test(token)) {
      end(generation, FinishReason.STOP);
      return;
    }
    generation.nextToken = token;
    generation.generated++;
    generation.request.sampling().append(token);
    generation.put(new Generation.Signal.Token(token, logprobs));
    GrammarMatcher matcher = generation.request.matcher();
    if (matcher != null) {
      generation.mask = null;
      try {
        matcher.accept(token);
      } catch (GrammarException e) {
        fail(generation, e);
        return;
      }
      if (matcher.mustEnd()) {
        end(generation, FinishReason.STOP);
        return;
      }
    }
    if (generation.generated >= generation.request.maxTokens()) {
      end(generation, FinishReason.MAX_TOKENS);
    }
  }
}
