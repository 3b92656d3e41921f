package dev.nautil;

/**
 * A JSON Schema that cannot be enforced: it is malformed, uses a keyword that is not supported, or
 * no value matches it.
 */
public class SchemaException extends GrammarException {
  private static final long serialVersionUID = 1;

  private final String pointer;
  private final String reason;

  /**
   * @param pointer JSON Pointer (RFC 6901) to the part of the schema that is at fault; empty for
   *     the whole of it
   * @param reason what is wrong with it, and what to do
   */
  public SchemaException(String pointer, String reason) {
    this("", pointer, reason);
  }

  private SchemaException(String owner, String pointer, String reason) {
    super("the schema" + owner + " at '#" + pointer + "': " + reason);
    this.pointer = pointer;
    this.reason = reason;
  }

  /** The same, which says that the schema is that of a tool's arguments. */
  SchemaException of(Tool tool) {
    SchemaException named =
        new SchemaException(" of the tool " + tool.name() + "'s arguments", pointer, reason);
    named.initCause(this);
    return named;
  }

  /** JSON Pointer (RFC 6901) to the part of the schema that is at fault; empty for all of it. */
  public String pointer() {
    return pointer;
  }

  /** What is wrong there, without the place. */
  public String reason() {
    return reason;
  }
}
