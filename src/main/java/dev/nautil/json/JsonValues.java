package dev.nautil.json;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.MapperFeature;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.ObjectReader;
import com.fasterxml.jackson.databind.SerializationFeature;
import com.fasterxml.jackson.databind.cfg.CoercionAction;
import com.fasterxml.jackson.databind.cfg.CoercionInputShape;
import com.fasterxml.jackson.databind.cfg.JsonNodeFeature;
import com.fasterxml.jackson.databind.cfg.MutableCoercionConfig;
import com.fasterxml.jackson.databind.json.JsonMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.BigIntegerNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import com.fasterxml.jackson.databind.type.LogicalType;
import com.fasterxml.jackson.databind.type.TypeFactory;
import com.fasterxml.jackson.datatype.jdk8.Jdk8Module;
import com.fasterxml.jackson.datatype.jsr310.JavaTimeModule;
import dev.nautil.NautilException;
import dev.nautil.UnsupportedTypeException;
import java.io.IOException;
import java.lang.reflect.InaccessibleObjectException;
import java.math.BigDecimal;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/**
 * Java values from JSON and to it, as {@link TypeSchema} describes them: nothing missing, nothing
 * unknown, no number cut short, and nothing of another type that could be made into one.
 */
public final class JsonValues {
  private static final ObjectMapper MAPPER =
      JsonMapper.builder()
          .addModules(new Jdk8Module(), new JavaTimeModule())
          .annotationIntrospector(new Introspector())
          .defaultSetterInfo(JsonSetter.Value.forContentNulls(Nulls.FAIL))
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .enable(DeserializationFeature.FAIL_ON_NULL_FOR_PRIMITIVES)
          .enable(DeserializationFeature.FAIL_ON_NUMBERS_FOR_ENUMS)
          .enable(DeserializationFeature.USE_BIG_DECIMAL_FOR_FLOATS)
          .disable(DeserializationFeature.ACCEPT_FLOAT_AS_INT)
          .disable(MapperFeature.ALLOW_COERCION_OF_SCALARS)
          .withCoercionConfig(LogicalType.Textual, JsonValues::takeTextAlone)
          .disable(JsonNodeFeature.STRIP_TRAILING_BIGDECIMAL_ZEROES)
          .defaultPropertyInclusion(
              JsonInclude.Value.construct(
                  JsonInclude.Include.NON_ABSENT, JsonInclude.Include.ALWAYS))
          .disable(DeserializationFeature.ADJUST_DATES_TO_CONTEXT_TIME_ZONE)
          .disable(SerializationFeature.WRITE_DATES_AS_TIMESTAMPS)
          .disable(SerializationFeature.WRITE_DURATIONS_AS_TIMESTAMPS)
          .disable(SerializationFeature.FAIL_ON_EMPTY_BEANS)
          .build();

  /** For a list or map that is no property, in which optionals may be null. */
  private static final ObjectMapper TAKES_GAPS =
      MAPPER.copy().setDefaultSetterInfo(JsonSetter.Value.forContentNulls(Nulls.SET));

  /** Of an integer that is written with a point or an exponent: what the largest double has. */
  private static final int MAX_DIGITS = 309;

  private JsonValues() {}

  /** A number is no text, however it is written. */
  private static void takeTextAlone(MutableCoercionConfig config) {
    config
        .setCoercion(CoercionInputShape.Integer, CoercionAction.Fail)
        .setCoercion(CoercionInputShape.Float, CoercionAction.Fail)
        .setCoercion(CoercionInputShape.Boolean, CoercionAction.Fail);
  }

  static ObjectMapper mapper() {
    return MAPPER;
  }

  public static TypeFactory types() {
    return MAPPER.getTypeFactory();
  }

  /**
   * Reads a JSON text. Of members of one name the last counts, as to most readers of JSON: where a
   * schema takes any names, it cannot keep a model from writing one again.
   *
   * @throws InvalidJsonException if it is none
   */
  public static JsonNode parse(String json) {
    return parse(json, MAPPER.reader());
  }

  /**
   * Reads a JSON text in which no object has two members of one name.
   *
   * @throws InvalidJsonException if it is none
   */
  public static JsonNode parseStrictly(String json) {
    return parse(json, MAPPER.reader().with(StreamReadFeature.STRICT_DUPLICATE_DETECTION));
  }

  private static JsonNode parse(String json, ObjectReader reader) {
    try {
      JsonNode node = reader.readTree(json);
      if (node.isMissingNode()) {
        throw new InvalidJsonException("no JSON, but nothing at all");
      }
      return node;
    } catch (JsonProcessingException e) {
      throw new InvalidJsonException("no JSON: " + firstLine(e.getOriginalMessage()));
    }
  }

  /**
   * Reads a value that is not null from a JSON text.
   *
   * @param type may be a primitive one
   * @throws InvalidJsonException if the text is no JSON, or has no value of the type; it says where
   * @throws UnsupportedTypeException if a module does not open a type; it says how
   */
  @SuppressWarnings("unchecked")
  public static <T> T read(String json, Class<T> type) {
    JavaType described = types().constructType(type);
    Object value = read(parse(json), described);
    if (value == null) {
      throw new InvalidJsonException("null, and no " + type.getTypeName());
    }
    return described.isPrimitive() ? (T) value : type.cast(value);
  }

  /**
   * Reads a value.
   *
   * @throws InvalidJsonException if the JSON has no value of the type; it says where
   * @throws UnsupportedTypeException if a module does not open a type; it says how
   */
  public static @Nullable Object read(JsonNode json, JavaType type) {
    ObjectMapper mapper = Introspector.hasOptionals(type) ? TAKES_GAPS : MAPPER;
    try (JsonParser parser = new NumberCheck(mapper.treeAsTokens(withPlainIntegers(json)))) {
      return mapper.readValue(parser, type);
    } catch (JsonMappingException e) {
      if (isOfClosedPackage(e)) {
        // Fails, and says which package has to be opened.
        TypeSchema.of(type, false);
      }
      throw new InvalidJsonException(path(e) + firstLine(e.getOriginalMessage()));
    } catch (IOException e) {
      throw new InvalidJsonException(String.valueOf(e.getMessage()));
    }
  }

  private static boolean isOfClosedPackage(JsonMappingException e) {
    return Stream.<Throwable>iterate(e, Objects::nonNull, Throwable::getCause)
        .anyMatch(InaccessibleObjectException.class::isInstance);
  }

  /** JSON Schema takes 1.0 and 1e2 for integers, Jackson does not. */
  private static JsonNode withPlainIntegers(JsonNode json) {
    if (json.isBigDecimal()) {
      BigDecimal value = json.decimalValue().stripTrailingZeros();
      boolean isInteger = value.scale() <= 0 && value.precision() - value.scale() <= MAX_DIGITS;
      return isInteger ? BigIntegerNode.valueOf(value.toBigInteger()) : json;
    } else if (json.isArray()) {
      ArrayNode array = MAPPER.createArrayNode();
      json.forEach(element -> array.add(withPlainIntegers(element)));
      return array;
    } else if (json.isObject()) {
      ObjectNode object = MAPPER.createObjectNode();
      json.properties().forEach(p -> object.set(p.getKey(), withPlainIntegers(p.getValue())));
      return object;
    }
    return json;
  }

  /**
   * Reads a member of an object; one that may be left out and is, is an empty optional or null.
   *
   * @throws InvalidJsonException if it is not there, or no value of the type
   */
  public static @Nullable Object property(
      JsonNode object, String name, JavaType type, boolean required) {
    JsonNode json = object.path(name);
    if (json.isMissingNode() || json.isNull()) {
      if (required) {
        throw new InvalidJsonException(name + ": there is no value");
      }
      json = MAPPER.nullNode();
      return Nullability.isOptional(type.getRawClass()) ? read(json, type) : null;
    }
    try {
      return read(json, type);
    } catch (InvalidJsonException e) {
      throw new InvalidJsonException(name + ": " + e.getMessage());
    }
  }

  /** A JSON object's members, in order. */
  public static Map<String, Object> toMap(JsonNode object) {
    return MAPPER.convertValue(object, new TypeReference<LinkedHashMap<String, Object>>() {});
  }

  /**
   * A value as JSON.
   *
   * @throws NautilException if it has none
   */
  public static String write(@Nullable Object value) {
    try {
      return MAPPER.writeValueAsString(value);
    } catch (JsonProcessingException e) {
      throw new NautilException("a value without JSON: " + firstLine(e.getOriginalMessage()), e);
    }
  }

  private static String path(JsonMappingException e) {
    List<JsonMappingException.Reference> path = e.getPath();
    return path.isEmpty()
        ? ""
        : path.stream()
                .map(p -> p.getFieldName() != null ? p.getFieldName() : "[" + p.getIndex() + "]")
                .collect(Collectors.joining("."))
                .replace(".[", "[")
            + ": ";
  }

  private static String firstLine(String text) {
    return text.lines().findFirst().orElse("");
  }
}
