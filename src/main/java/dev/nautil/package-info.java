/** Runs GGUF language models inside a Java program. */
@NullMarked
package dev.nautil;

import org.jspecify.annotations.NullMarked;
