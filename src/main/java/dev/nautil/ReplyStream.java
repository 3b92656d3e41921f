package dev.nautil;

import dev.nautil.engine.Generation.Signal;
import dev.nautil.engine.Samplers;
import dev.nautil.engine.SignalSource;
import dev.nautil.tokenizer.PromptText;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/** Turns what the engine tells into events, on the thread that reads them: one generation. */
final class ReplyStream extends EventStream {
  /** Told once how a reply came out that did not fail. */
  interface Listener {
    /**
     * @param whole what the tokens say
     * @param tokens null if a part of them was cut off
     */
    void ended(Reply reply, PromptText whole, int @Nullable [] tokens);
  }

  private final SignalSource generation;
  private final ReplyDecoder decoder;
  private final Samplers samplers;
  private final int promptTokens;
  private final Listener listener;
  private final IntStream.Builder tokens = IntStream.builder();
  private final List<TokenLogprob> logprobs = new ArrayList<>();

  /** Whether the last signal was taken: none comes after it. */
  private boolean isOver;

  /** How many of those were told with a text. */
  private int logprobsTold;

  /**
   * @param before events that come before the generation's
   */
  ReplyStream(
      SignalSource generation,
      ReplyDecoder decoder,
      Samplers samplers,
      int promptTokens,
      List<Event> before,
      Listener listener) {
    events.addAll(before);
    this.generation = generation;
    this.decoder = decoder;
    this.samplers = samplers;
    this.promptTokens = promptTokens;
    this.listener = listener;
  }

  @Override
  void advance() {
    if (isOver) {
      throw fail(new NautilException("the reply's end was lost: its reader failed"));
    }
    Signal signal = take();
    isOver = signal instanceof Signal.End || signal instanceof Signal.Failed;
    accept(signal);
  }

  @Override
  boolean cancel() {
    generation.cancel();
    return true;
  }

  private Signal take() {
    try {
      return generation.take();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw fail(new CancelledException("the thread was interrupted"));
    }
  }

  private void accept(Signal signal) {
    if (signal instanceof Signal.Prompt prompt) {
      events.add(new Event.Prompt(prompt.done(), prompt.total()));
    } else if (signal instanceof Signal.Token token) {
      // The engine may be some tokens ahead when the reply ends here.
      if (!decoder.isEnded()) {
        tokens.add(token.id());
        if (token.logprobs() != null) {
          logprobs.add(token.logprobs().withText(samplers));
        }
        add(decoder.accept(token.id()));
        if (decoder.isEnded()) {
          generation.cancel();
        }
      }
    } else if (signal instanceof Signal.End end) {
      end(end);
    } else if (signal instanceof Signal.Failed failed) {
      throw fail(asUnchecked(failed.cause()));
    }
  }

  private void end(Signal.End end) {
    add(decoder.finish(end.reason() == FinishReason.STOP));
    FinishReason reason = decoder.isStopped() ? FinishReason.STOP_STRING : end.reason();
    boolean cancelled = reason == FinishReason.CANCELLED && !decoder.isEnded();
    if (!decoder.toolCalls().isEmpty() && !cancelled) {
      reason = FinishReason.TOOL_CALLS;
    }
    int[] replied = tokens.build().toArray();
    Usage usage = new Usage(promptTokens, end.cachedTokens(), replied.length);
    reply = new Reply(decoder.text(), decoder.toolCalls(), reason, usage, end.timings(), logprobs);
    listener.ended(reply, decoder.whole(), decoder.isEnded() ? null : replied);
    events.add(new Event.Done(reply));
  }

  /** Tells each text the log-probabilities of the tokens since the last one. */
  private void add(List<Event> decoded) {
    for (Event event : decoded) {
      if (event instanceof Event.Text text) {
        List<TokenLogprob> since = logprobs.subList(logprobsTold, logprobs.size());
        logprobsTold = logprobs.size();
        events.add(new Event.Text(text.text(), since));
      } else {
        events.add(event);
      }
    }
  }

  private RuntimeException fail(RuntimeException cause) {
    failure = cause;
    return cause;
  }

  private static RuntimeException asUnchecked(Throwable cause) {
    return cause instanceof RuntimeException unchecked
        ? unchecked
        : new NautilException("the reply failed: " + cause, cause);
  }
}
