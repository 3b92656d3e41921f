package dev.nautil.schema;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.nautil.SchemaException;
import dev.nautil.grammar.Grammar;

/**
 * Makes a grammar of a JSON Schema: of the texts of the values that match it.
 *
 * <p><b>Sound:</b> whatever the grammar matches is JSON that matches the schema, formats included.
 * <b>Complete:</b> it matches what common writers of JSON write for a value that matches the
 * schema, but for the restrictions below. A keyword that could not be enforced is refused.
 *
 * <p>Draft 2020-12 is the reference; {@code $schema} may name draft 2019-09 or 07 instead.
 *
 * <table>
 * <caption>Keywords</caption>
 * <tr><td>of any type<td>{@code type}, {@code enum}, {@code const}, {@code allOf}, {@code anyOf},
 *     {@code oneOf}, {@code $ref}, {@code $defs}, {@code $id}, {@code $anchor}; boolean schemas
 * <tr><td>of numbers<td>{@code minimum}, {@code maximum}, {@code exclusiveMinimum}, {@code
 *     exclusiveMaximum}, {@code multipleOf} what is up to 500, or that times a power of ten
 * <tr><td>of strings<td>{@code minLength}, {@code maxLength}, {@code pattern}, {@code format}:
 *     date-time, date, time, duration, email, hostname, ipv4, ipv6, uri, uuid
 * <tr><td>of arrays<td>{@code items}, {@code prefixItems}, {@code minItems}, {@code maxItems}
 * <tr><td>of objects<td>{@code properties}, {@code required}, {@code additionalProperties}, {@code
 *     maxProperties}, and {@code minProperties} where names are listed, or it is at most one above
 *     the number of required ones
 * <tr><td>without effect<td>{@code title}, {@code description}, {@code default}, {@code examples},
 *     {@code deprecated}, {@code readOnly}, {@code writeOnly}, {@code $comment}, {@code content…},
 *     {@code x-…}; OpenAPI's {@code example}, {@code discriminator}, {@code externalDocs}, {@code
 *     xml}
 * </table>
 *
 * <ul>
 *   <li>{@code oneOf} is taken as {@code anyOf}: a value may match several.
 *   <li>{@code format} is enforced where it concerns strings. On numbers, {@code int32} and {@code
 *       int64} are bounds, and {@code double} says nothing.
 *   <li>{@code $ref} leads to places of the same document only.
 *   <li>Any other keyword is refused, but where its value has no effect ({@code "uniqueItems":
 *       false}) or it concerns none of the schema's types.
 *   <li>A schema that no value matches is refused, wherever it is; but what only several schemas
 *       together make impossible is left out.
 * </ul>
 *
 * <p>Whitespace may be wherever JSON has it, up to 128 characters in one place. Members come in any
 * order, each named property at most once. Strings may spell any character raw or by any escape;
 * names and constants, as common writers do. An integer may be written {@code 1}, {@code 1.0} or
 * {@code 1e2}. With an exponent there is one digit other than 0 before the point. What has a point
 * or exponent keeps the bounds both as it is written and as the double that it is commonly read as.
 * Multiples have up to 15 digits, which a double keeps. Numbers have up to 240 digits and those of
 * the bounds.
 */
public final class JsonSchemaGrammar {
  /** Levels of a schema's text. */
  private static final int MAX_DEPTH = 100_000;

  private static final ObjectReader READER =
      JsonMapper.builder(
              com.fasterxml.jackson.core.JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
                  .build())
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_READING_DUP_TREE_KEY)
          .build()
          .readerFor(JsonNode.class);

  private JsonSchemaGrammar() {}

  /**
   * Makes the grammar of a schema.
   *
   * @throws SchemaException if the schema is malformed, cannot be enforced, or no value matches it;
   *     it names the place
   */
  public static Grammar compile(JsonNode schema) {
    return new SchemaCompiler(schema).compile();
  }

  /**
   * Makes the grammar of a schema that is given as JSON text.
   *
   * @throws SchemaException if the text is not JSON, or the schema is malformed, cannot be
   *     enforced, or no value matches it; it names the place
   */
  public static Grammar compile(String schema) {
    JsonNode node;
    try {
      node = READER.readValue(schema);
    } catch (JsonProcessingException e) {
      throw new SchemaException("", "is no JSON: " + e.getOriginalMessage());
    }
    return compile(node);
  }
}
