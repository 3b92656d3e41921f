package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.SchemaException;
import java.net.URI;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** A schema's document: where its parts are, and what its references mean. */
final class SchemaDocument {
  /** Schemas in a document, so that a hostile one cannot take all memory. */
  private static final int MAX_SCHEMAS = 200_000;

  private static final List<String> MAPS_OF_SCHEMAS =
      List.of("$defs", "definitions", "properties", "patternProperties", "dependentSchemas");

  private static final List<String> LISTS_OF_SCHEMAS =
      List.of("allOf", "anyOf", "oneOf", "prefixItems", "items");

  private static final List<String> SCHEMAS =
      List.of(
          "items",
          "additionalItems",
          "additionalProperties",
          "unevaluatedItems",
          "unevaluatedProperties",
          "contains",
          "propertyNames",
          "not",
          "if",
          "then",
          "else");

  final Location root;
  final Dialect dialect;

  private final Map<JsonNode, Location> locations = new IdentityHashMap<>();
  private final Map<Location, URI> bases = new HashMap<>();
  private final Map<URI, Location> resources = new HashMap<>();
  private final Map<URI, Location> anchors = new HashMap<>();
  private int nextId;

  /**
   * @throws SchemaException if the document is no schema, or too large
   */
  SchemaDocument(JsonNode schema) {
    root = new Location(schema, null, "", nextId++);
    requireSchema(root);
    locations.put(schema, root);
    dialect = Dialect.of(root);
    bases.put(root, URI.create(""));
    resources.put(URI.create(""), root);
    index();
  }

  /** The place of what a schema has under a keyword, or of one of the several it has there. */
  Location child(Location parent, String key, JsonNode node) {
    if (!node.isObject()) {
      // Booleans are shared between places.
      return new Location(node, parent, key, nextId++);
    }
    return locations.computeIfAbsent(node, n -> new Location(n, parent, key, nextId++));
  }

  /** As {@link #child}, of what must be a schema. */
  Location schema(Location parent, String key, JsonNode node) {
    Location location = child(parent, key, node);
    requireSchema(location);
    return location;
  }

  private static void requireSchema(Location location) {
    if (!location.node.isObject() && !location.node.isBoolean()) {
      throw location.error(
          "a schema is an object or a boolean, not " + location.node.getNodeType());
    }
  }

  /** Finds every {@code $id} and {@code $anchor}. */
  private void index() {
    Deque<Location> pending = new ArrayDeque<>();
    pending.push(root);
    while (!pending.isEmpty()) {
      Location at = pending.pop();
      if (nextId > MAX_SCHEMAS) {
        throw at.error("more than " + MAX_SCHEMAS + " schemas in one document");
      }
      if (at.node.isObject()) {
        name(at);
        pushChildren(at, pending);
      }
    }
  }

  private void pushChildren(Location at, Deque<Location> pending) {
    for (String keyword : MAPS_OF_SCHEMAS) {
      @Nullable JsonNode map = at.node.get(keyword);
      if (map != null && map.isObject()) {
        for (Map.Entry<String, JsonNode> entry : map.properties()) {
          push(at, keyword + "/" + Location.escape(entry.getKey()), entry.getValue(), pending);
        }
      }
    }
    for (String keyword : LISTS_OF_SCHEMAS) {
      @Nullable JsonNode list = at.node.get(keyword);
      if (list != null && list.isArray()) {
        for (int i = 0; i < list.size(); i++) {
          push(at, keyword + "/" + i, list.get(i), pending);
        }
      }
    }
    for (String keyword : SCHEMAS) {
      @Nullable JsonNode schema = at.node.get(keyword);
      if (schema != null) {
        push(at, keyword, schema, pending);
      }
    }
  }

  private void push(Location parent, String key, JsonNode node, Deque<Location> pending) {
    if (node.isObject() && !locations.containsKey(node)) {
      pending.push(child(parent, key, node));
    }
  }

  private void name(Location at) {
    @Nullable JsonNode id = at.node.get("$id");
    if (id != null && id.isTextual()) {
      if (id.asText().startsWith("#")) {
        anchors.put(resolve(at, "$id", id.asText()), at);
      } else {
        URI uri = withoutFragment(resolve(at, "$id", id.asText()));
        bases.put(at, uri);
        resources.putIfAbsent(uri, at);
      }
    }
    for (String keyword : List.of("$anchor", "$dynamicAnchor")) {
      @Nullable JsonNode anchor = at.node.get(keyword);
      if (anchor != null && anchor.isTextual()) {
        anchors.put(resolve(at, keyword, "#" + anchor.asText()), at);
      }
    }
  }

  private Location resource(Location at) {
    if (bases.size() == 1) {
      return root;
    }
    @Nullable Location above = at;
    while (above != null && !bases.containsKey(above)) {
      above = above.parent;
    }
    return above == null ? root : above;
  }

  private URI resolve(Location at, String keyword, String reference) {
    URI base = bases.getOrDefault(resource(at), URI.create(""));
    try {
      URI uri = URI.create(reference);
      // RFC 3986 keeps the base where there is nothing but a fragment; java.net.URI drops its path.
      return reference.startsWith("#") ? URI.create(base + reference) : base.resolve(uri);
    } catch (IllegalArgumentException e) {
      throw at.error(keyword, "'" + reference + "' is no URI reference");
    }
  }

  private static URI withoutFragment(URI uri) {
    String text = uri.toString();
    int hash = text.indexOf('#');
    return hash < 0 ? uri : URI.create(text.substring(0, hash));
  }

  /**
   * What a reference of a schema leads to.
   *
   * @throws SchemaException if that is not in this document, or no schema
   */
  Location target(Location at, String keyword, String reference) {
    URI uri = resolve(at, keyword, reference);
    @Nullable Location resource = resources.get(withoutFragment(uri));
    if (resource == null) {
      throw at.error(
          keyword, "'" + reference + "' is not in this document; put what it names into $defs");
    }
    String fragment = uri.getFragment() == null ? "" : uri.getFragment();
    @Nullable Location target =
        fragment.isEmpty() || fragment.startsWith("/")
            ? follow(resource, fragment)
            : anchors.get(uri);
    if (target == null) {
      throw at.error(keyword, "there is nothing at '" + reference + "'");
    }
    requireSchema(target);
    return target;
  }

  /** Follows a JSON Pointer, whose percent-encoding is undone. */
  private @Nullable Location follow(Location from, String pointer) {
    Location at = from;
    if (pointer.isEmpty()) {
      return at;
    }
    for (String key : pointer.substring(1).split("/", -1)) {
      String name = key.replace("~1", "/").replace("~0", "~");
      @Nullable JsonNode next =
          at.node.isArray() && name.matches("0|[1-9][0-9]{0,8}")
              ? at.node.get(Integer.parseInt(name))
              : at.node.get(name);
      if (next == null) {
        return null;
      }
      at = child(at, key, next);
    }
    return at;
  }
}
