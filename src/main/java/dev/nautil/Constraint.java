package dev.nautil;

import dev.nautil.grammar.Grammar;
import dev.nautil.json.JsonValues;
import dev.nautil.json.TypeSchema;
import dev.nautil.schema.JsonSchemaGrammar;
import java.util.Objects;

/**
 * A form that replies are held to: while a reply is generated, only tokens that it can go on with
 * are chosen from. A reply that is not cut off, by {@link SessionOptions#maxTokens} or the end of
 * the context, has the form.
 *
 * <pre>{@code
 * Constraint answer = Constraint.regex("yes|no");
 * Session chat = model.newSession(Session.options().constraint(answer));
 * }</pre>
 *
 * <p>The model is not told of it: it helps to say in the prompt what is wanted. Immutable; using
 * the same one again saves making it ready.
 */
public final class Constraint {
  private static final ClassValue<Constraint> OF_TYPES =
      new ClassValue<>() {
        @Override
        protected Constraint computeValue(Class<?> type) {
          String schema = JsonValues.write(TypeSchema.of(type, true));
          return jsonSchema(schema);
        }
      };

  private final Grammar grammar;

  private Constraint(Grammar grammar) {
    this.grammar = grammar;
  }

  /**
   * JSON that matches a schema of draft 2020-12, 2019-09 or 07. {@code oneOf} is taken as {@code
   * anyOf}; {@code $ref} leads to places of the schema itself. The guide's chapter on structured
   * output lists the keywords.
   *
   * @param schema JSON text
   * @throws SchemaException if it is malformed, no value matches it, or it has a keyword that
   *     cannot be enforced; it names the place
   */
  public static Constraint jsonSchema(String schema) {
    return new Constraint(JsonSchemaGrammar.compile(Objects.requireNonNull(schema, "schema")));
  }

  /**
   * The JSON of a Java type: a record, an enum, a number, a string, {@code java.time}.
   *
   * @throws UnsupportedTypeException if there is a type in it that cannot be described
   */
  public static Constraint json(Class<?> type) {
    return OF_TYPES.get(Objects.requireNonNull(type, "type"));
  }

  /**
   * Text that matches a regular expression as a whole: ECMA-262's, without what is not regular.
   *
   * @throws GrammarException if it is malformed, or has look-around or back-references; it names
   *     the place
   */
  public static Constraint regex(String pattern) {
    return new Constraint(Grammar.regex(Objects.requireNonNull(pattern, "pattern")));
  }

  /**
   * Text that a grammar derives from its rule {@code root}, in llama.cpp's notation, GBNF.
   *
   * @throws GrammarException if it is malformed; it names the place
   */
  public static Constraint gbnf(String grammar) {
    return new Constraint(Grammar.gbnf(Objects.requireNonNull(grammar, "grammar")));
  }

  Grammar grammar() {
    return grammar;
  }
}
