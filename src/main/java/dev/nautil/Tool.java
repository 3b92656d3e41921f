package dev.nautil;

import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.engine.ToolSyntax;
import dev.nautil.json.InvalidJsonException;
import dev.nautil.json.JsonValues;
import dev.nautil.json.TypeSchema;
import java.util.Collections;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;

/**
 * Something that a model may ask to be done: a name, what it is for, the arguments that it takes,
 * and what it does with them.
 *
 * <pre>{@code
 * record City(@Param(description = "In English") String name) {}
 *
 * Tool weather = Tool.of("weather", "The weather of today.", City.class, city -> "Rain.");
 * }</pre>
 *
 * <p>Arguments are described to the model by their type: records, enums, strings, numbers,
 * booleans, {@code java.time}, lists, sets, arrays, maps with string keys, and optionals of these.
 * A component that is an {@code Optional}, or has an annotation named {@code Nullable}, may be left
 * out; all others must be there. Jackson reads them, and its annotations count; where they give a
 * value another form than that of its type, it cannot be described. A record of a named module that
 * does not export it must be opened to {@code com.fasterxml.jackson.databind}.
 *
 * <p>Immutable. What a tool does is run by the thread that reads the reply.
 */
public final class Tool {
  /**
   * What a tool does.
   *
   * @param <A> the arguments
   */
  @FunctionalInterface
  public interface Action<A> {
    /**
     * Is called when the model asks for it.
     *
     * @return text for the model, or a value that it is given as JSON
     * @throws Exception that the model is told of
     */
    @Nullable Object call(A arguments) throws Exception;
  }

  private final String name;
  private final String description;

  /** As the model reads it. */
  private final Map<String, Object> schema;

  /** What arguments must be; it says more than the model need read. */
  private final Map<String, Object> strictSchema;

  private final @Nullable Reader reader;

  /** Arguments that were read, and what is done with them. */
  interface Reader {
    /**
     * Reads arguments.
     *
     * @throws dev.nautil.json.InvalidJsonException if they are not as the tool wants them
     */
    Callable<@Nullable Object> read(JsonNode arguments);
  }

  Tool(
      String name,
      String description,
      Map<String, Object> schema,
      Map<String, Object> strictSchema,
      @Nullable Reader reader) {
    if (!ToolSyntax.isName(name)) {
      throw new InvalidToolException(
          "the name of a tool is to be 1 to 64 letters, digits, _ and -: \"" + name + "\"");
    }
    if (name.equals(ToolCall.UNREADABLE)) {
      throw new InvalidToolException("the name " + name + " is that of calls that cannot be read");
    }
    this.name = name;
    this.description = MalformedTextException.check("the description of " + name, description);
    MalformedTextException.check(
        "the schema of the arguments of " + name + ", as JSON,", JsonValues.write(strictSchema));
    this.schema = Collections.unmodifiableMap(schema);
    this.strictSchema = Collections.unmodifiableMap(strictSchema);
    this.reader = reader;
  }

  /**
   * A tool whose arguments are a record.
   *
   * @throws InvalidToolException if its name is none
   * @throws MalformedTextException if a description is not UTF-16
   * @throws UnsupportedTypeException if there is a type in the record that cannot be described
   */
  public static <A> Tool of(
      String name, String description, Class<A> arguments, Action<? super A> action) {
    Objects.requireNonNull(action, "action");
    JavaType type = JsonValues.types().constructType(arguments);
    return new Tool(
        name,
        description,
        objectSchema(name, arguments, false),
        objectSchema(name, arguments, true),
        json -> {
          A read = arguments.cast(JsonValues.read(json, type));
          return () -> action.call(read);
        });
  }

  /**
   * A tool whose arguments are described by a JSON Schema, and given as JSON text.
   *
   * @param schema of an object
   * @throws InvalidToolException if its name is none, or the schema is not one of an object
   * @throws MalformedTextException if a description is not UTF-16
   */
  public static Tool of(String name, String description, String schema, Action<String> action) {
    Objects.requireNonNull(action, "action");
    Map<String, Object> parsed = parse(name, schema);
    return new Tool(name, description, parsed, parsed, json -> () -> action.call(json.toString()));
  }

  /**
   * A tool that the caller runs: a reply that calls it ends with {@link FinishReason#TOOL_CALLS}.
   *
   * @param arguments a record
   * @throws InvalidToolException if its name is none
   * @throws MalformedTextException if a description is not UTF-16
   * @throws UnsupportedTypeException if there is a type in the record that cannot be described
   */
  public static Tool declare(String name, String description, Class<?> arguments) {
    return new Tool(
        name,
        description,
        objectSchema(name, arguments, false),
        objectSchema(name, arguments, true),
        null);
  }

  /**
   * A tool that the caller runs: a reply that calls it ends with {@link FinishReason#TOOL_CALLS}.
   *
   * @param schema of the arguments, an object: JSON Schema
   * @throws InvalidToolException if its name is none, or the schema is not one of an object
   * @throws MalformedTextException if a description is not UTF-16
   */
  public static Tool declare(String name, String description, String schema) {
    Map<String, Object> parsed = parse(name, schema);
    return new Tool(name, description, parsed, parsed, null);
  }

  private static Map<String, Object> objectSchema(String name, Class<?> type, boolean ranges) {
    Map<String, Object> schema = TypeSchema.of(type, ranges);
    if (!schema.containsKey("properties") && !schema.containsKey("additionalProperties")) {
      throw new UnsupportedTypeException(
          "the arguments of " + name, type.getName(), "they are to be a record");
    }
    return schema;
  }

  private static Map<String, Object> parse(String name, String schema) {
    String problem;
    try {
      JsonNode json = JsonValues.parseStrictly(schema);
      if (json.isObject() && json.path("type").asText("object").equals("object")) {
        Map<String, Object> map = JsonValues.toMap(json);
        map.putIfAbsent("type", "object");
        return map;
      }
      problem = "is not one of an object";
    } catch (InvalidJsonException e) {
      problem = "is " + e.getMessage();
    }
    throw new InvalidToolException("the schema of the arguments of " + name + " " + problem);
  }

  /** What the model calls it by. */
  public String name() {
    return name;
  }

  /** What it does and when to use it; may be empty. */
  public String description() {
    return description;
  }

  /** The JSON Schema of its arguments, as the model reads it. */
  public String schema() {
    return JsonValues.write(schema);
  }

  /** The schema that arguments which can be read have; JSON. */
  String strictSchema() {
    return JsonValues.write(strictSchema);
  }

  Map<String, Object> schemaMap() {
    return schema;
  }

  /** Empty if the caller runs it. */
  Optional<Reader> reader() {
    return Optional.ofNullable(reader);
  }

  @Override
  public String toString() {
    return name + schema();
  }
}
