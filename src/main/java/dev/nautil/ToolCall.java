package dev.nautil;

import dev.nautil.json.JsonValues;
import java.util.Objects;

/**
 * A tool that the model wants to be called. Immutable.
 *
 * @param id what the result refers to; in one reply no two calls have the same
 * @param name of the tool; of one that does not exist, if the model made it up
 * @param arguments as the model wrote them: JSON, unless the model made a mistake
 */
public record ToolCall(String id, String name, String arguments) {
  /**
   * The name of a call that could not be read, whose arguments are the text that the model wrote,
   * as a JSON string. Its result tells the model to try again.
   */
  public static final String UNREADABLE = "unreadable_call";

  /**
   * @throws MalformedTextException if one of the texts is not UTF-16
   */
  public ToolCall {
    Objects.requireNonNull(id, "id");
    MalformedTextException.check("the name of a called tool", name);
    MalformedTextException.check("the id of a call of " + name, id);
    MalformedTextException.check("the text of the arguments of " + name, arguments);
  }

  /**
   * The arguments as a value.
   *
   * @param type a record, for example
   * @throws NautilException if the arguments are no value of that type: it says where
   * @throws UnsupportedTypeException if a module does not open the type, or one in it: it says how
   */
  public <T> T arguments(Class<T> type) {
    return JsonValues.read(arguments, type);
  }

  /** What came of this call, for {@link Session#sendToolResults}. */
  public Message.ToolResult result(String content) {
    return new Message.ToolResult(id, name, content);
  }
}
