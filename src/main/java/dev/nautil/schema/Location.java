package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.SchemaException;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * A place in a schema document. Linked to the place above, since the pointers of a deep document
 * would be quadratic in its size.
 */
final class Location {
  final JsonNode node;
  final @Nullable Location parent;
  final String key;

  /** Of what is a schema: its number among the document's, in order of their discovery. */
  final int id;

  Location(JsonNode node, @Nullable Location parent, String key, int id) {
    this.node = node;
    this.parent = parent;
    this.key = key;
    this.id = id;
  }

  /** JSON Pointer, RFC 6901. */
  String pointer() {
    Deque<String> keys = new ArrayDeque<>();
    for (Location at = this; at.parent != null; at = at.parent) {
      keys.push(at.key);
    }
    StringBuilder pointer = new StringBuilder();
    for (String k : keys) {
      pointer.append('/').append(k);
    }
    return pointer.toString();
  }

  /** Escapes a key for a pointer. */
  static String escape(String key) {
    return key.replace("~", "~0").replace("/", "~1");
  }

  SchemaException error(String reason) {
    return new SchemaException(pointer(), reason);
  }

  /** An error of one of this schema's keywords. */
  SchemaException error(String keyword, String reason) {
    return new SchemaException(pointer() + "/" + escape(keyword), reason);
  }
}
