package dev.nautil.schema;

import java.util.ArrayList;
import java.util.List;

/** Values that several schemas match at once; a value's rule is that of one of these. */
final class Conjunction {
  final int number;

  /** In order of their numbers; none for any value. */
  final List<Location> schemas;

  /** Each other way to match; a value matches where it matches one of these or of the shapes. */
  List<Conjunction> alternatives = List.of();

  List<Shape> shapes = List.of();

  /** Those whose rules use this one's. */
  final List<Conjunction> users = new ArrayList<>();

  /** Whether some finite value matches; false until it is found. */
  boolean isProductive;

  Conjunction(int number, List<Location> schemas) {
    this.number = number;
    this.schemas = schemas;
  }

  String ruleName() {
    return "value-of-schema-" + number;
  }
}
