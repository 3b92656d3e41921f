package dev.nautil.json;

import com.fasterxml.jackson.annotation.JsonFormat;
import com.fasterxml.jackson.annotation.JsonTypeInfo;
import com.fasterxml.jackson.annotation.JsonUnwrapped;
import com.fasterxml.jackson.databind.DeserializationConfig;
import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonDeserializer;
import com.fasterxml.jackson.databind.JsonMappingException;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.annotation.JsonDeserialize;
import com.fasterxml.jackson.databind.deser.BeanDeserializer;
import com.fasterxml.jackson.databind.deser.DefaultDeserializationContext;
import com.fasterxml.jackson.databind.deser.SettableBeanProperty;
import com.fasterxml.jackson.databind.deser.ValueInstantiator;
import com.fasterxml.jackson.databind.introspect.AnnotatedMember;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds what Jackson reads in another way than as an object of its properties. */
final class BeanCheck {
  private BeanCheck() {}

  /** What is wrong with a record or class whose properties these are; null for nothing. */
  static @Nullable String problem(JavaType type, List<TypeSchema.Property> properties) {
    ObjectMapper mapper = JsonValues.mapper();
    DeserializationConfig config = mapper.getDeserializationConfig();
    var context = (DefaultDeserializationContext) mapper.getDeserializationContext();
    JsonDeserializer<?> reader;
    try {
      reader = context.createDummyInstance(config).findRootValueDeserializer(type);
    } catch (JsonMappingException e) {
      return "Jackson cannot read it: " + e.getOriginalMessage().lines().findFirst().orElse("");
    }
    if (reader.getClass() != BeanDeserializer.class) {
      return "its annotations have Jackson read something else than an object of its properties";
    }
    BeanDeserializer beans = (BeanDeserializer) reader;
    for (TypeSchema.Property property : properties) {
      SettableBeanProperty read = beans.findProperty(property.name());
      if (read == null || read.isIgnorable()) {
        return "an annotation has Jackson ignore " + property.name();
      }
    }
    ValueInstantiator instantiator = beans.getValueInstantiator();
    if (!instantiator.canCreateFromObjectWith()) {
      return instantiator.canCreateUsingDefault()
          ? null
          : "Jackson does not read it from an object of its properties";
    }
    for (SettableBeanProperty argument : instantiator.getFromObjectArguments(config)) {
      if (properties.stream().noneMatch(p -> p.name().equals(argument.getName()))) {
        return argument.getName() + " is needed to make one, and may not be read";
      }
    }
    return null;
  }

  /** What is wrong with a property; null for nothing. */
  static @Nullable String problem(AnnotatedMember member) {
    if (member.hasAnnotation(JsonDeserialize.class)
        || member.hasAnnotation(JsonTypeInfo.class)
        || member.hasAnnotation(JsonUnwrapped.class)) {
      return "an annotation has Jackson read it in a way of its own";
    }
    JsonFormat format = member.getAnnotation(JsonFormat.class);
    boolean isOther =
        format != null && (!format.pattern().isEmpty() || format.shape() == JsonFormat.Shape.ARRAY);
    return isOther ? "@JsonFormat gives it a form of its own" : null;
  }
}
