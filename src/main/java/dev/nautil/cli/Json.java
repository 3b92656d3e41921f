package dev.nautil.cli;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteFeature;
import com.fasterxml.jackson.core.json.JsonReadFeature;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.nautil.NautilException;
import dev.nautil.template.TemplateException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON in and out. Numbers that JSON does not have are the strings "NaN", "Infinity" and
 * "-Infinity"; a float is written as the exact decimal of its nearest double.
 */
final class Json {
  private static final JsonFactory FACTORY =
      JsonFactory.builder()
          .streamReadConstraints(
              StreamReadConstraints.builder().maxStringLength(Integer.MAX_VALUE).build())
          .enable(JsonReadFeature.ALLOW_NON_NUMERIC_NUMBERS)
          .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
          .disable(StreamWriteFeature.AUTO_CLOSE_TARGET)
          .disable(StreamWriteFeature.AUTO_CLOSE_CONTENT)
          .build();

  private static final JsonMapper MAPPER =
      JsonMapper.builder(FACTORY).enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS).build();
  private static final TypeReference<Map<String, Object>> OBJECT = new TypeReference<>() {};

  private Json() {}

  /** Writes a JSON value. */
  @FunctionalInterface
  interface Value {
    void write(JsonGenerator json) throws IOException;
  }

  /** Finds the answer to an object that a line holds; all that can fail happens before writing. */
  @FunctionalInterface
  interface Answer {
    Value to(Map<String, Object> question);
  }

  /** Writes a value and ends the line. */
  static void print(Io io, Value value) throws IOException {
    OutputStreamWriter writer = new OutputStreamWriter(io.out(), StandardCharsets.UTF_8);
    try (JsonGenerator json = FACTORY.createGenerator(writer)) {
      value.write(json);
    }
    writer.write('\n');
    writer.flush();
  }

  /**
   * Answers each line of standard input with a line: {@code {"error": …}} where it is no JSON
   * object or cannot be answered. Empty ones are passed over.
   */
  static void answerLines(Io io, Answer answer) throws IOException {
    BufferedReader reader = io.pipedReader();
    for (String line = reader.readLine(); line != null; line = reader.readLine()) {
      if (!line.isBlank()) {
        print(io, answer(line, answer));
      }
    }
  }

  private static Value answer(String line, Answer answer) {
    try {
      return answer.to(read(line));
    } catch (Failure | NautilException | TemplateException e) {
      String message = String.valueOf(e.getMessage());
      return json -> {
        json.writeStartObject();
        json.writeFieldName("error");
        write(json, message);
        json.writeEndObject();
      };
    }
  }

  private static Map<String, Object> read(String line) {
    try {
      Map<String, Object> object = MAPPER.readValue(line, OBJECT);
      if (object == null) {
        throw new Failure("no JSON object: " + line.strip());
      }
      return object;
    } catch (JsonProcessingException e) {
      throw new Failure("no JSON object: " + e.getOriginalMessage(), e);
    }
  }

  /** A JSON text as maps, lists, strings, numbers, booleans and null. */
  static Object parse(String text) {
    try {
      return MAPPER.readValue(text, Object.class);
    } catch (JsonProcessingException e) {
      throw new Failure("no JSON: " + e.getOriginalMessage(), e);
    }
  }

  /** A value of {@link #parse} that is to be an object; an empty one for null. */
  static Map<String, Object> object(@Nullable Object value) {
    Map<String, Object> object = new LinkedHashMap<>();
    if (value instanceof Map<?, ?> map) {
      map.forEach((key, member) -> object.put(String.valueOf(key), member));
    } else if (value != null) {
      throw new Failure("no JSON object: " + value);
    }
    return object;
  }

  static void write(JsonGenerator json, int[] values) throws IOException {
    json.writeArray(values, 0, values.length);
  }

  /** Writes a string, with lone surrogates, which UTF-8 does not have, escaped. */
  static void write(JsonGenerator json, String text) throws IOException {
    if (StandardCharsets.UTF_16.newEncoder().canEncode(text)) {
      json.writeString(text);
      return;
    }
    StringWriter escaped = new StringWriter();
    try (JsonGenerator ascii = FACTORY.createGenerator(escaped)) {
      ascii.enable(JsonWriteFeature.ESCAPE_NON_ASCII.mappedFeature());
      ascii.writeString(text);
    }
    json.writeRawValue(escaped.toString());
  }
}
