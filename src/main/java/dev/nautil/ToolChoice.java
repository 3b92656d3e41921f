package dev.nautil;

import java.util.Objects;
import java.util.Optional;

/**
 * Whether the model is to call a tool. What is demanded holds for the first reply to a message;
 * once there are results, the model is free to answer.
 *
 * @param mode what is asked of the model
 * @param name of the tool, with {@link Mode#NAMED}
 */
public record ToolChoice(Mode mode, Optional<String> name) {
  /** What is asked of the model. */
  public enum Mode {
    /** It calls tools or answers, as it sees fit. */
    AUTO,
    /** It is not told of the tools. */
    NONE,
    /** It calls a tool, whichever it likes. */
    REQUIRED,
    /** It calls one certain tool. */
    NAMED
  }

  private static final ToolChoice AUTO = new ToolChoice(Mode.AUTO, Optional.empty());
  private static final ToolChoice NONE = new ToolChoice(Mode.NONE, Optional.empty());
  private static final ToolChoice REQUIRED = new ToolChoice(Mode.REQUIRED, Optional.empty());

  public ToolChoice {
    Objects.requireNonNull(mode, "mode");
    if (name.isPresent() != (mode == Mode.NAMED)) {
      throw new IllegalArgumentException("the choice " + mode + " with the name " + name);
    }
  }

  /** The model calls tools or answers, as it sees fit; the default. */
  public static ToolChoice auto() {
    return AUTO;
  }

  /** The model is not told of the tools. */
  public static ToolChoice none() {
    return NONE;
  }

  /** The model has to call a tool. */
  public static ToolChoice required() {
    return REQUIRED;
  }

  /** The model has to call this tool. */
  public static ToolChoice named(String name) {
    return new ToolChoice(Mode.NAMED, Optional.of(name));
  }
}
