package dev.nautil.template;

/** The value {@code none}; Java's null means "argument not given" inside the interpreter. */
enum None {
  NONE
}
