package dev.nautil.annotation;

import java.lang.annotation.Documented;
import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;

/** Describes a tool's argument, or a component of a record, to a model. */
@Documented
@Retention(RetentionPolicy.RUNTIME)
@Target({ElementType.PARAMETER, ElementType.RECORD_COMPONENT, ElementType.FIELD})
public @interface Param {
  /** What the model calls it; by default the name that it has in Java. */
  String name() default "";

  /** What it is, its unit for example, said to the model. */
  String description() default "";
}
