package dev.nautil;

import java.util.List;
import java.util.Objects;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** How a session talks. Immutable: each method gives a changed copy. */
public final class SessionOptions {
  static final SessionOptions DEFAULTS =
      new SessionOptions(
          null, Sampling.defaults(), 0, List.of(), false, ToolOptions.NONE, ContextPolicy.FAIL);

  private final @Nullable String system;
  private final Sampling sampling;
  private final int maxTokens;
  private final List<String> stop;
  private final boolean raw;
  private final ToolOptions toolOptions;
  private final ContextPolicy contextPolicy;

  /** What is said about tools. */
  private record ToolOptions(Tools tools, ToolChoice choice, int maxRounds) {
    static final ToolOptions NONE = new ToolOptions(Tools.none(), ToolChoice.auto(), 8);
  }

  private SessionOptions(
      @Nullable String system,
      Sampling sampling,
      int maxTokens,
      List<String> stop,
      boolean raw,
      ToolOptions toolOptions,
      ContextPolicy contextPolicy) {
    if (raw && !toolOptions.tools.isEmpty()) {
      throw new IllegalArgumentException(
          "raw text has no tools: the model's chat format says how they are called");
    }
    if (system != null && raw) {
      throw new IllegalArgumentException(
          "raw text has no system prompt: put it before the text, or leave out raw()");
    }
    this.system = system;
    this.sampling = sampling;
    this.maxTokens = maxTokens;
    this.stop = stop;
    this.raw = raw;
    this.toolOptions = toolOptions;
    this.contextPolicy = contextPolicy;
  }

  /** What the model is to do or to be, for the whole conversation. */
  public SessionOptions system(String system) {
    return new SessionOptions(
        Objects.requireNonNull(system, "system"),
        sampling,
        maxTokens,
        stop,
        raw,
        toolOptions,
        contextPolicy);
  }

  /** How tokens are chosen; {@link Sampling#defaults()} if it is not said. */
  public SessionOptions sampling(Sampling sampling) {
    return new SessionOptions(
        system,
        Objects.requireNonNull(sampling, "sampling"),
        maxTokens,
        stop,
        raw,
        toolOptions,
        contextPolicy);
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
    return new SessionOptions(system, sampling, maxTokens, stop, raw, toolOptions, contextPolicy);
  }

  /**
   * Ends a reply where one of these strings comes, with {@link FinishReason#STOP_STRING}. Neither
   * the string nor a part of it is in the text, also while it streams, whatever tokens it is in.
   *
   * @throws IllegalArgumentException if one is empty
   */
  public SessionOptions stop(String... strings) {
    List<String> stop = List.of(strings);
    if (stop.contains("")) {
      throw new IllegalArgumentException("an empty stop string: every text has one");
    }
    return new SessionOptions(system, sampling, maxTokens, stop, raw, toolOptions, contextPolicy);
  }

  /**
   * Continues text instead of answering messages: what is sent goes to the model as it is, without
   * its chat template, after what was sent and generated before.
   *
   * @throws IllegalArgumentException if there is a system prompt
   */
  public SessionOptions raw() {
    return new SessionOptions(system, sampling, maxTokens, stop, true, toolOptions, contextPolicy);
  }

  /**
   * What the model may call, in place of what was said before.
   *
   * @throws IllegalArgumentException if it is for raw text
   */
  public SessionOptions tools(Tools tools) {
    return with(
        new ToolOptions(
            Objects.requireNonNull(tools, "tools"), toolOptions.choice, toolOptions.maxRounds));
  }

  /** Whether the model is to call tools; {@link ToolChoice#auto()} if it is not said. */
  public SessionOptions toolChoice(ToolChoice choice) {
    return with(
        new ToolOptions(
            toolOptions.tools, Objects.requireNonNull(choice, "choice"), toolOptions.maxRounds));
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
    return with(new ToolOptions(toolOptions.tools, toolOptions.choice, rounds));
  }

  /** What becomes of a full context; {@link ContextPolicy#FAIL} if it is not said. */
  public SessionOptions contextPolicy(ContextPolicy policy) {
    return new SessionOptions(
        system,
        sampling,
        maxTokens,
        stop,
        raw,
        toolOptions,
        Objects.requireNonNull(policy, "policy"));
  }

  private SessionOptions with(ToolOptions options) {
    return new SessionOptions(system, sampling, maxTokens, stop, raw, options, contextPolicy);
  }

  public Optional<String> system() {
    return Optional.ofNullable(system);
  }

  public Sampling sampling() {
    return sampling;
  }

  public int maxTokens() {
    return maxTokens;
  }

  /** Unmodifiable. */
  public List<String> stop() {
    return stop;
  }

  public boolean isRaw() {
    return raw;
  }

  public Tools tools() {
    return toolOptions.tools;
  }

  public ToolChoice toolChoice() {
    return toolOptions.choice;
  }

  public ContextPolicy contextPolicy() {
    return contextPolicy;
  }

  public int maxToolRounds() {
    return toolOptions.maxRounds;
  }
}
