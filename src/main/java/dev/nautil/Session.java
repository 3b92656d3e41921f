package dev.nautil;

import dev.nautil.engine.GenerationRequest;
import dev.nautil.engine.RestoredKv;
import dev.nautil.engine.Transcript;
import dev.nautil.grammar.GrammarMatcher;
import dev.nautil.json.InvalidJsonException;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
  private final Object lock = new Object();
  private final List<Message> history;
  private final Transcript transcript;

  /** What the engine knows this session by. */
  private final Object conversation = new Object();

  /** What a file held of the KV cache; null if the session came of none. */
  private final @Nullable RestoredKv restored;

  private volatile SessionOptions options;

  /** The turn that has not ended, or what else must have the session for itself. */
  private final AtomicReference<@Nullable Object> turn = new AtomicReference<>();

  Session(SessionModel model, SessionOptions options) {
    this(model, options, HistoryCheck.checked(options, List.of()), new Transcript(), null);
  }

  /**
   * @param history the session's from now on
   */
  Session(
      SessionModel model,
      SessionOptions options,
      List<Message> history,
      Transcript transcript,
      @Nullable RestoredKv restored) {
    this.model = model;
    this.options = options;
    this.history = history;
    this.transcript = transcript;
    this.restored = restored;
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
   * @throws NautilException if the model's chat template refuses the conversation, or the type
   *     refuses a value that its JSON Schema allows; the session is as it was
   * @throws IllegalStateException if another turn has not ended, calls wait for their results, or
   *     the model is closed
   * @throws CancelledException if the thread is interrupted; it then still is
   */
  public <T> T ask(String question, Class<T> type) {
    Message.User message = new Message.User(Objects.requireNonNull(question, "question"));
    Constraint form = Constraint.json(type);
    Reply reply;
    try (Reply.Stream stream = begin(waiting -> List.of(message), false, form)) {
      reply = stream.reply();
    }
    try {
      if (reply.finishReason() != FinishReason.STOP) {
        throw new IncompleteReplyException(reply);
      }
      return Constraint.read(reply.text(), type);
    } catch (IncompleteReplyException | InvalidJsonException e) {
      rewindTurns(1);
      throw e;
    }
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
   * @param form what the reply is held to, if it is another than the options'
   */
  private Reply.Stream begin(
      Function<List<ToolCall>, List<Message>> input, boolean results, @Nullable Constraint form) {
    Turn next = new Turn(options, !results, form);
    requireFirst(next);
    try {
      List<ToolCall> waiting = PendingCalls.of(history());
      if (!results && !waiting.isEmpty()) {
        throw new IllegalStateException(
            "calls wait for their results: give them with sendToolResults, or rewind; "
                + PendingCalls.names(waiting));
      }
      next.said.addAll(input.apply(waiting));
      return new ToolLoop(next, next.reply(), next.options.tools(), next.options.maxToolRounds());
    } catch (Throwable e) {
      turn.set(null);
      throw e;
    }
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
    synchronized (lock) {
      return new Session(
          model, options, new ArrayList<>(history), new Transcript(transcript), restored);
    }
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
    alone(() -> forget(messages));
  }

  private void forget(int messages) {
    synchronized (lock) {
      int kept = history.size() - messages;
      if (messages < 0 || kept < systemMessages()) {
        throw new IllegalArgumentException(
            "rewinding " + messages + " messages of a conversation of " + history.size());
      }
      history.subList(kept, history.size()).clear();
    }
  }

  private int systemMessages() {
    return !history.isEmpty() && history.get(0) instanceof Message.System ? 1 : 0;
  }

  /**
   * Forgets the last turns, each from what the user said on.
   *
   * @param turns 0 or more
   * @throws IllegalArgumentException if there are not so many
   * @throws IllegalStateException if a turn has not ended
   */
  public void rewindTurns(int turns) {
    alone(() -> forget(messagesOfLast(turns)));
  }

  private int messagesOfLast(int turns) {
    List<Message> said = history();
    int messages = 0;
    int left = turns;
    for (; left > 0 && messages < said.size(); messages++) {
      left -= said.get(said.size() - 1 - messages) instanceof Message.User ? 1 : 0;
    }
    if (left != 0) {
      throw new IllegalArgumentException(
          "rewinding " + turns + " turns of a conversation of " + (turns - left));
    }
    return messages;
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
          Transcript.Prompt next = promptOfNextTurn();
          Transcript.State kept = transcript.upTo(next);
          model.save(
              file,
              new SavedConversation(options.isRaw(), history(), kept, new int[0]),
              next.tokens(),
              restored);
        });
  }

  /**
   * What the next turn is to begin with, as far as that is known; with something to reply to, since
   * there are formats that write no conversation without.
   */
  private Transcript.Prompt promptOfNextTurn() {
    synchronized (lock) {
      List<Message> next = new ArrayList<>(history);
      List<ToolCall> waiting = PendingCalls.of(next);
      if (!waiting.isEmpty()) {
        waiting.forEach(call -> next.add(call.result("")));
      } else if (!options.isRaw()) {
        next.add(new Message.User("."));
      }
      try {
        return transcript.encode(prompt(options, next, offered(options)), model.tokenizer());
      } catch (NautilException e) {
        // The format refuses the conversation: the next turn will say so, if it still does.
        return new Transcript.Prompt(PromptText.plain(""), new int[0], 0);
      }
    }
  }

  private PromptText prompt(SessionOptions options, List<Message> messages, List<Tool> offered) {
    return options.isRaw()
        ? PromptText.plain(messages.stream().map(Message::content).collect(Collectors.joining()))
        : model.chatFormat().prompt(messages, offered);
  }

  private static List<Tool> offered(SessionOptions options) {
    boolean none = options.toolChoice().mode() == ToolChoice.Mode.NONE;
    return none ? List.of() : options.tools().list();
  }

  /** What was said so far; a copy. */
  public List<Message> history() {
    synchronized (lock) {
      return List.copyOf(history);
    }
  }

  /** A turn of the conversation, from what the user says to what becomes of the reply. */
  private final class Turn implements ToolLoop.Turn, ReplyStream.Listener {
    /** A reply as the transcript wants it. */
    private record Noted(Transcript.Prompt prompt, PromptText whole, int[] tokens) {}

    final SessionOptions options;
    final List<Message> said = new ArrayList<>();

    /** Messages after the system prompt that are not a part of it any more. */
    private int forgotten;

    /** Whether the next reply is the first to what the user said. */
    private boolean first;

    private Transcript.@Nullable Prompt prompt;
    private @Nullable Noted noted;

    /** What the reply is held to, in place of the options' constraint; tools are not offered. */
    private final @Nullable Constraint form;

    Turn(SessionOptions options, boolean first, @Nullable Constraint form) {
      this.options = options;
      this.first = first;
      this.form = form;
    }

    @Override
    public ReplyStream reply() {
      Tokenizer tokenizer = model.tokenizer();
      ReplyDecoder.@Nullable Calls calls = calls();
      GrammarMatcher matcher = matcher(calls);
      first = false;
      List<Event> news = new ArrayList<>();
      int[] tokens;
      synchronized (lock) {
        prompt = fitting(news);
        tokens = prompt.tokens();
      }
      if (tokens.length == 0) {
        throw new IllegalArgumentException("there is no text to continue");
      }
      GenerationRequest request =
          new GenerationRequest(
              tokens,
              model.samplers().row(options.sampling(), tokens),
              Math.min(options.logprobs().orElse(-1), model.samplers().vocabularySize()),
              matcher,
              options.maxTokens() == 0 ? Integer.MAX_VALUE : options.maxTokens(),
              tokenizer::isEndOfGeneration,
              conversation,
              restored);
      ReplyDecoder decoder = new ReplyDecoder(tokenizer, options.stop(), calls);
      return new ReplyStream(
          model.submit(request), decoder, model.samplers(), tokens.length, news, this);
    }

    /** The prompt, without the oldest turns where it might not fit and they may be forgotten. */
    private Transcript.Prompt fitting(List<Event> news) {
      Transcript.Prompt whole = encode();
      int length = model.contextLength();
      int room = length / 4;
      if (options.maxTokens() > 0) {
        room = Math.min(room, options.maxTokens());
      }
      if (options.contextPolicy() == ContextPolicy.FAIL || whole.tokens().length <= length - room) {
        return whole;
      }
      List<Integer> ends = endsOfOldTurns();
      int before = ends.indexOf(forgotten) + 1;
      // The fewest turns that are enough, or all.
      int fewest = before;
      int most = ends.size();
      while (fewest < most) {
        int middle = (fewest + most) / 2;
        forgotten = middle == 0 ? 0 : ends.get(middle - 1);
        if (encode().tokens().length <= length / 2) {
          most = middle;
        } else {
          fewest = middle + 1;
        }
      }
      if (fewest == before) {
        return whole;
      }
      forgotten = ends.get(fewest - 1);
      news.add(new Event.TurnsDropped(fewest - before));
      return encode();
    }

    /**
     * How many messages after the system prompt each of the turns that can be forgotten ends with.
     */
    private List<Integer> endsOfOldTurns() {
      List<Integer> ends = new ArrayList<>();
      int start = systemMessages();
      for (int i = start + 1; i < history.size(); i++) {
        if (history.get(i) instanceof Message.User) {
          ends.add(i - start);
        }
      }
      // Else what is said now belongs to the last of them.
      if (history.size() > start && said.get(0) instanceof Message.User) {
        ends.add(history.size() - start);
      }
      return ends;
    }

    private Transcript.Prompt encode() {
      return transcript.encode(prompt(), model.tokenizer());
    }

    /** How the reply may call tools; null if it cannot. */
    private ReplyDecoder.@Nullable Calls calls() {
      if (form != null) {
        return null;
      }
      ToolChoice choice = options.toolChoice();
      if (choice.mode() == ToolChoice.Mode.REQUIRED && options.tools().isEmpty()) {
        throw new IllegalArgumentException("a tool is to be called, and there are none");
      }
      choice
          .name()
          .filter(name -> options.tools().get(name).isEmpty())
          .ifPresent(
              name -> {
                throw new IllegalArgumentException("the tool " + name + " does not exist");
              });
      if (offered().isEmpty()) {
        return null;
      }
      return new ReplyDecoder.Calls(
          model.chatFormat().toolSyntax(),
          PendingCalls.newIds(Stream.concat(history().stream(), said.stream()).toList()));
    }

    /** Holds the reply to what it may be; null if that is anything. */
    private @Nullable GrammarMatcher matcher(ReplyDecoder.@Nullable Calls calls) {
      Constraint text = form != null ? form : options.constraint().orElse(null);
      if (calls == null) {
        return text == null ? null : model.grammars().newMatcher(text, text::grammar);
      }
      ToolForm tools =
          new ToolForm(offered(), demanded() ? options.toolChoice() : ToolChoice.auto(), text);
      return model
          .grammars()
          .newMatcher(tools, () -> tools.grammar(calls.syntax(), model.tokenizer()));
    }

    private boolean demanded() {
      return first && options.toolChoice().mode() != ToolChoice.Mode.AUTO;
    }

    private List<Tool> offered() {
      return form != null ? List.of() : Session.offered(options);
    }

    private PromptText prompt() {
      List<Message> messages = new ArrayList<>(history);
      forgetOldest(messages);
      messages.addAll(said);
      return Session.this.prompt(options, messages, offered());
    }

    private void forgetOldest(List<Message> messages) {
      messages.subList(systemMessages(), systemMessages() + forgotten).clear();
    }

    @Override
    public void ended(Reply reply, PromptText whole, int @Nullable [] tokens) {
      noted = tokens == null || prompt == null ? null : new Noted(prompt, whole, tokens);
    }

    @Override
    public void add(Message message) {
      said.add(message);
      if (message instanceof Message.Assistant && noted != null) {
        synchronized (lock) {
          transcript.add(noted.prompt, noted.whole, noted.tokens);
          noted = null;
        }
      }
    }

    @Override
    public void keep() {
      synchronized (lock) {
        forgetOldest(history);
        history.addAll(said);
      }
      drop();
    }

    @Override
    public void drop() {
      turn.compareAndSet(this, null);
    }
  }
}
