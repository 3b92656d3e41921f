package dev.nautil.json;

import com.fasterxml.jackson.databind.BeanDescription;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.introspect.BeanPropertyDefinition;
import com.fasterxml.jackson.databind.node.TextNode;
import dev.nautil.UnsupportedTypeException;
import java.io.IOException;
import java.lang.reflect.Modifier;
import java.lang.reflect.Type;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Writes the JSON Schema (Draft 2020-12) of a Java type: of what {@link JsonValues} reads.
 *
 * <p>Both ask Jackson for a type's properties, so that they agree. A record that is used once is
 * written where it is used; others, recursive ones among them, are in {@code $defs}.
 *
 * <p>One is for one schema. Not thread-safe.
 */
public final class TypeSchema {
  /**
   * A property of the object that a schema is of.
   *
   * @param description empty for none
   */
  public record Property(String name, String description, JavaType type, boolean required) {}

  /** A record or class. */
  private static final class Bean {
    final String name;
    final Map<String, Object> schema = new LinkedHashMap<>();

    /** Where it is used: the schemas that say {@code $ref}. */
    final List<Map<String, Object>> uses = new ArrayList<>();

    /** Those that it mentions. */
    final Set<Bean> mentioned = new LinkedHashSet<>();

    /** Those that a value of it cannot do without. */
    final Set<Bean> needed = new LinkedHashSet<>();

    Bean(String name) {
      this.name = name;
    }

    boolean reachesItself(boolean needs) {
      Set<Bean> reached = new LinkedHashSet<>(needs ? needed : mentioned);
      List<Bean> open = new ArrayList<>(reached);
      while (!open.isEmpty()) {
        Bean next = open.remove(open.size() - 1);
        for (Bean further : needs ? next.needed : next.mentioned) {
          if (reached.add(further)) {
            open.add(further);
          }
        }
      }
      return reached.contains(this);
    }
  }

  /**
   * Where a type stands.
   *
   * @param owner of the property; null outside of a record
   * @param needed whether a value of the owner cannot do without one
   */
  private record Place(String path, @Nullable Bean owner, boolean needed) {
    Place inside(String more) {
      return new Place(path + more, owner, false);
    }
  }

  private final boolean ranges;
  private final Map<JavaType, Bean> beans = new LinkedHashMap<>();
  private final Set<String> names = new LinkedHashSet<>();

  private TypeSchema(boolean ranges) {
    this.ranges = ranges;
  }

  /**
   * The schema of a type.
   *
   * @param ranges whether numbers, characters and zones say how far they go, which a model need not
   *     read
   * @throws UnsupportedTypeException if there is a type in it that has none
   */
  public static Map<String, Object> of(Type type, boolean ranges) {
    TypeSchema schemas = new TypeSchema(ranges);
    JavaType javaType = JsonValues.types().constructType(type);
    String path = javaType.getRawClass().getSimpleName();
    Map<String, Object> use = schemas.schema(javaType, new Place(path, null, false));
    Bean bean = schemas.beans.get(javaType);
    if (bean == null) {
      return schemas.withDefinitions(use);
    }
    bean.uses.removeIf(u -> u == use);
    return schemas.withDefinitions(bean.schema);
  }

  /**
   * The schema of an object with some properties.
   *
   * @param where it is, for errors
   * @throws UnsupportedTypeException if there is a type in it that has none
   */
  public static Map<String, Object> of(String where, List<Property> properties, boolean ranges) {
    TypeSchema schemas = new TypeSchema(ranges);
    Map<String, Object> schema = new LinkedHashMap<>();
    schemas.object(schema, properties, new Place(where, null, false));
    return schemas.withDefinitions(schema);
  }

  /** Puts records where they are used, or beside the schema. */
  private Map<String, Object> withDefinitions(Map<String, Object> root) {
    Map<String, Object> definitions = new LinkedHashMap<>();
    for (Bean bean : beans.values()) {
      if (bean.reachesItself(true)) {
        throw new UnsupportedTypeException(
            bean.name,
            bean.name,
            "it needs another of itself, without end; make a component optional, nullable or a list");
      }
      boolean inPlace = bean.uses.size() == 1 && !bean.reachesItself(false);
      if (inPlace) {
        Map<String, Object> use = bean.uses.get(0);
        Object description = use.get("description");
        use.clear();
        use.putAll(bean.schema);
        if (description != null) {
          use.put("description", description);
        }
      } else if (!bean.uses.isEmpty()) {
        definitions.put(bean.name, bean.schema);
      }
    }
    Map<String, Object> schema = new LinkedHashMap<>(root);
    if (!definitions.isEmpty()) {
      schema.put("$defs", definitions);
    }
    return schema;
  }

  /** The caller may add to it. */
  private Map<String, Object> schema(JavaType type, Place place) {
    Class<?> raw = type.getRawClass();
    Map<String, Object> known = KnownTypes.schema(raw, ranges);
    if (known != null) {
      return new LinkedHashMap<>(known);
    }
    Map<String, Object> schema = new LinkedHashMap<>();
    if (type.isEnumType()) {
      schema.put("type", "string");
      schema.put("enum", constants(type, place));
    } else if (raw == Optional.class) {
      Map<String, Object> nothing = new LinkedHashMap<>(Map.of("type", "null"));
      JavaType value = required(type.containedType(0), type, place);
      schema.put("anyOf", List.of(schema(value, place.inside("")), nothing));
    } else if (type.isArrayType()
        || Collection.class.isAssignableFrom(raw)
        || raw == Iterable.class) {
      schema.put("type", "array");
      JavaType items = type.isContainerType() ? type.getContentType() : type.containedType(0);
      schema.put("items", schema(required(items, type, place), place.inside("[]")));
    } else if (Map.class.isAssignableFrom(raw)) {
      return map(type, place);
    } else {
      return use(type, place);
    }
    return schema;
  }

  private static JavaType required(@Nullable JavaType argument, JavaType type, Place place) {
    if (argument == null || argument.isJavaLangObject()) {
      throw unsupported(type, place, "say of what it is, as in List<String>");
    }
    return argument;
  }

  private Map<String, Object> map(JavaType type, Place place) {
    JavaType values = required(type.getContentType(), type, place);
    Map<String, Object> schema = new LinkedHashMap<>();
    schema.put("type", "object");
    if (type.getKeyType().isEnumType()) {
      Map<String, Object> members = new LinkedHashMap<>();
      for (Object key : constants(type.getKeyType(), place)) {
        members.put((String) key, schema(values, place.inside("[]")));
      }
      schema.put("properties", members);
      schema.put("additionalProperties", false);
    } else if (type.getKeyType().getRawClass() == String.class) {
      schema.put("additionalProperties", schema(values, place.inside("[]")));
    } else {
      throw unsupported(type, place, "the keys of a map are to be strings or an enum");
    }
    return schema;
  }

  private static List<Object> constants(JavaType type, Place place) {
    Class<?> raw = type.getRawClass();
    // A constant with a body of its own has a class of its own.
    Object[] constants = raw.isEnum() ? raw.getEnumConstants() : null;
    if (constants == null || constants.length == 0) {
      throw unsupported(type, place, "it has no constants");
    }
    List<Object> texts = new ArrayList<>();
    for (Object constant : constants) {
      String text = JsonValues.mapper().valueToTree(constant).asText();
      if (!isReadAs(constant, text, type)) {
        throw unsupported(
            type, place, "Jackson does not read " + constant + " from \"" + text + "\"");
      }
      texts.add(text);
    }
    return texts;
  }

  private static boolean isReadAs(Object constant, String text, JavaType type) {
    try {
      Object read = JsonValues.mapper().readerFor(type).readValue(TextNode.valueOf(text));
      return constant.equals(read);
    } catch (IOException e) {
      return false;
    }
  }

  private Map<String, Object> use(JavaType type, Place place) {
    Bean bean = beans.get(type);
    if (bean == null) {
      List<Property> properties = properties(type, place);
      bean = new Bean(newName(type));
      beans.put(type, bean);
      object(bean.schema, properties, new Place(place.path, bean, false));
      @Nullable String problem = BeanCheck.problem(type, properties);
      if (problem != null) {
        throw unsupported(type, place, problem);
      }
    }
    if (place.owner != null) {
      place.owner.mentioned.add(bean);
      if (place.needed) {
        place.owner.needed.add(bean);
      }
    }
    Map<String, Object> use = new LinkedHashMap<>();
    use.put("$ref", "#/$defs/" + bean.name);
    bean.uses.add(use);
    return use;
  }

  private String newName(JavaType type) {
    String base = type.getRawClass().getSimpleName();
    String name = base;
    for (int i = 2; !names.add(name); i++) {
      name = base + i;
    }
    return name;
  }

  private void object(Map<String, Object> schema, List<Property> properties, Place place) {
    Map<String, Object> members = new LinkedHashMap<>();
    List<Object> required = new ArrayList<>();
    for (Property property : properties) {
      JavaType type = property.type;
      boolean optional = type.getRawClass() == Optional.class;
      Place at = new Place(place.path + "." + property.name, place.owner, property.required);
      Map<String, Object> member =
          schema(optional ? required(type.containedType(0), type, at) : type, at);
      if (!property.description.isEmpty()) {
        member.put("description", property.description);
      }
      members.put(property.name, member);
      if (property.required) {
        required.add(property.name);
      }
    }
    schema.put("type", "object");
    schema.put("properties", members);
    if (!required.isEmpty()) {
      schema.put("required", required);
    }
    schema.put("additionalProperties", false);
  }

  private static List<Property> properties(JavaType type, Place place) {
    Class<?> raw = type.getRawClass();
    if (type.isJavaLangObject()) {
      throw unsupported(type, place, "it can be anything");
    }
    if (raw.isInterface() || Modifier.isAbstract(raw.getModifiers())) {
      throw unsupported(type, place, "it is abstract; use a record");
    }
    if (raw.getName().startsWith("java") || raw.isPrimitive()) {
      throw unsupported(type, place, "it is no value; use a record, a list, a string, a number …");
    }
    if (!isOpen(raw)) {
      throw unsupported(
          type,
          place,
          "add \"opens "
              + raw.getPackageName()
              + " to com.fasterxml.jackson.databind\" to its module-info, or make it public and"
              + " export that package");
    }
    BeanDescription description = JsonValues.mapper().getDeserializationConfig().introspect(type);
    boolean inner = raw.isMemberClass() && !Modifier.isStatic(raw.getModifiers());
    if (!raw.isRecord() && (inner || description.findDefaultConstructor() == null)) {
      throw unsupported(type, place, "it is neither a record nor has it a default constructor");
    }
    List<Property> properties = new ArrayList<>();
    for (BeanPropertyDefinition property : readProperties(type, description, place)) {
      JavaType of = property.getPrimaryType();
      @Nullable String problem = BeanCheck.problem(property.getPrimaryMember());
      if (problem != null) {
        throw unsupported(of, place.inside("." + property.getName()), problem);
      }
      String said = property.getMetadata().getDescription();
      properties.add(
          new Property(property.getName(), said == null ? "" : said, of, property.isRequired()));
    }
    if (properties.isEmpty() && !raw.isRecord()) {
      throw unsupported(type, place, "it has no properties");
    }
    return properties;
  }

  private static List<BeanPropertyDefinition> readProperties(
      JavaType type, BeanDescription description, Place place) {
    try {
      return description.findProperties().stream()
          .filter(p -> p.getPrimaryMember() != null && p.couldDeserialize())
          .toList();
    } catch (IllegalArgumentException e) {
      throw unsupported(type, place, "Jackson cannot read it: " + e.getMessage());
    }
  }

  /** Whether Jackson may call its constructor. */
  private static boolean isOpen(Class<?> type) {
    Module module = type.getModule();
    Module jackson = ObjectMapper.class.getModule();
    return module.isOpen(type.getPackageName(), jackson)
        || (Modifier.isPublic(type.getModifiers())
            && module.isExported(type.getPackageName(), jackson));
  }

  private static UnsupportedTypeException unsupported(JavaType type, Place place, String reason) {
    return new UnsupportedTypeException(place.path, type.getRawClass().getTypeName(), reason);
  }
}
