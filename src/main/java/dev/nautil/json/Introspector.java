package dev.nautil.json;

import com.fasterxml.jackson.annotation.JsonSetter;
import com.fasterxml.jackson.annotation.Nulls;
import com.fasterxml.jackson.databind.PropertyName;
import com.fasterxml.jackson.databind.introspect.Annotated;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import com.fasterxml.jackson.databind.introspect.JacksonAnnotationIntrospector;
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
    return JsonSetter.Value.construct(optional ? Nulls.SET : Nulls.FAIL, Nulls.FAIL);
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
