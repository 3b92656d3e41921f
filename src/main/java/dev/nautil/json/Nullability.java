package dev.nautil.json;

import com.fasterxml.jackson.databind.introspect.AnnotatedField;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.AnnotatedMethod;
import com.fasterxml.jackson.databind.introspect.AnnotatedParameter;
import java.lang.reflect.AnnotatedElement;
import java.lang.reflect.AnnotatedType;
import java.lang.reflect.Executable;
import java.lang.reflect.Parameter;
import java.lang.reflect.RecordComponent;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalDouble;
import java.util.OptionalInt;
import java.util.OptionalLong;
import java.util.Set;

/** What may be left out: optionals, and what an annotation named {@code Nullable} stands on. */
public final class Nullability {
  private static final Set<Class<?>> OPTIONALS =
      Set.of(Optional.class, OptionalInt.class, OptionalLong.class, OptionalDouble.class);

  private Nullability() {}

  /** Whether a method's parameter may be left out. */
  public static boolean isOptional(Parameter parameter) {
    return isOptional(parameter.getType())
        || isNullable(parameter)
        || isNullable(parameter.getAnnotatedType());
  }

  static boolean isOptional(Class<?> type) {
    return OPTIONALS.contains(type);
  }

  static boolean isOptional(AnnotatedMember member) {
    if (isOptional(member.getRawType())) {
      return true;
    }
    if (member instanceof AnnotatedParameter parameter) {
      Executable owner = (Executable) parameter.getOwner().getMember();
      return isOptional(owner.getParameters()[parameter.getIndex()])
          || isNullableComponent(owner, parameter.getIndex());
    }
    if (member instanceof AnnotatedField field) {
      return isNullable(field.getAnnotated())
          || isNullable(field.getAnnotated().getAnnotatedType());
    }
    if (member instanceof AnnotatedMethod method) {
      return isNullable(method.getAnnotated())
          || isNullable(method.getAnnotated().getAnnotatedReturnType())
          || (method.getParameterCount() == 1
              && isOptional(method.getAnnotated().getParameters()[0]));
    }
    return false;
  }

  /** A canonical constructor that is written out does not repeat the annotations of its record. */
  private static boolean isNullableComponent(Executable constructor, int index) {
    Class<?> type = constructor.getDeclaringClass();
    if (!type.isRecord()) {
      return false;
    }
    RecordComponent[] components = type.getRecordComponents();
    return constructor.getParameterCount() == components.length
        && (isNullable(components[index]) || isNullable(components[index].getAnnotatedType()));
  }

  private static boolean isNullable(AnnotatedElement element) {
    return Arrays.stream(element.getAnnotations())
        .anyMatch(a -> a.annotationType().getSimpleName().equals("Nullable"));
  }

  private static boolean isNullable(AnnotatedType type) {
    return isNullable((AnnotatedElement) type);
  }
}
