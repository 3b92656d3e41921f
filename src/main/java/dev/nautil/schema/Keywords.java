package dev.nautil.schema;

import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/** What the keywords of one schema object ask for, those of its subschemas left aside. */
final class Keywords {
  static final int UNBOUNDED = -1;

  final Location at;

  /** Bits of {@link ValueType}. */
  int types = ValueType.ALL;

  /** The values of enum and those of const, where there are any. */
  final List<ListedValues> values = new ArrayList<>();

  /** Of numbers. An integer is a multiple of one. */
  final List<BigDecimal> multiplesOf = new ArrayList<>();

  final List<NumberBound> bounds = new ArrayList<>();

  /** Of strings, in code points. */
  int minLength;

  int maxLength = UNBOUNDED;
  @Nullable String pattern;
  @Nullable String format;

  /** Of arrays. */
  List<Location> prefixItems = List.of();

  @Nullable Location items;
  int minItems;
  int maxItems = UNBOUNDED;

  /** Of objects. */
  final Map<String, Location> properties = new LinkedHashMap<>();

  @Nullable Location additionalProperties;
  final Set<String> required = new LinkedHashSet<>();
  int minProperties;
  int maxProperties = UNBOUNDED;

  /** Schemas that must match as well: of $ref and allOf. */
  final List<Location> all = new ArrayList<>();

  /** Lists of schemas of which one must match as well: of anyOf and oneOf. */
  final List<List<Location>> any = new ArrayList<>();

  /** Whether there is anything but {@link #all} and {@link #any}. */
  boolean hasAssertions;

  Keywords(Location at) {
    this.at = at;
  }
}
