package dev.nautil.template;

/**
 * A variable, attribute or element that does not exist. It prints as nothing, is false and empty,
 * and fails with its message in any other use.
 */
record Undefined(String message) {
  Fail fail() {
    return new Fail(message);
  }
}
