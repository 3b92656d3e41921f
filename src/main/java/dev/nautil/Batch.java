package dev.nautil;

import dev.nautil.engine.Engine;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.ThreadFactory;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.jspecify.annotations.Nullable;

/**
 * The replies to many prompts, in the order in which they are complete.
 *
 * <pre>{@code
 * try (Batch batch = model.batch(prompts, Session.options().system("Translate.").maxTokens(200))) {
 *   for (Batch.Result result : batch) {
 *     System.out.println(result.index() + ": " + result.orThrow().text());
 *     System.err.println(batch.progress());
 *   }
 * }
 * }</pre>
 *
 * <p>Each prompt begins a conversation of its own. Up to {@value #SESSIONS} are answered at once,
 * which leaves the model some places for others; what their prompts begin with, such as a system
 * prompt, is read once. A prompt that fails is a result, too, and the others go on. Prompts are
 * taken when they can begin, and none while {@value #SESSIONS} results wait to be read: memory is
 * bounded however many prompts there are, and a slow reader slows the batch.
 *
 * <p>A batch has threads of its own: they take the prompts, and run the tools that the options
 * have, several at once. Closing it before the end cancels what has begun. A batch must be read to
 * its end or closed, else its threads stay.
 *
 * <p>Results are read by one thread at a time; {@link #close} and {@link #progress} may be called
 * by any.
 */
public final class Batch implements Iterable<Batch.Result>, AutoCloseable {
  /** Prompts that are answered at once: others' conversations find a place, too. */
  static final int SESSIONS = Engine.PLACES - 2;

  /** Between two attempts to begin while the model is busy with others' work. */
  private static final long BUSY_MILLIS = 20;

  /**
   * What came of a prompt: a reply or a failure.
   *
   * @param index of the prompt among all, from 0
   * @param reply null if there is a failure
   * @param failure null if there is a reply
   */
  public record Result(
      long index, String prompt, @Nullable Reply reply, @Nullable RuntimeException failure) {
    public Result {
      Objects.requireNonNull(prompt, "prompt");
      if ((reply == null) == (failure == null)) {
        throw new IllegalArgumentException("a result has either a reply or a failure");
      }
    }

    /**
     * The reply.
     *
     * @throws RuntimeException the failure, if there is no reply
     */
    public Reply orThrow() {
      if (reply == null) {
        throw failure;
      }
      return reply;
    }
  }

  /**
   * How far a batch is. Tokens are those of complete replies.
   *
   * @param done prompts with a result, whether it was read or not
   * @param failed how many of them failed
   * @param total prompts, if that is known
   * @param promptTokens that were read, without those that were in the KV cache already
   * @param cachedTokens of prompts that were in the KV cache
   * @param replyTokens generated
   * @param elapsed since the beginning, and until the end if that has come
   */
  public record Progress(
      long done,
      long failed,
      OptionalLong total,
      long promptTokens,
      long cachedTokens,
      long replyTokens,
      Duration elapsed) {
    /** Tokens read and generated, a second. */
    public double tokensPerSecond() {
      long nanos = elapsed.toNanos();
      return nanos == 0 ? 0 : (promptTokens + replyTokens) * 1e9 / nanos;
    }
  }

  private final Model model;
  private final SessionOptions options;
  private final OptionalLong total;
  private final Runnable closeSource;
  private final ThreadFactory threads;
  private final Results iterator = new Results();
  private final long start = System.nanoTime();

  /** Guards {@link #prompts}, which may block; taken before the batch's own lock. */
  private final Object source = new Object();

  private final Iterator<String> prompts;
  private long taken;

  // Guarded by this.
  private final Deque<Result> results = new ArrayDeque<>();
  private final List<Thread> workers = new ArrayList<>();
  private boolean noMore;
  private @Nullable Throwable broken;
  private boolean closed;
  private long done;
  private long failed;
  private long promptTokens;
  private long cachedTokens;
  private long replyTokens;
  private long end;

  /** A prompt that was taken. */
  private record Prompt(long index, String text) {}

  Batch(
      Model model,
      Iterator<String> prompts,
      OptionalLong total,
      SessionOptions options,
      Runnable closeSource) {
    this(model, prompts, total, options, closeSource, work -> new Thread(work, "nautil-batch"));
  }

  /** With other threads. */
  Batch(
      Model model,
      Iterator<String> prompts,
      OptionalLong total,
      SessionOptions options,
      Runnable closeSource,
      ThreadFactory threads) {
    this.model = model;
    this.prompts = prompts;
    this.total = total;
    this.options = options;
    this.closeSource = closeSource;
    this.threads = threads;
    startWorker();
  }

  /** The results; always the same iterator, whose methods throw what {@link #stream} throws. */
  @Override
  public Iterator<Result> iterator() {
    return iterator;
  }

  /**
   * The results, as {@link #iterator} gives them; closing the stream closes the batch.
   *
   * <p>Waiting for a result throws what taking a prompt threw, after the results of the prompts
   * before it; an {@link IllegalStateException} if the model was closed; and a {@link
   * CancelledException} if the thread is interrupted, which then still is, or the batch was closed.
   */
  public Stream<Result> stream() {
    int properties = Spliterator.ORDERED | Spliterator.NONNULL;
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(iterator, properties), false)
        .onClose(this::close);
  }

  /** How far it has come. */
  public synchronized Progress progress() {
    long now = end == 0 ? System.nanoTime() : end;
    return new Progress(
        done,
        failed,
        total,
        promptTokens,
        cachedTokens,
        replyTokens,
        Duration.ofNanos(now - start));
  }

  /** Cancels what has begun, and takes no more prompts. Does nothing the second time. */
  @Override
  public void close() {
    synchronized (this) {
      if (closed) {
        return;
      }
      closed = true;
      results.clear();
      workers.forEach(Thread::interrupt);
      notifyAll();
    }
    closeSource.run();
  }

  private final class Results implements Iterator<Result> {
    @Override
    public boolean hasNext() {
      return awaitResult();
    }

    @Override
    public Result next() {
      synchronized (Batch.this) {
        if (!awaitResult()) {
          throw new NoSuchElementException("the batch has ended");
        }
        Batch.this.notifyAll();
        return results.remove();
      }
    }
  }

  /** False: there is none to come. */
  private synchronized boolean awaitResult() {
    while (results.isEmpty()) {
      if (closed) {
        throw new CancelledException("the batch was closed");
      }
      if (workers.isEmpty()) {
        throwBroken();
        return false;
      }
      await();
    }
    return true;
  }

  /** Waits for a change, with the batch's lock. */
  private void await() {
    try {
      wait();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("the thread was interrupted");
    }
  }

  private void throwBroken() {
    if (broken instanceof RuntimeException unchecked) {
      throw unchecked;
    }
    if (broken instanceof Error error) {
      throw error;
    }
  }

  private synchronized void startWorker() {
    if (closed || noMore || workers.size() >= SESSIONS) {
      return;
    }
    Thread worker = threads.newThread(this::work);
    worker.setDaemon(true);
    try {
      worker.start();
      workers.add(worker);
    } catch (OutOfMemoryError e) {
      // The system may give no more threads: those that there are go on.
      if (workers.isEmpty()) {
        throw e;
      }
    }
  }

  private void work() {
    try {
      for (Prompt prompt = take(); prompt != null; prompt = take()) {
        startWorker();
        put(answer(prompt));
      }
    } catch (Throwable e) {
      breakOff(e);
    } finally {
      leave();
    }
  }

  private @Nullable Prompt take() {
    synchronized (source) {
      if (isOver()) {
        return null;
      }
      if (!prompts.hasNext()) {
        synchronized (this) {
          noMore = true;
        }
        return null;
      }
      long index = taken++;
      return new Prompt(
          index, Objects.requireNonNull(prompts.next(), () -> "prompt " + index + " is null"));
    }
  }

  private synchronized boolean isOver() {
    return closed || noMore;
  }

  private Result answer(Prompt prompt) {
    while (true) {
      try {
        Reply reply = model.newSession(options).send(prompt.text);
        return new Result(prompt.index, prompt.text, reply, null);
      } catch (BusyException e) {
        pause();
      } catch (RuntimeException e) {
        model.engine().requireOpen();
        return new Result(prompt.index, prompt.text, null, e);
      }
    }
  }

  private static void pause() {
    try {
      Thread.sleep(BUSY_MILLIS);
    } catch (InterruptedException e) {
      throw new CancelledException("the batch was closed");
    }
  }

  private synchronized void put(Result result) {
    if (closed) {
      return;
    }
    done++;
    if (result.reply() == null) {
      failed++;
    } else {
      Usage usage = result.reply().usage();
      promptTokens += usage.promptTokens() - usage.cachedTokens();
      cachedTokens += usage.cachedTokens();
      replyTokens += usage.replyTokens();
    }
    results.add(result);
    notifyAll();
    while (results.size() >= SESSIONS && !closed) {
      await();
    }
  }

  /** The first failure ends the batch; of what follows from closing it nobody is told. */
  private synchronized void breakOff(Throwable cause) {
    noMore = true;
    if (broken == null) {
      broken = cause;
    }
  }

  private synchronized void leave() {
    workers.remove(Thread.currentThread());
    if (workers.isEmpty()) {
      end = System.nanoTime();
    }
    notifyAll();
  }
}
