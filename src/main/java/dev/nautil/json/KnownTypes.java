package dev.nautil.json;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.LocalDate;
import java.time.LocalDateTime;
import java.time.LocalTime;
import java.time.OffsetDateTime;
import java.time.Period;
import java.time.Year;
import java.time.YearMonth;
import java.time.ZoneId;
import java.time.ZonedDateTime;
import java.util.LinkedHashMap;
import java.util.Locale;
import java.util.Map;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.TreeSet;
import java.util.UUID;
import org.jspecify.annotations.Nullable;

/**
 * The schemas of types that are one JSON value. A time without an offset and Java's durations are
 * patterns: JSON Schema's formats {@code time} and {@code duration} mean other texts.
 */
final class KnownTypes {
  private static final String TIME = "([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]";
  private static final String MONTH = "(0[1-9]|1[0-2])";
  private static final String DATE = "[0-9]{4}-" + MONTH + "-(0[1-9]|1[0-9]|2[0-8])";
  private static final String HOURS = "[0-9]{1,6}H";
  private static final String MINUTES = "[0-9]{1,6}M";
  private static final String SECONDS = "[0-9]{1,9}(\\.[0-9]{1,9})?S";

  private static final Map<Class<?>, Map<String, Object>> SCHEMAS = new LinkedHashMap<>();

  static {
    for (Class<?> type :
        new Class<?>[] {
          String.class, CharSequence.class, char[].class, Locale.class, ZoneId.class
        }) {
      add(type, Map.of("type", "string"));
    }
    add(URI.class, ordered("type", "string", "format", "uri"));
    add(char.class, ordered("type", "string", "minLength", 1, "maxLength", 1));
    add(Character.class, ordered("type", "string", "minLength", 1, "maxLength", 1));
    add(boolean.class, Map.of("type", "boolean"));
    add(Boolean.class, Map.of("type", "boolean"));
    for (Class<?> type :
        new Class<?>[] {
          double.class, Double.class, BigDecimal.class, Number.class, OptionalDouble.class
        }) {
      add(type, Map.of("type", "number"));
    }
    add(BigInteger.class, Map.of("type", "integer"));
    add(Year.class, ordered("type", "integer", "minimum", 0, "maximum", 9999));
    for (Class<?> type :
        new Class<?>[] {Instant.class, OffsetDateTime.class, ZonedDateTime.class}) {
      add(type, ordered("type", "string", "format", "date-time"));
    }
    add(LocalDate.class, ordered("type", "string", "format", "date"));
    add(UUID.class, ordered("type", "string", "format", "uuid"));
    add(LocalTime.class, pattern(TIME));
    add(LocalDateTime.class, pattern(localDateTime()));
    add(YearMonth.class, pattern("[0-9]{4}-" + MONTH));
    add(Duration.class, pattern(duration()));
    add(
        Period.class,
        pattern(
            "P([0-9]{1,4}Y([0-9]{1,4}M)?([0-9]{1,6}D)?|[0-9]{1,4}M([0-9]{1,6}D)?|[0-9]{1,6}[DW])"));
  }

  /** Values of integral types, first and last. */
  private record Range(long min, long max) {}

  private static final Map<Class<?>, Range> SMALL_RANGES =
      Map.of(
          byte.class, new Range(Byte.MIN_VALUE, Byte.MAX_VALUE),
          Byte.class, new Range(Byte.MIN_VALUE, Byte.MAX_VALUE),
          short.class, new Range(Short.MIN_VALUE, Short.MAX_VALUE),
          Short.class, new Range(Short.MIN_VALUE, Short.MAX_VALUE));

  private static final Map<Class<?>, Range> RANGES =
      Map.of(
          int.class, new Range(Integer.MIN_VALUE, Integer.MAX_VALUE),
          Integer.class, new Range(Integer.MIN_VALUE, Integer.MAX_VALUE),
          OptionalInt.class, new Range(Integer.MIN_VALUE, Integer.MAX_VALUE),
          long.class, new Range(Long.MIN_VALUE, Long.MAX_VALUE),
          Long.class, new Range(Long.MIN_VALUE, Long.MAX_VALUE),
          OptionalLong.class, new Range(Long.MIN_VALUE, Long.MAX_VALUE));

  private KnownTypes() {}

  /**
   * The schema of a type, or null if it is none of these.
   *
   * @param ranges whether numbers, characters and zones say how far they go
   */
  static @Nullable Map<String, Object> schema(Class<?> type, boolean ranges) {
    Range range = SMALL_RANGES.get(type);
    Range wide = RANGES.get(type);
    if (type == float.class || type == Float.class) {
      double most = Float.MAX_VALUE;
      return ranges
          ? ordered("type", "number", "minimum", -most, "maximum", most)
          : Map.of("type", "number");
    }
    if (ranges && type == ZoneId.class) {
      return ordered("type", "string", "enum", new TreeSet<>(ZoneId.getAvailableZoneIds()));
    }
    if (ranges && (type == char.class || type == Character.class)) {
      return pattern("[\\u0000-\\uD7FF\\uE000-\\uFFFF]");
    }
    if (range != null || (wide != null && ranges)) {
      Range r = range != null ? range : wide;
      return ordered("type", "integer", "minimum", r.min, "maximum", r.max);
    }
    return wide != null ? Map.of("type", "integer") : SCHEMAS.get(type);
  }

  /** A date that every month has, so that each match is a date. */
  private static String localDateTime() {
    return "(" + DATE + "|[0-9]{4}-(0[13-9]|1[0-2])-(29|30)|[0-9]{4}-(0[13578]|1[02])-31)T" + TIME;
  }

  private static String duration() {
    String time =
        String.format(
            "T(%s(%s)?(%s)?|%s(%s)?|%s)", HOURS, MINUTES, SECONDS, MINUTES, SECONDS, SECONDS);
    return "P([0-9]{1,6}D(" + time + ")?|" + time + ")";
  }

  private static Map<String, Object> pattern(String pattern) {
    return ordered("type", "string", "pattern", "^(" + pattern + ")$");
  }

  private static void add(Class<?> type, Map<String, Object> schema) {
    SCHEMAS.put(type, schema);
  }

  private static Map<String, Object> ordered(Object... pairs) {
    Map<String, Object> map = new LinkedHashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      map.put((String) pairs[i], pairs[i + 1]);
    }
    return map;
  }
}
