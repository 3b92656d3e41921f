package dev.nautil.json;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.PropertyName;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.AnnotatedMethod;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
import com.fasterxml.jackson.databind.type.ResolvedRecursiveType;
import dev.nautil.annotation.Param;
import org.jspecify.annotations.Nullable;

/** What Jackson is to know of a property: required and never null, unless it is said. */
final class Introspector extends JacksonAnnotationIntrospector {
  private static final long serialVersionUID = 1;

  @Override
  public Boolean hasRequiredMarker(AnnotatedMember member) {
    return !Nullability.isOptional(member);
  }

  @Override
  public JsonSetter.Value findSetterInfo(Annotated annotated) {
    boolean optional =
        annotated instanceof AnnotatedMember member && Nullability.isOptional(member);
    boolean optionalContent = hasOptionals(type(annotated));
    return JsonSetter.Value.construct(
        optional ? Nulls.SET : Nulls.FAIL, optionalContent ? Nulls.SET : Nulls.FAIL);
  }

  private static JavaType type(Annotated annotated) {
    return annotated instanceof AnnotatedMethod method && method.getParameterCount() == 1
        ? method.getParameterType(0)
        : annotated.getType();
  }

  /** Whether what is in a list or map, or in one of those within it, may be null. */
  static boolean hasOptionals(JavaType type) {
    JavaType content = type.isContainerType() ? type.getContentType() : type.containedType(0);
    return content != null
        && !(content instanceof ResolvedRecursiveType)
        && (Nullability.isOptional(content.getRawClass()) || hasOptionals(content));
  }

  @Override
  public @Nullable PropertyName findNameForDeserialization(Annotated annotated) {
    PropertyName name = name(annotated);
    return name != null ? name : super.findNameForDeserialization(annotated);
  }

  @Override
  public @Nullable PropertyName findNameForSerialization(Annotated annotated) {
    PropertyName name = name(annotated);
    return name != null ? name : super.findNameForSerialization(annotated);
  }

  private static @Nullable PropertyName name(Annotated annotated) {
    Param param = annotated.getAnnotation(Param.class);
    return param == null || param.name().isEmpty() ? null : PropertyName.construct(param.name());
  }

  @Override
  public @Nullable String findPropertyDescription(Annotated annotated) {
    Param param = annotated.getAnnotation(Param.class);
    return param != null && !param.description().isEmpty()
        ? param.description()
        : super.findPropertyDescription(annotated);
  }
}
