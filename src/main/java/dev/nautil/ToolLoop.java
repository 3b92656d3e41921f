package dev.nautil;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import org.jspecify.annotations.Nullable;

/**
 * The reply to a message: generations, and between them the tools that they call, on the thread
 * that reads the events.
 */
final class ToolLoop implements Reply.Stream, Iterator<Event> {
  /** The turn that replies are a part of. */
  interface Turn {
    /** Has the model reply to what was said so far. */
    ReplyStream reply();

    /** Adds a message to what is said in this turn. */
    void add(Message message);

    /** Ends the turn: what was said in it becomes a part of the conversation. */
    void keep();

    /** Ends the turn as if it had not been. */
    void drop();
  }

  private static final String CANCELLED = "{\"error\":\"cancelled\"}";

  private final Turn turn;
  private final Tools tools;
  private final int maxRounds;
  private final Deque<Event> events = new ArrayDeque<>();
  private final Deque<ToolCall> toRun = new ArrayDeque<>();
  private final List<Reply> replies = new ArrayList<>();
  private volatile ReplyStream generation;
  private volatile boolean closed;
  private volatile @Nullable Reply reply;
  private volatile @Nullable RuntimeException failure;

  /**
   * @param first what the model replies to the message
   */
  ToolLoop(Turn turn, ReplyStream first, Tools tools, int maxRounds) {
    this.turn = turn;
    this.generation = first;
    this.tools = tools;
    this.maxRounds = maxRounds;
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
    while (events.isEmpty() && reply == null) {
      advance();
    }
    return !events.isEmpty();
  }

  @Override
  public synchronized Event next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the reply has ended");
    }
    return events.remove();
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
    closed = true;
    if (Thread.holdsLock(this)) {
      // A tool closes the reply that called it: the turn ends when it returns.
      return;
    }
    generation.close();
    synchronized (this) {
      while (reply == null && failure == null) {
        try {
          advance();
        } catch (RuntimeException e) {
          // It is what ended the reply, and there is no one to tell: the caller wanted it to end.
          return;
        }
      }
    }
  }

  private void advance() {
    try {
      if (!toRun.isEmpty()) {
        runNext();
      } else if (generation.hasNext()) {
        Event event = generation.next();
        if (event instanceof Event.Done done) {
          ended(done.reply());
        } else {
          events.add(event);
        }
      }
    } catch (RuntimeException e) {
      failure = e;
      turn.drop();
      throw e;
    } catch (Error e) {
      failure = new NautilException("the turn failed: " + e, e);
      turn.drop();
      throw e;
    }
  }

  private void ended(Reply ended) {
    replies.add(ended);
    boolean cancelled = ended.finishReason() == FinishReason.CANCELLED;
    if (cancelled && replies.size() == 1 && ended.text().isEmpty()) {
      turn.drop();
      end("", List.of(), FinishReason.CANCELLED);
      return;
    }
    // Nobody is going to run what was called before it was cancelled.
    List<ToolCall> calls = cancelled ? List.of() : ended.toolCalls();
    turn.add(new Message.Assistant(ended.text(), calls));
    if (!calls.isEmpty() && replies.size() <= maxRounds && calls.stream().allMatch(this::isOurs)) {
      toRun.addAll(calls);
    } else {
      turn.keep();
      end(ended.text(), calls, ended.finishReason());
    }
  }

  /** Whether there is nobody else to run it. */
  private boolean isOurs(ToolCall call) {
    return tools.get(call.name()).map(tool -> tool.action().isPresent()).orElse(true);
  }

  private void runNext() {
    ToolCall call = toRun.remove();
    if (closed) {
      turn.add(call.result(CANCELLED));
    } else {
      Event.ToolResult result = ToolRunner.run(tools, call);
      turn.add(result.result());
      events.add(result);
    }
    if (toRun.isEmpty()) {
      goOn();
    }
  }

  private void goOn() {
    if (closed) {
      turn.add(new Message.Assistant(""));
      turn.keep();
      end("", List.of(), FinishReason.CANCELLED);
      return;
    }
    generation = turn.reply();
    if (closed) {
      generation.close();
    }
  }

  private void end(String text, List<ToolCall> calls, FinishReason reason) {
    Usage usage = replies.get(0).usage();
    Timings timings = replies.get(0).timings();
    for (Reply more : replies.subList(1, replies.size())) {
      usage = usage.plus(more.usage());
      timings = timings.plus(more.timings());
    }
    List<TokenLogprob> logprobs =
        replies.stream().flatMap(each -> each.logprobs().stream()).toList();
    reply = new Reply(text, calls, reason, usage, timings, logprobs);
    events.add(new Event.Done(reply));
  }
}
