package dev.nautil;

import dev.nautil.engine.Generation;
import dev.nautil.engine.Generation.Signal;
import dev.nautil.engine.Samplers;
import dev.nautil.engine.StopStrings;
import dev.nautil.tokenizer.StreamDecoder;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Turns what the engine tells into events of text, on the thread that reads them. */
final class ReplyStream implements Reply.Stream, Iterator<Event> {
  /** Told once how the reply came out. */
  interface Listener {
    /**
     * @param tokens that the text is made of; null if a part of them was cut off
     */
    void ended(Reply reply, int @Nullable [] tokens);

    void failed();
  }

  private final Generation generation;
  private final StreamDecoder decoder;
  private final StopStrings stop;
  private final Samplers samplers;
  private final int promptTokens;
  private final Listener listener;
  private final StringBuilder text = new StringBuilder();
  private final IntStream.Builder tokens = IntStream.builder();
  private final List<TokenLogprob> logprobs = new ArrayList<>();

  /** How many of those were told with a text. */
  private int logprobsTold;

  private @Nullable Event next;
  private volatile @Nullable Reply reply;
  private volatile @Nullable RuntimeException failure;

  ReplyStream(
      Generation generation,
      StreamDecoder decoder,
      StopStrings stop,
      Samplers samplers,
      int promptTokens,
      Listener listener) {
    this.generation = generation;
    this.decoder = decoder;
    this.stop = stop;
    this.samplers = samplers;
    this.promptTokens = promptTokens;
    this.listener = listener;
  }

  @Override
  public Iterator<Event> iterator() {
    return this;
  }

  @Override
  public synchronized boolean hasNext() {
    if (failure != null) {
      throw failure;
    }
    while (next == null && reply == null) {
      accept(take());
    }
    return next != null;
  }

  @Override
  public synchronized Event next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the reply has ended");
    }
    Event event = next;
    // The text that was held back comes before the end, which is told last.
    next = event instanceof Event.Text && reply != null ? new Event.Done(reply) : null;
    return event;
  }

  @Override
  public Reply reply() {
    while (hasNext()) {
      next();
    }
    return reply;
  }

  @Override
  public void close() {
    if (reply != null || failure != null) {
      return;
    }
    generation.cancel();
    synchronized (this) {
      while (reply == null && failure == null) {
        try {
          accept(take());
        } catch (RuntimeException e) {
          // It is what ended the reply, and there is no one to tell: the caller wanted it to end.
          return;
        }
      }
    }
  }

  private Signal take() {
    try {
      return generation.take();
    } catch (InterruptedException e) {
      generation.cancel();
      Thread.currentThread().interrupt();
      throw fail(new CancelledException("the thread was interrupted"));
    }
  }

  private void accept(Signal signal) {
    if (signal instanceof Signal.Prompt prompt) {
      next = new Event.Prompt(prompt.done(), prompt.total());
    } else if (signal instanceof Signal.Token token) {
      // The engine may be some tokens ahead when a stop string is found.
      if (!stop.isFound()) {
        tokens.add(token.id());
        if (token.logprobs() != null) {
          logprobs.add(token.logprobs().withText(samplers));
        }
        tell(stop.accept(decoder.accept(token.id())));
        if (stop.isFound()) {
          generation.cancel();
        }
      }
    } else if (signal instanceof Signal.End end) {
      String last = stop.accept(decoder.finish()) + stop.finish();
      text.append(last);
      FinishReason reason = stop.isFound() ? FinishReason.STOP_STRING : end.reason();
      int[] replied = tokens.build().toArray();
      Usage usage = new Usage(promptTokens, end.cachedTokens(), replied.length);
      reply = new Reply(text.toString(), reason, usage, end.timings(), logprobs);
      listener.ended(reply, stop.isFound() ? null : replied);
      next = last.isEmpty() ? new Event.Done(reply) : textEvent(last);
    } else if (signal instanceof Signal.Failed failed) {
      throw fail(asUnchecked(failed.cause()));
    }
  }

  private void tell(String more) {
    if (!more.isEmpty()) {
      text.append(more);
      next = textEvent(more);
    }
  }

  private Event.Text textEvent(String more) {
    List<TokenLogprob> since = logprobs.subList(logprobsTold, logprobs.size());
    logprobsTold = logprobs.size();
    return new Event.Text(more, since);
  }

  private RuntimeException fail(RuntimeException cause) {
    failure = cause;
    listener.failed();
    return cause;
  }

  private static RuntimeException asUnchecked(Throwable cause) {
    return cause instanceof RuntimeException unchecked
        ? unchecked
        : new NautilException("the engine failed: " + cause, cause);
  }
}
