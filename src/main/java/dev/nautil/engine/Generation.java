package dev.nautil.engine;

import dev.nautil.FinishReason;
import dev.nautil.Pooling;
import dev.nautil.Sampling;
import dev.nautil.Timings;
import dev.nautil.internal.NativeContext;
import dev.nautil.internal.SamplingRow;
import java.time.Duration;
import java.util.Arrays;
import java.util.LinkedList;
import java.util.Objects;
import java.util.Queue;
import java.util.concurrent.Future;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * One continuation of a prompt, or a text whose embedding is wanted: the caller takes signals from
 * it, the engine's thread puts them in.
 *
 * <p>{@link #cancel} may be called by any thread; {@link #take} by one.
 */
public final class Generation implements SignalSource {
  /** What the engine tells. */
  public sealed interface Signal {
    /** So many of the prompt's tokens are in the KV cache. */
    record Prompt(int done, int total) implements Signal {}

    /** The next token; never one that ends the reply. */
    record Token(int id, @Nullable Logprobs logprobs) implements Signal {
      /** Without log-probabilities. */
      public Token(int id) {
        this(id, null);
      }
    }

    /** The last signal of a generation that came to an end. */
    record End(FinishReason reason, int cachedTokens, Timings timings) implements Signal {}

    /** The last signal of a text that was read for its embedding: the pooled hidden states. */
    record Embedding(double[] values) implements Signal {}

    /** The last signal of a generation that failed. */
    record Failed(Throwable cause) implements Signal {}
  }

  /** Between two attempts to put the last signal. */
  private static final long RETRY_NANOS = 1_000_000;

  final GenerationRequest request;

  /** What becomes of the prompt's hidden states, if they are all that is wanted. */
  final @Nullable Pooler pooler;

  private final Consumer<Generation> onCancel;

  /**
   * Guarded by itself. Of the concurrent queues none can be used where the heap may be full: one
   * that fails after it has added does not wake who waits.
   */
  private final Queue<Signal> signals = new LinkedList<>();

  private volatile boolean cancelled;

  /** Its place in the order in which generations came. */
  long number;

  // What follows is the engine thread's alone.
  @Nullable Slot slot;
  int cachedTokens;

  /** What is read before tokens are generated: the prompt, and the reply up to the last pause. */
  private int[] text;

  /** Tokens of the text that are in the KV cache. */
  int promptDone;

  /** Tokens of the prompt that were told to be there; −1: nothing was. */
  private int promptTold = -1;

  int generated;

  /** The token to decode next, once the prompt is done. */
  int nextToken;

  /** The tokens that may come next, where a grammar says so: computed, or being so. */
  @Nullable Future<long[]> mask;

  /** The row of the last step's logits that is this generation's, or −1. */
  int row = -1;

  /** The generation that reads the first {@code prefixLength} tokens of this one's prompt. */
  @Nullable Generation prefixReader;

  int prefixLength;

  private final long submitted = System.nanoTime();
  private long started;
  private long firstToken;

  /** Why it ended, if it did; neither: with an embedding. */
  private @Nullable FinishReason reason;

  private @Nullable Throwable failure;

  Generation(GenerationRequest request, Consumer<Generation> onCancel) {
    this(request, null, onCancel);
  }

  private Generation(
      GenerationRequest request, @Nullable Pooler pooler, Consumer<Generation> onCancel) {
    this.request = request;
    text = request.prompt();
    this.pooler = pooler;
    this.onCancel = onCancel;
  }

  /** Reads a text for its embedding, and generates nothing. */
  static Generation embedding(int[] tokens, Pooling pooling, Consumer<Generation> onCancel) {
    SamplingRow none = new SamplingRow(Sampling.greedy(), 0, tokens, null, new int[0]);
    GenerationRequest request = new GenerationRequest(tokens, none, -1, null, 0, token -> true);
    return new Generation(request, new Pooler(pooling, tokens.length), onCancel);
  }

  @Override
  public Signal take() throws InterruptedException {
    synchronized (signals) {
      while (signals.isEmpty()) {
        signals.wait();
      }
      return signals.remove();
    }
  }

  @Override
  public void cancel() {
    cancelled = true;
    onCancel.accept(this);
  }

  boolean isCancelled() {
    return cancelled;
  }

  boolean isPromptDone() {
    return promptLeft() == 0;
  }

  /** Tokens of the text that are not in the KV cache. */
  int promptLeft() {
    return text.length - promptDone;
  }

  /** What is read before tokens are generated; not a copy. */
  int[] text() {
    return text;
  }

  /** Tokens that it has: those of the prompt and of the reply so far. */
  int length() {
    return request.prompt().length + generated;
  }

  /** Nothing of it is in the step's batch yet. */
  void beginStep() {
    row = -1;
    if (pooler != null) {
      pooler.clearRows();
    }
  }

  /** What is wanted of a token of the text. */
  byte wantOfPrompt(int index) {
    if (pooler != null) {
      return pooler.wants(index) ? NativeContext.WANT_HIDDEN : 0;
    }
    return index == text.length - 1 ? NativeContext.WANT_LOGITS : 0;
  }

  void start(Slot slot, int cachedTokens) {
    this.slot = slot;
    promptDone = cachedTokens;
    if (promptTold < 0) {
      this.cachedTokens = cachedTokens;
      started = System.nanoTime();
    }
    tellPrompt();
  }

  /** Its slot is no longer its own: what it has is read again when it has one. */
  void pause() {
    if (isPromptDone()) {
      int length = slot.length();
      text = Arrays.copyOf(slot.tokens(), length + 1);
      text[length] = nextToken;
    }
    promptDone = 0;
    slot = null;
    if (pooler != null) {
      pooler.clear();
    }
  }

  /** Tells how much of the prompt has been read, but not what is read again after a pause. */
  void tellPrompt() {
    if (generated == 0 && promptDone > promptTold) {
      promptTold = promptDone;
      put(new Signal.Prompt(promptDone, request.prompt().length));
    }
  }

  void put(Signal signal) {
    if (signal instanceof Signal.Token && firstToken == 0) {
      firstToken = System.nanoTime();
    }
    synchronized (signals) {
      signals.add(signal);
      signals.notifyAll();
    }
  }

  void end(FinishReason reason) {
    this.reason = reason;
    putLast();
  }

  void fail(Throwable cause) {
    failure = cause;
    putLast();
  }

  /** The hidden states of all tokens have been pooled. */
  void endEmbedding() {
    putLast();
  }

  /** As soon as the heap has room for it: who waits for a signal that never comes waits forever. */
  private void putLast() {
    boolean told = false;
    for (long nanos = 0; !told; nanos = RETRY_NANOS) {
      try {
        // Here, not where the error is caught: the first call of a method may take memory, too.
        LockSupport.parkNanos(nanos);
        put(last());
        told = true;
      } catch (OutOfMemoryError e) {
        // Once more.
      }
    }
  }

  private Signal last() {
    if (failure != null) {
      return new Signal.Failed(failure);
    }
    if (reason == null) {
      return new Signal.Embedding(Objects.requireNonNull(pooler).result());
    }
    long now = System.nanoTime();
    long begun = started == 0 ? now : started;
    long read = firstToken == 0 ? now : firstToken;
    return new Signal.End(
        reason,
        cachedTokens,
        new Timings(
            Duration.ofNanos(begun - submitted),
            Duration.ofNanos(read - begun),
            Duration.ofNanos(now - read)));
  }
}
