package dev.nautil;

import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The reply to a message: generations, and between them the tools that they call, on the thread
 * that reads the events.
 */
final class ToolLoop extends EventStream {
  /** The turn that replies are a part of. */
  interface Turn {
    /** Has the model reply to what was said so far. */
    ReplyStream reply();

    /** Adds a message to what is said in this turn. */
    void add(Message message);

    /**
     * Ends the turn: what was said in it becomes a part of the conversation.
     *
     * @param reply all of it
     * @throws NautilException if it is not what it was to be; the turn has not ended then
     */
    void keep(Reply reply);

    /** Ends the turn as if it had not been. */
    void drop();
  }

  private static final String CANCELLED = "{\"error\":\"cancelled\"}";

  private final Turn turn;
  private final Tools tools;
  private final int maxRounds;
  private final Deque<ToolCall> toRun = new ArrayDeque<>();
  private final List<Reply> replies = new ArrayList<>();
  private volatile ReplyStream generation;
  private volatile boolean closed;

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
  boolean cancel() {
    closed = true;
    if (Thread.holdsLock(this)) {
      // A tool closes the reply that called it: the turn ends when it returns.
      return false;
    }
    generation.close();
    return true;
  }

  @Override
  void advance() {
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
      giveUp();
      failure = e;
      throw e;
    } catch (Error e) {
      giveUp();
      failure = new NautilException("the turn failed: " + e, e);
      throw e;
    }
  }

  private void giveUp() {
    turn.drop();
    // It may be this side that failed: then nobody reads what is still generated.
    generation.cancel();
  }

  private void ended(Reply ended) {
    replies.add(ended);
    boolean cancelled = ended.finishReason() == FinishReason.CANCELLED;
    if (cancelled && replies.size() == 1 && ended.text().isEmpty()) {
      turn.drop();
      end(whole("", List.of(), FinishReason.CANCELLED));
      return;
    }
    // Nobody is going to run what was called before it was cancelled.
    List<ToolCall> calls = cancelled ? List.of() : ended.toolCalls();
    turn.add(new Message.Assistant(ended.text(), calls));
    if (!calls.isEmpty() && replies.size() <= maxRounds && calls.stream().allMatch(this::isOurs)) {
      toRun.addAll(calls);
    } else {
      keep(whole(ended.text(), calls, ended.finishReason()));
    }
  }

  /** Whether there is nobody else to run it. */
  private boolean isOurs(ToolCall call) {
    return tools.get(call.name()).map(tool -> tool.reader().isPresent()).orElse(true);
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
      keep(whole("", List.of(), FinishReason.CANCELLED));
      return;
    }
    generation = turn.reply();
    if (closed) {
      generation.close();
    }
  }

  private void keep(Reply whole) {
    turn.keep(whole);
    end(whole);
  }

  private void end(Reply whole) {
    reply = whole;
    events.add(new Event.Done(whole));
  }

  private Reply whole(String text, List<ToolCall> calls, FinishReason reason) {
    Usage usage = replies.get(0).usage();
    Timings timings = replies.get(0).timings();
    for (Reply more : replies.subList(1, replies.size())) {
      usage = usage.plus(more.usage());
      timings = timings.plus(more.timings());
    }
    List<TokenLogprob> logprobs =
        replies.stream().flatMap(each -> each.logprobs().stream()).toList();
    return new Reply(text, calls, reason, usage, timings, logprobs);
  }
}
