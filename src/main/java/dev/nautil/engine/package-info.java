/** Runs a model: one thread that decodes what all sessions want, step by step. */
@NullMarked
package dev.nautil.engine;

import org.jspecify.annotations.NullMarked;
