package dev.nautil.engine;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonParseException;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import dev.nautil.NautilException;
import dev.nautil.template.PythonFloat;
import java.io.IOException;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON as Python's json module reads and writes it, which decides the tokens that Mistral's models
 * were trained on: {@code ", "} and {@code ": "} between things, non-ASCII characters as they are,
 * floats as Python's repr writes them, and NaN and the infinities, which JSON does not have.
 *
 * <p>Values are maps with string keys, lists, strings, numbers, booleans and null.
 */
final class PythonJson {
  /** Python's limits: of its stack, and of the digits of an integer. */
  private static final int MAX_DEPTH = 900;

  private static final int MAX_DIGITS = 4300;

  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder()
                  .maxStringLength(Integer.MAX_VALUE)
                  .maxNameLength(Integer.MAX_VALUE)
                  .maxNumberLength(MAX_DIGITS)
                  .maxNestingDepth(MAX_DEPTH)
                  .build())
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .build();

  private PythonJson() {}

  /** The value of a JSON text, or the text itself where it is none. */
  static @Nullable Object loadsOrText(String text) {
    try (JsonParser parser = FACTORY.createParser(text)) {
      JsonToken first = parser.nextToken();
      if (first == null) {
        return text;
      }
      Object value = value(parser, first);
      return parser.nextToken() == null ? value : text;
    } catch (IOException | NumberFormatException e) {
      return text;
    }
  }

  private static @Nullable Object value(JsonParser parser, JsonToken token) throws IOException {
    return switch (token) {
      case START_OBJECT -> {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String key = parser.currentName();
          object.put(key, value(parser, parser.nextToken()));
        }
        yield object;
      }
      case START_ARRAY -> {
        List<@Nullable Object> array = new ArrayList<>();
        for (JsonToken t = parser.nextToken(); t != JsonToken.END_ARRAY; t = parser.nextToken()) {
          array.add(value(parser, t));
        }
        yield array;
      }
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT -> new BigInteger(parser.getText());
      // Jackson also knows INF, which parseDouble does not.
      case VALUE_NUMBER_FLOAT -> Double.parseDouble(parser.getText());
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      default -> throw new JsonParseException(parser, "unexpected " + token);
    };
  }

  /**
   * Appends a value.
   *
   * @throws NautilException if it is none that JSON has
   */
  static void dumps(@Nullable Object value, StringBuilder out) {
    dumps(value, out, 0);
  }

  private static void dumps(@Nullable Object value, StringBuilder out, int depth) {
    if (depth > MAX_DEPTH) {
      throw new NautilException("JSON that is nested more than " + MAX_DEPTH + " deep");
    }
    if (value == null || value instanceof Boolean) {
      out.append(value);
    } else if (value instanceof String text) {
      string(text, out);
    } else if (value instanceof Number number) {
      out.append(number(number));
    } else if (value instanceof Map<?, ?> object) {
      String separator = "{";
      for (Map.Entry<?, ?> member : object.entrySet()) {
        out.append(separator);
        string(String.valueOf(member.getKey()), out);
        out.append(": ");
        dumps(member.getValue(), out, depth + 1);
        separator = ", ";
      }
      out.append(object.isEmpty() ? "{}" : "}");
    } else if (value instanceof Iterable<?> array) {
      String separator = "";
      out.append('[');
      for (Object element : array) {
        out.append(separator);
        dumps(element, out, depth + 1);
        separator = ", ";
      }
      out.append(']');
    } else {
      throw new NautilException("JSON has no value for a " + value.getClass().getName());
    }
  }

  private static String number(Number number) {
    if (number instanceof Integer
        || number instanceof Long
        || number instanceof Short
        || number instanceof Byte
        || number instanceof BigInteger) {
      return number.toString();
    }
    double d = number.doubleValue();
    return Double.isNaN(d)
        ? "NaN"
        : Double.isInfinite(d) ? (d > 0 ? "Infinity" : "-Infinity") : PythonFloat.repr(d);
  }

  private static void string(String text, StringBuilder out) {
    out.append('"');
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      switch (c) {
        case '"' -> out.append("\\\"");
        case '\\' -> out.append("\\\\");
        case '\n' -> out.append("\\n");
        case '\r' -> out.append("\\r");
        case '\t' -> out.append("\\t");
        case '\f' -> out.append("\\f");
        case '\b' -> out.append("\\b");
        default -> {
          if (c < ' ') {
            out.append(String.format("\\u%04x", (int) c));
          } else {
            out.append(c);
          }
        }
      }
    }
    out.append('"');
  }
}
