package dev.nautil;

import dev.nautil.engine.ChatFormat;
import dev.nautil.engine.GenerationRequest;
import dev.nautil.engine.LoadedModel;
import dev.nautil.engine.StopStrings;
import dev.nautil.engine.Transcript;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * One conversation with a model: it remembers what was said.
 *
 * <p>Each turn gives the model the whole conversation; what it still holds of it in its KV cache
 * costs nothing. A turn that fails leaves the session as it was.
 *
 * <p>A session has one turn at a time: starting a second one before the first has ended is an
 * {@link IllegalStateException}. Different sessions of a model may be used by different threads at
 * once, and are then decoded together.
 */
public final class Session {
  private final Model model;
  private final SessionOptions options;
  private final Object lock = new Object();
  private final List<Message> history;
  private final Transcript transcript;

  /** The turn that has not ended. */
  private final AtomicReference<@Nullable Turn> turn = new AtomicReference<>();

  Session(Model model, SessionOptions options) {
    this(model, options, new ArrayList<>(), new Transcript());
    options.system().ifPresent(text -> history.add(new Message.System(text)));
  }

  private Session(
      Model model, SessionOptions options, List<Message> history, Transcript transcript) {
    this.model = model;
    this.options = options;
    this.history = history;
    this.transcript = transcript;
  }

  /** How a session can talk. */
  public static SessionOptions options() {
    return SessionOptions.DEFAULTS;
  }

  /**
   * Says something and waits for the whole reply.
   *
   * @throws ContextFullException if the conversation does not fit into the context
   * @throws NautilException if the model's chat template refuses the conversation
   * @throws IllegalStateException if another turn has not ended, or the model is closed
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
   * @throws ContextFullException if the conversation does not fit into the context
   * @throws NautilException if the model's chat template refuses the conversation
   * @throws IllegalStateException if another turn has not ended, or the model is closed
   */
  public Reply.Stream stream(String text) {
    Message.User message = new Message.User(Objects.requireNonNull(text, "text"));
    Turn next = new Turn(message);
    requireFirst(next);
    try {
      return next.begin();
    } catch (Throwable e) {
      turn.set(null);
      throw e;
    }
  }

  private void requireFirst(Turn next) {
    if (!turn.compareAndSet(null, next)) {
      throw new IllegalStateException(
          "this session's last reply has not ended: read it to its end, or close it");
    }
  }

  /**
   * A session that goes on by itself from what was said so far; a turn that has not ended is not
   * part of that. What the two have in common is in the KV cache once.
   */
  public Session fork() {
    synchronized (lock) {
      return new Session(model, options, new ArrayList<>(history), new Transcript(transcript));
    }
  }

  /**
   * Forgets the last messages, so that a turn can be tried again or said in other words: a turn has
   * two, what the user said and the reply. What is before them stays in the KV cache.
   *
   * @param messages 0 or more, the system prompt not among them
   * @throws IllegalArgumentException if there are not so many
   * @throws IllegalStateException if a turn has not ended
   */
  public void rewind(int messages) {
    Turn none = new Turn(new Message.User(""));
    requireFirst(none);
    try {
      synchronized (lock) {
        int kept = history.size() - messages;
        if (messages < 0 || kept < (options.system().isPresent() ? 1 : 0)) {
          throw new IllegalArgumentException(
              "rewinding " + messages + " messages of a conversation of " + history.size());
        }
        history.subList(kept, history.size()).clear();
      }
    } finally {
      turn.set(null);
    }
  }

  /** What was said so far; a copy. */
  public List<Message> history() {
    synchronized (lock) {
      return List.copyOf(history);
    }
  }

  /** A turn of the conversation, from what the user says to what becomes of the reply. */
  private final class Turn implements ReplyStream.Listener {
    private final Message.User message;
    private Transcript.@Nullable Prompt prompt;

    Turn(Message.User message) {
      this.message = message;
    }

    Reply.Stream begin() {
      LoadedModel loaded = model.loaded();
      Tokenizer tokenizer = loaded.tokenizer();
      int[] tokens;
      synchronized (lock) {
        PromptText text = options.isRaw() ? rawPrompt() : chatPrompt(loaded.chatFormat());
        prompt = transcript.encode(text, tokenizer);
        tokens = prompt.tokens();
      }
      if (tokens.length == 0) {
        throw new IllegalArgumentException("there is no text to continue");
      }
      GenerationRequest request =
          new GenerationRequest(
              tokens,
              loaded.samplers().row(options.sampling(), tokens),
              Math.min(options.logprobs().orElse(-1), loaded.model().info().vocabularySize()),
              options.maxTokens() == 0 ? Integer.MAX_VALUE : options.maxTokens(),
              tokenizer::isEndOfGeneration);
      return new ReplyStream(
          model.engine().submit(request),
          tokenizer.newStreamDecoder(),
          new StopStrings(options.stop()),
          loaded.samplers(),
          tokens.length,
          this);
    }

    private PromptText rawPrompt() {
      StringBuilder text = new StringBuilder();
      history.forEach(said -> text.append(said.content()));
      return PromptText.plain(text.append(message.content()).toString());
    }

    private PromptText chatPrompt(ChatFormat format) {
      List<Map<String, String>> messages = new ArrayList<>();
      history.forEach(said -> messages.add(format.toMap(said)));
      messages.add(format.toMap(message));
      return format.render(messages, null);
    }

    @Override
    public void ended(Reply reply, int @Nullable [] tokens) {
      boolean said = reply.finishReason() != FinishReason.CANCELLED || !reply.text().isEmpty();
      if (said) {
        synchronized (lock) {
          history.add(message);
          history.add(new Message.Assistant(reply.text()));
          if (tokens != null && prompt != null) {
            transcript.add(prompt, reply.text(), tokens);
          }
        }
      }
      turn.compareAndSet(this, null);
    }

    @Override
    public void failed() {
      turn.compareAndSet(this, null);
    }
  }
}
