package dev.nautil;

import dev.nautil.engine.Transcript;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * One conversation with a model: it remembers what was said.
 *
 * <p>Each turn gives the model the whole conversation; what it still holds of it in its KV cache
 * costs nothing. A turn that fails leaves the session as it was; what tools did meanwhile is done.
 *
 * <p>A session has one turn at a time: starting a second one before the first has ended is an
 * {@link IllegalStateException}. Different sessions of a model may be used by different threads at
 * once, and are then decoded together.
 */
public final class Session {
  private final SessionModel model;
  private final Conversation conversation;
  private volatile SessionOptions options;

  /** The turn that has not ended, or what else must have the session for itself. */
  private final AtomicReference<@Nullable Object> turn = new AtomicReference<>();

  Session(SessionModel model, SessionOptions options) {
    this(
        model,
        options,
        new Conversation(model, HistoryCheck.checked(options, List.of()), new Transcript(), null));
  }

  Session(SessionModel model, SessionOptions options, Conversation conversation) {
    this.model = model;
    this.options = options;
    this.conversation = conversation;
  }

  /** How a session can talk. */
  public static SessionOptions options() {
    return SessionOptions.DEFAULTS;
  }

  /**
   * Gives the model tools from now on, in place of those that it had.
   *
   * @return this session
   * @throws IllegalArgumentException if the session is for raw text
   * @throws IllegalStateException if a turn has not ended
   */
  public Session tools(Tools tools) {
    alone(() -> options = options.tools(tools));
    return this;
  }

  /**
   * Says from now on whether the model is to call tools.
   *
   * @return this session
   * @throws IllegalStateException if a turn has not ended
   */
  public Session toolChoice(ToolChoice choice) {
    alone(() -> options = options.toolChoice(choice));
    return this;
  }

  /**
   * Says something and waits for the whole reply. Tools that the model calls are run meanwhile, by
   * this thread, one after the other; one that throws an exception is a result that tells the model
   * so.
   *
   * @throws MalformedTextException if the text is not UTF-16
   * @throws ContextFullException if the conversation does not fit into the context
   * @throws SchemaException if the schema of a tool's arguments cannot be enforced
   * @throws BusyException if as many requests wait as may; nothing was begun
   * @throws NautilException if the model's chat template refuses the conversation
   * @throws IllegalArgumentException if the tool that is demanded does not exist
   * @throws IllegalStateException if another turn has not ended, calls wait for their results, or
   *     the model is closed
   * @throws CancelledException if the thread is interrupted; it then still is
   */
  public Reply send(String text) {
    try (Reply.Stream stream = stream(text)) {
      return stream.reply();
    }
  }

  /**
   * Says something and gives the reply while it is generated. The stream must be read to its end or
   * closed before the next turn.
   *
   * @throws MalformedTextException if the text is not UTF-16
   * @throws ContextFullException if the conversation does not fit into the context
   * @throws SchemaException if the schema of a tool's arguments cannot be enforced
   * @throws BusyException if as many requests wait as may; nothing was begun
   * @throws NautilException if the model's chat template refuses the conversation
   * @throws IllegalArgumentException if the tool that is demanded does not exist
   * @throws IllegalStateException if another turn has not ended, calls wait for their results, or
   *     the model is closed
   */
  public Reply.Stream stream(String text) {
    Message.User message = new Message.User(Objects.requireNonNull(text, "text"));
    return begin(waiting -> List.of(message), false, null);
  }

  /**
   * Asks something and gives the answer as a value: the reply is held to the JSON of its type, and
   * no tool is called.
   *
   * <pre>{@code
   * record City(String name, int population) {}
   *
   * City city = chat.ask("Which is the largest city of Japan?", City.class);
   * }</pre>
   *
   * <p>The model is not told what the type looks like: say in the question what is wanted. The JSON
   * is the reply in the session's history.
   *
   * @param type a record, an enum, a number, a string, {@code java.time}: what {@link Tool} says of
   *     arguments
   * @throws UnsupportedTypeException if there is a type in it that cannot be described
   * @throws IncompleteReplyException if the answer was cut off, by {@link
   *     SessionOptions#maxTokens}, a stop string or the end of the context; the session is as it
   *     was
   * @throws MalformedTextException if the text is not UTF-16
   * @throws ContextFullException if the conversation does not fit into the context
   * @throws BusyException if as many requests wait as may
   * @throws NautilException if the model's chat template refuses the conversation, or the type
   *     refuses a value that its JSON Schema allows; the session is as it was
   * @throws IllegalStateException if another turn has not ended, calls wait for their results, or
   *     the model is closed
   * @throws CancelledException if the thread is interrupted; it then still is
   */
  public <T> T ask(String question, Class<T> type) {
    Message.User message = new Message.User(Objects.requireNonNull(question, "question"));
    Answer<T> answer = new Answer<>(type);
    try (Reply.Stream stream = begin(waiting -> List.of(message), false, answer)) {
      stream.reply();
    }
    return answer.value();
  }

  /**
   * Gives the model what came of the calls that its last reply handed to the caller, and waits for
   * the reply.
   *
   * @param results one of each of {@link Reply#toolCalls}, in any order
   * @throws IllegalArgumentException if a result is missing, or is of no such call
   * @throws IllegalStateException if no calls wait for results, another turn has not ended, or the
   *     model is closed
   * @throws ContextFullException if the conversation does not fit into the context
   * @throws BusyException if as many requests wait as may; the calls still wait for their results
   * @throws CancelledException if the thread is interrupted; it then still is
   */
  public Reply sendToolResults(List<Message.ToolResult> results) {
    try (Reply.Stream stream = streamToolResults(results)) {
      return stream.reply();
    }
  }

  /**
   * Gives the model what came of calls, and gives the reply while it is generated.
   *
   * @see #sendToolResults
   */
  public Reply.Stream streamToolResults(List<Message.ToolResult> results) {
    List<Message.ToolResult> given = List.copyOf(results);
    return begin(waiting -> PendingCalls.answered(waiting, given), true, null);
  }

  /**
   * @param input what the turn begins with, for the calls that wait for results
   * @param results whether that is the results of calls
   * @param answer what the reply is to be, in place of what the options say
   */
  private Reply.Stream begin(
      Function<List<ToolCall>, List<Message>> input, boolean results, @Nullable Answer<?> answer) {
    Turn next = new Turn(model, conversation, options, !results, answer, this::ended);
    requireFirst(next);
    try {
      List<ToolCall> waiting = PendingCalls.of(history());
      if (!results && !waiting.isEmpty()) {
        throw new IllegalStateException(
            "calls wait for their results: give them with sendToolResults, or rewind; "
                + PendingCalls.names(waiting));
      }
      return next.begin(input.apply(waiting));
    } catch (Throwable e) {
      turn.set(null);
      throw e;
    }
  }

  private void ended(Turn last) {
    turn.compareAndSet(last, null);
  }

  private void requireFirst(Object next) {
    if (!turn.compareAndSet(null, next)) {
      throw new IllegalStateException(
          "this session's last reply has not ended: read it to its end, or close it");
    }
  }

  /** Does something while there is no turn. */
  private void alone(Runnable action) {
    Object token = new Object();
    requireFirst(token);
    try {
      action.run();
    } finally {
      turn.set(null);
    }
  }

  /**
   * A session that goes on by itself from what was said so far; a turn that has not ended is not
   * part of that. What the two have in common is in the KV cache once.
   */
  public Session fork() {
    return new Session(model, options, conversation.fork());
  }

  /**
   * Forgets the last messages, so that they can be said in other words. A turn has two, what the
   * user said and the reply; if tools were called, each reply that calls and each result are
   * messages, too. What is before them stays in the KV cache. Calls whose results are forgotten
   * wait for new ones: {@link #sendToolResults}.
   *
   * @param messages 0 or more, the system prompt not among them
   * @throws IllegalArgumentException if there are not so many
   * @throws IllegalStateException if a turn has not ended
   */
  public void rewind(int messages) {
    alone(() -> conversation.rewind(messages));
  }

  /**
   * Forgets the last turns, each from what the user said on.
   *
   * @param turns 0 or more
   * @throws IllegalArgumentException if there are not so many
   * @throws IllegalStateException if a turn has not ended
   */
  public void rewindTurns(int turns) {
    alone(() -> conversation.rewindTurns(turns));
  }

  /**
   * Saves the conversation to a file, for {@link Model#restoreSession(Path)}: the history, the
   * tokens of replies as the model chose them, and what the KV cache holds of the conversation now.
   * What it does not hold, since too many other conversations came after, is computed when the
   * restored session goes on. Options are not saved, but for the system prompt, which is in the
   * history. Anyone who can read the file can read the conversation: it is written for its owner
   * alone.
   *
   * <p>The file appears whole or not at all, and takes the place of one that is there. Other
   * sessions go on meanwhile.
   *
   * @throws SessionFileException if the file cannot be written
   * @throws IllegalStateException if a turn has not ended, or the model is closed
   * @throws CancelledException if the thread is interrupted; it then still is
   */
  public void save(Path file) {
    Objects.requireNonNull(file, "file");
    alone(
        () -> {
          Transcript.Prompt next = conversation.promptOfNextTurn(options);
          model.save(
              file,
              conversation.saved(options.isRaw(), next),
              next.tokens(),
              conversation.restored());
        });
  }

  /**
   * How probable the model finds the prompt that {@link #send} would give it, token by token, and
   * what it would have expected: one element for each token but the first, those of the format
   * included. The session stays as it is. Runs on this thread, in a KV cache of its own.
   *
   * <pre>{@code
   * for (TokenLogprob token : chat.scorePrompt("Where is Oslo?", 3)) {
   *   System.out.println(token.text() + " " + token.logprob() + " " + token.alternatives());
   * }
   * }</pre>
   *
   * @param alternatives how many of the most probable tokens are told in each place
   * @throws MalformedTextException if the text is not UTF-16
   * @throws IllegalArgumentException if the number is negative
   * @throws ContextFullException if the prompt does not fit into the context
   * @throws NautilException if the model's chat template refuses the conversation
   * @throws IllegalStateException if a turn has not ended, or the model is closed
   * @see Model#score(String, int)
   */
  public List<TokenLogprob> scorePrompt(String text, int alternatives) {
    List<Message> said = List.of(new Message.User(Objects.requireNonNull(text, "text")));
    List<TokenLogprob> scores = new ArrayList<>();
    alone(
        () -> {
          Transcript.Prompt prompt = conversation.prompt(options, options.offered(), 0, said);
          scores.addAll(model.score(prompt.tokens(), alternatives));
        });
    return scores;
  }

  /** What was said so far; a copy. */
  public List<Message> history() {
    return conversation.history();
  }
}
