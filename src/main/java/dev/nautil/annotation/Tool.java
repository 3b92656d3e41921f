package dev.nautil.annotation;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/**
 * A method that a model may call: {@code dev.nautil.Tools.of(object)} finds it.
 *
 * <p>Its parameters are the tool's arguments. Their names come from {@link Param}, or from the
 * class file if it was compiled with {@code -parameters}.
 */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target(ElementType.METHOD)
public @interface Tool {
  /** What the model calls it by: 1 to 64 letters, digits, _ and -; by default the method's name. */
  String name() default "";

  /** What it does and when to use it, said to the model. */
  String description() default "";
}
