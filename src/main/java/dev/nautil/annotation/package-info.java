/** Annotations that describe Java code to a model. */
@NullMarked
package dev.nautil.annotation;

import org.jspecify.annotations.NullMarked;
