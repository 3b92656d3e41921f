package dev.nautil;

import com.fasterxml.jackson.databind.JavaType;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.type.TypeBindings;
import dev.nautil.annotation.Param;
import dev.nautil.json.JsonValues;
import dev.nautil.json.Nullability;
import dev.nautil.json.TypeSchema;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.Parameter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.Future;
import org.jspecify.annotations.Nullable;

/** Finds the methods of an object that a model may call. */
final class AnnotatedTools {
  /** What a method without a value says to the model. */
  private static final String DONE = "done";

  private AnnotatedTools() {}

  static List<Tool> in(Object object) {
    Map<String, Tool> tools = new LinkedHashMap<>();
    for (Method method : methods(object.getClass())) {
      Tool tool = tool(object, method);
      if (tools.put(tool.name(), tool) != null) {
        throw new InvalidToolException(
            "two tools of " + object.getClass().getName() + " have the name " + tool.name());
      }
    }
    if (tools.isEmpty()) {
      throw new InvalidToolException(
          object.getClass().getName() + " has no method with the annotation @Tool");
    }
    return List.copyOf(tools.values());
  }

  /** Of the class and what it inherits; by name, since Java does not keep them in order. */
  private static List<Method> methods(Class<?> type) {
    List<Method> methods = new ArrayList<>();
    Set<String> signatures = new HashSet<>();
    for (Class<?> c : withSupertypes(type)) {
      Method[] declared = c.getDeclaredMethods();
      Arrays.sort(
          declared,
          Comparator.comparing(Method::getName)
              .thenComparing(m -> Arrays.toString(m.getParameterTypes())));
      for (Method method : declared) {
        boolean tool = method.isAnnotationPresent(dev.nautil.annotation.Tool.class);
        String signature = method.getName() + Arrays.toString(method.getParameterTypes());
        if (tool && !method.isBridge() && signatures.add(signature)) {
          methods.add(method);
        }
      }
    }
    return methods;
  }

  private static List<Class<?>> withSupertypes(Class<?> type) {
    List<Class<?>> types = new ArrayList<>();
    for (Class<?> c = type; c != null; c = c.getSuperclass()) {
      types.add(c);
    }
    for (int i = 0; i < types.size(); i++) {
      for (Class<?> inherited : types.get(i).getInterfaces()) {
        if (!types.contains(inherited)) {
          types.add(inherited);
        }
      }
    }
    return types;
  }

  private static Tool tool(Object object, Method method) {
    String where = method.getDeclaringClass().getSimpleName() + "." + method.getName();
    if (!method.trySetAccessible()) {
      throw new InvalidToolException(
          where
              + " cannot be called: add \"opens "
              + method.getDeclaringClass().getPackageName()
              + " to dev.nautil\" to its module-info, or make it and its class public and export"
              + " that package");
    }
    if (Future.class.isAssignableFrom(method.getReturnType())) {
      throw new InvalidToolException(
          where + " returns a future: wait in it for what comes of that, and return it");
    }
    var annotation = method.getAnnotation(dev.nautil.annotation.Tool.class);
    String name = annotation.name().isEmpty() ? method.getName() : annotation.name();
    List<TypeSchema.Property> properties = properties(object, method, where);
    return new Tool(
        name,
        annotation.description(),
        TypeSchema.of(where, properties, false),
        TypeSchema.of(where, properties, true),
        json -> {
          @Nullable Object[] arguments = arguments(properties, json);
          return () -> call(object, method, arguments);
        });
  }

  private static List<TypeSchema.Property> properties(Object object, Method method, String where) {
    TypeBindings bindings = bindings(object.getClass(), method.getDeclaringClass());
    List<TypeSchema.Property> properties = new ArrayList<>();
    Set<String> names = new HashSet<>();
    for (Parameter parameter : method.getParameters()) {
      Param param = parameter.getAnnotation(Param.class);
      boolean named = param != null && !param.name().isEmpty();
      if (!named && !parameter.isNamePresent()) {
        throw new InvalidToolException(
            String.format(
                "parameter %d (%s) of %s has no name: annotate it with @Param(name = …),"
                    + " or compile with -parameters",
                properties.size() + 1, parameter.getType().getSimpleName(), where));
      }
      String name = named ? param.name() : parameter.getName();
      if (!names.add(name)) {
        throw new InvalidToolException("two parameters of " + where + " have the name " + name);
      }
      if (parameter.getType().isPrimitive() && Nullability.isOptional(parameter)) {
        throw new InvalidToolException(
            String.format(
                "the parameter %s of %s may be left out, but no %s can be null",
                name, where, parameter.getType()));
      }
      JavaType type =
          JsonValues.types().resolveMemberType(parameter.getParameterizedType(), bindings);
      properties.add(
          new TypeSchema.Property(
              name,
              param == null ? "" : param.description(),
              type,
              !Nullability.isOptional(parameter)));
    }
    return properties;
  }

  /** What the type parameters of a class are in one that inherits from it. */
  private static TypeBindings bindings(Class<?> type, Class<?> declaring) {
    JavaType declared = JsonValues.types().constructType(type).findSuperType(declaring);
    return declared == null ? TypeBindings.emptyBindings() : declared.getBindings();
  }

  private static @Nullable Object[] arguments(List<TypeSchema.Property> properties, JsonNode json) {
    @Nullable Object[] arguments = new Object[properties.size()];
    for (int i = 0; i < arguments.length; i++) {
      TypeSchema.Property property = properties.get(i);
      arguments[i] =
          JsonValues.property(json, property.name(), property.type(), property.required());
    }
    return arguments;
  }

  private static @Nullable Object call(Object object, Method method, @Nullable Object[] arguments)
      throws Exception {
    try {
      Object receiver = Modifier.isStatic(method.getModifiers()) ? null : object;
      Object value = method.invoke(receiver, arguments);
      return method.getReturnType() == void.class ? DONE : value;
    } catch (InvocationTargetException e) {
      if (e.getCause() instanceof Error error) {
        throw error;
      }
      throw e.getCause() instanceof Exception cause ? cause : e;
    }
  }
}
