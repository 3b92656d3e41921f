package dev.nautil;

import dev.nautil.engine.ChatFormat;
import dev.nautil.engine.GenerationRequest;
import dev.nautil.engine.LoadedModel;
import dev.nautil.engine.StopStrings;
import dev.nautil.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.ThreadLocalRandom;
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
  private final List<Message> history = new ArrayList<>();

  /** The turn that has not ended. */
  private final AtomicReference<@Nullable Turn> turn = new AtomicReference<>();

  Session(Model model, SessionOptions options) {
    this.model = model;
    this.options = options;
    options.system().ifPresent(text -> history.add(new Message.System(text)));
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
    if (!turn.compareAndSet(null, next)) {
      throw new IllegalStateException(
          "this session's last reply has not ended: read it to its end, or close it");
    }
    try {
      return next.begin();
    } catch (Throwable e) {
      turn.set(null);
      throw e;
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

    Turn(Message.User message) {
      this.message = message;
    }

    Reply.Stream begin() {
      LoadedModel loaded = model.loaded();
      Tokenizer tokenizer = loaded.tokenizer();
      int[] prompt = options.isRaw() ? rawPrompt(tokenizer) : chatPrompt(loaded.chatFormat());
      if (prompt.length == 0) {
        throw new IllegalArgumentException("there is no text to continue");
      }
      Sampling sampling = options.sampling();
      GenerationRequest request =
          new GenerationRequest(
              prompt,
              sampling,
              sampling.seed().orElseGet(() -> ThreadLocalRandom.current().nextLong()),
              options.maxTokens() == 0 ? Integer.MAX_VALUE : options.maxTokens(),
              tokenizer::isEndOfGeneration);
      return new ReplyStream(
          model.engine().submit(request),
          tokenizer.newStreamDecoder(),
          new StopStrings(options.stop()),
          prompt.length,
          this);
    }

    private int[] rawPrompt(Tokenizer tokenizer) {
      StringBuilder text = new StringBuilder();
      history().forEach(said -> text.append(said.content()));
      text.append(message.content());
      return ChatFormat.withBos(tokenizer, tokenizer.encode(text.toString()));
    }

    private int[] chatPrompt(ChatFormat format) {
      List<Map<String, String>> messages = new ArrayList<>();
      history().forEach(said -> messages.add(ChatFormat.toMap(said)));
      messages.add(ChatFormat.toMap(message));
      return format.encode(format.render(messages, null));
    }

    @Override
    public void ended(Reply reply) {
      boolean said = reply.finishReason() != FinishReason.CANCELLED || !reply.text().isEmpty();
      if (said) {
        synchronized (lock) {
          history.add(message);
          history.add(new Message.Assistant(reply.text()));
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
