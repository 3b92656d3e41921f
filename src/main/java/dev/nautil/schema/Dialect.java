package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import org.jspecify.annotations.Nullable;

/** The drafts of JSON Schema that a schema's {@code $schema} may name. */
enum Dialect {
  DRAFT_7("http://json-schema.org/draft-07/schema"),
  DRAFT_2019_09("https://json-schema.org/draft/2019-09/schema"),
  DRAFT_2020_12("https://json-schema.org/draft/2020-12/schema");

  final String uri;

  Dialect(String uri) {
    this.uri = uri;
  }

  /** Whether {@code items} may be an array, which 2020-12 calls {@code prefixItems}. */
  boolean hasItemsArray() {
    return this != DRAFT_2020_12;
  }

  /** Whether nothing beside a {@code $ref} counts. */
  boolean refReplacesSiblings() {
    return this == DRAFT_7;
  }

  static Dialect of(Location root) {
    @Nullable JsonNode schema = root.node.get("$schema");
    if (schema == null) {
      return DRAFT_2020_12;
    }
    String uri = schema.asText().replaceFirst("#$", "");
    for (Dialect dialect : values()) {
      if (dialect.uri.equals(uri)) {
        return dialect;
      }
    }
    throw root.error(
        "$schema",
        "'" + schema.asText() + "' is not supported; drafts 2020-12, 2019-09 and 07 are");
  }
}
