package dev.nautil.template;

import java.util.LinkedHashMap;
import java.util.Map;

/** {@code namespace(…)}: the one object that a template may change. */
final class Namespace {
  final Map<String, Object> attributes = new LinkedHashMap<>();
}
