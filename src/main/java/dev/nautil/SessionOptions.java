package dev.nautil;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** How a session talks. Immutable: each method gives a changed copy. */
public final class SessionOptions {
  static final SessionOptions DEFAULTS = new SessionOptions(new Settings());

  private final @Nullable String system;
  private final @Nullable Sampling sampling;
  private final int maxTokens;
  private final List<String> stop;
  private final boolean raw;
  private final int logprobs;
  private final @Nullable Constraint constraint;
  private final Tools tools;
  private final ToolChoice toolChoice;
  private final int maxToolRounds;
  private final ContextPolicy contextPolicy;

  /** What a copy is made from. */
  private static final class Settings {
    @Nullable String system;
    @Nullable Sampling sampling;
    int maxTokens;
    List<String> stop = List.of();
    boolean raw;
    int logprobs = -1;
    @Nullable Constraint constraint;
    Tools tools = Tools.none();
    ToolChoice toolChoice = ToolChoice.auto();
    int maxToolRounds = 8;
    ContextPolicy contextPolicy = ContextPolicy.FAIL;

    Settings() {}

    Settings(SessionOptions options) {
      system = options.system;
      sampling = options.sampling;
      maxTokens = options.maxTokens;
      stop = options.stop;
      raw = options.raw;
      logprobs = options.logprobs;
      constraint = options.constraint;
      tools = options.tools;
      toolChoice = options.toolChoice;
      maxToolRounds = options.maxToolRounds;
      contextPolicy = options.contextPolicy;
    }
  }

  private SessionOptions(Settings settings) {
    system = settings.system;
    sampling = settings.sampling;
    maxTokens = settings.maxTokens;
    stop = settings.stop;
    raw = settings.raw;
    logprobs = settings.logprobs;
    constraint = settings.constraint;
    tools = Objects.requireNonNull(settings.tools, "tools");
    toolChoice = Objects.requireNonNull(settings.toolChoice, "choice");
    maxToolRounds = settings.maxToolRounds;
    contextPolicy = settings.contextPolicy;
    if (raw && !tools.isEmpty()) {
      throw new IllegalArgumentException(
          "raw text has no tools: the model's chat format says how they are called");
    }
    if (raw && system != null) {
      throw new IllegalArgumentException(
          "raw text has no system prompt: put it before the text, or leave out raw()");
    }
  }

  private SessionOptions with(Consumer<Settings> change) {
    Settings settings = new Settings(this);
    change.accept(settings);
    return new SessionOptions(settings);
  }

  /**
   * What the model is to do or to be, for the whole conversation.
   *
   * @throws MalformedTextException if it is not UTF-16
   */
  public SessionOptions system(String system) {
    return with(s -> s.system = MalformedTextException.check("the system prompt", system));
  }

  /**
   * How tokens are chosen. If it is not said: as {@link ModelOptions#sampling} says, else by {@link
   * Sampling#defaults()}.
   */
  public SessionOptions sampling(Sampling sampling) {
    Objects.requireNonNull(sampling, "sampling");
    return with(s -> s.sampling = sampling);
  }

  /**
   * Ends a reply after so many tokens; 0, the default, lets it go on to the end of the context.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public SessionOptions maxTokens(int maxTokens) {
    if (maxTokens < 0) {
      throw new IllegalArgumentException(
          "maxTokens is " + maxTokens + "; it must be 0 (no limit) or more");
    }
    return with(s -> s.maxTokens = maxTokens);
  }

  /**
   * Ends a reply where one of these strings comes, with {@link FinishReason#STOP_STRING}. Neither
   * the string nor a part of it is in the text, also while it streams, whatever tokens it is in.
   *
   * @throws IllegalArgumentException if one is empty
   * @throws MalformedTextException if one is not UTF-16
   */
  public SessionOptions stop(String... strings) {
    List<String> stop = List.of(strings);
    if (stop.contains("")) {
      throw new IllegalArgumentException("an empty stop string: every text has one");
    }
    stop.forEach(string -> MalformedTextException.check("a stop string", string));
    return with(s -> s.stop = stop);
  }

  /**
   * Continues text instead of answering messages: what is sent goes to the model as it is, without
   * its chat template, after what was sent and generated before.
   *
   * @throws IllegalArgumentException if there is a system prompt, or there are tools
   */
  public SessionOptions raw() {
    return with(s -> s.raw = true);
  }

  /**
   * Tells with each token of a reply how probable it was, and so many of the most probable tokens
   * in its place: {@link Reply#logprobs}, {@link Event.Text#logprobs}. Not told if this is not
   * said. Takes about a millisecond a token where the vocabulary is large.
   *
   * @param alternatives 0 for the reply's tokens alone
   * @throws IllegalArgumentException if it is negative
   */
  public SessionOptions logprobs(int alternatives) {
    if (alternatives < 0) {
      throw new IllegalArgumentException(
          "logprobs is " + alternatives + "; it must be 0 (no alternatives) or more");
    }
    return with(s -> s.logprobs = alternatives);
  }

  /**
   * Holds every reply to a form: the model cannot say anything else. Where there are tools, a reply
   * may call them instead.
   */
  public SessionOptions constraint(Constraint constraint) {
    return with(s -> s.constraint = Objects.requireNonNull(constraint, "constraint"));
  }

  /**
   * What the model may call, in place of what was said before.
   *
   * @throws IllegalArgumentException if it is for raw text
   */
  public SessionOptions tools(Tools tools) {
    return with(s -> s.tools = tools);
  }

  /** Whether the model is to call tools; {@link ToolChoice#auto()} if it is not said. */
  public SessionOptions toolChoice(ToolChoice choice) {
    return with(s -> s.toolChoice = choice);
  }

  /**
   * How many times in a turn tools are run and their results given to the model; 8 if it is not
   * said. Calls that come after that are handed to the caller, with {@link
   * FinishReason#TOOL_CALLS}: with 0, all are.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public SessionOptions maxToolRounds(int rounds) {
    if (rounds < 0) {
      throw new IllegalArgumentException(
          "maxToolRounds is " + rounds + "; it must be 0 (calls are handed to the caller) or more");
    }
    return with(s -> s.maxToolRounds = rounds);
  }

  /** What becomes of a full context; {@link ContextPolicy#FAIL} if it is not said. */
  public SessionOptions contextPolicy(ContextPolicy policy) {
    return with(s -> s.contextPolicy = Objects.requireNonNull(policy, "policy"));
  }

  /** The system prompt, if there is one. */
  public Optional<String> system() {
    return Optional.ofNullable(system);
  }

  /** How tokens are chosen. */
  public Sampling sampling() {
    return sampling != null ? sampling : Sampling.defaults();
  }

  /** The same, where they do not say how tokens are chosen, with what a model has for that. */
  SessionOptions orSampling(@Nullable Sampling ofModel) {
    return sampling != null || ofModel == null ? this : sampling(ofModel);
  }

  /** Tokens of a reply; 0 for no limit. */
  public int maxTokens() {
    return maxTokens;
  }

  /** The tools that the model is shown. */
  List<Tool> offered() {
    return toolChoice.mode() == ToolChoice.Mode.NONE ? List.of() : tools.list();
  }

  /** Unmodifiable. */
  public List<String> stop() {
    return stop;
  }

  /** Whether text is continued, without a chat format. */
  public boolean isRaw() {
    return raw;
  }

  /** How many alternatives are told; empty: no log-probabilities are. */
  public OptionalInt logprobs() {
    return logprobs < 0 ? OptionalInt.empty() : OptionalInt.of(logprobs);
  }

  /** What replies are held to; empty for any text. */
  public Optional<Constraint> constraint() {
    return Optional.ofNullable(constraint);
  }

  /** What the model may call. */
  public Tools tools() {
    return tools;
  }

  /** Whether the model is to call tools. */
  public ToolChoice toolChoice() {
    return toolChoice;
  }

  /** What is done where the context is full. */
  public ContextPolicy contextPolicy() {
    return contextPolicy;
  }

  /** How often a turn may run tools. */
  public int maxToolRounds() {
    return maxToolRounds;
  }
}
