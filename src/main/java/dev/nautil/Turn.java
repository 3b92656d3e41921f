package dev.nautil;

import dev.nautil.engine.GenerationRequest;
import dev.nautil.engine.SignalSource;
import dev.nautil.engine.Transcript;
import dev.nautil.grammar.GrammarMatcher;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** A turn of a conversation, from what the user says to what becomes of the reply. */
final class Turn implements ToolLoop.Turn, ReplyStream.Listener {
  /** A reply as the transcript wants it. */
  private record Noted(Transcript.Prompt prompt, PromptText whole, int[] tokens) {}

  private final SessionModel model;
  private final Conversation conversation;
  private final SessionOptions options;
  private final @Nullable Answer<?> answer;
  private final Consumer<Turn> onEnd;
  private final List<Message> said = new ArrayList<>();
  private final OldTurns oldTurns = new OldTurns();

  /** Whether the next reply is the first to what the user said. */
  private boolean first;

  /** Whether the model has replied in it already. */
  private boolean begun;

  private Transcript.@Nullable Prompt prompt;
  private @Nullable Noted noted;

  /**
   * @param first whether it begins with what the user says, not with the results of calls
   * @param answer what the reply is to be, in place of the options' constraint; tools are not
   *     offered then
   * @param onEnd is told that the turn has ended
   */
  Turn(
      SessionModel model,
      Conversation conversation,
      SessionOptions options,
      boolean first,
      @Nullable Answer<?> answer,
      Consumer<Turn> onEnd) {
    this.model = model;
    this.conversation = conversation;
    this.options = options;
    this.first = first;
    this.answer = answer;
    this.onEnd = onEnd;
  }

  /** Says something. */
  Reply.Stream begin(List<Message> input) {
    said.addAll(input);
    return new ToolLoop(this, reply(), options.tools(), options.maxToolRounds());
  }

  @Override
  public ReplyStream reply() {
    Tokenizer tokenizer = model.tokenizer();
    ReplyDecoder.@Nullable Calls calls = calls();
    GrammarMatcher matcher = matcher(calls);
    first = false;
    List<Event> news = new ArrayList<>();
    prompt =
        oldTurns.fitting(
            forgotten -> conversation.prompt(options, offered(), forgotten, said),
            () -> conversation.endsOfTurns(said),
            options,
            model.contextLength(),
            news);
    int[] tokens = prompt.tokens();
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
            conversation.id(),
            conversation.restored(),
            begun);
    ReplyDecoder decoder = new ReplyDecoder(tokenizer, options.stop(), calls);
    SignalSource generation = model.submit(request);
    begun = true;
    return new ReplyStream(generation, decoder, model.samplers(), tokens.length, news, this);
  }

  /** How the reply may call tools; null if it cannot. */
  private ReplyDecoder.@Nullable Calls calls() {
    if (answer != null) {
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
        PendingCalls.newIds(
            Stream.concat(conversation.history().stream(), said.stream()).toList()));
  }

  /** Holds the reply to what it may be; null if that is anything. */
  private @Nullable GrammarMatcher matcher(ReplyDecoder.@Nullable Calls calls) {
    Constraint text = answer != null ? answer.form() : options.constraint().orElse(null);
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
    return answer != null ? List.of() : options.offered();
  }

  @Override
  public void ended(Reply reply, PromptText whole, int @Nullable [] tokens) {
    noted = tokens == null || prompt == null ? null : new Noted(prompt, whole, tokens);
  }

  @Override
  public void add(Message message) {
    said.add(message);
    if (message instanceof Message.Assistant && noted != null) {
      conversation.note(noted.prompt, noted.whole, noted.tokens);
      noted = null;
    }
  }

  @Override
  public void keep(Reply reply) {
    if (answer != null) {
      answer.read(reply);
    }
    conversation.keep(oldTurns.forgotten(), said);
    drop();
  }

  @Override
  public void drop() {
    onEnd.accept(this);
  }
}
