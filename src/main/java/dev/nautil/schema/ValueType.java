package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;

/** JSON's types of values, as bits of a set. */
final class ValueType {
  static final int NULL = 1;
  static final int BOOLEAN = 2;
  static final int NUMBER = 4;
  static final int STRING = 8;
  static final int ARRAY = 16;
  static final int OBJECT = 32;
  static final int ALL = 63;

  private ValueType() {}

  static int of(JsonNode value) {
    return switch (value.getNodeType()) {
      case NULL -> NULL;
      case BOOLEAN -> BOOLEAN;
      case NUMBER -> NUMBER;
      case STRING -> STRING;
      case ARRAY -> ARRAY;
      case OBJECT -> OBJECT;
      // What only a program can put into a tree: bytes, Java objects.
      case BINARY, POJO, MISSING -> 0;
    };
  }
}
