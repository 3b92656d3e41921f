package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.template.PythonFloat;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;

/** Writes JSON as different writers would: whitespace, order of members, escapes, numbers. */
final class VariedJson {
  private final Random random;
  private boolean asciiOnly;
  private boolean wild;

  VariedJson(Random random) {
    this.random = random;
  }

  String write(JsonNode value) {
    asciiOnly = random.nextBoolean();
    wild = random.nextBoolean();
    StringBuilder out = new StringBuilder();
    space(out);
    write(value, out);
    space(out);
    return out.toString();
  }

  private void space(StringBuilder out) {
    if (wild) {
      int count =
          random.nextInt(8) == 0 ? random.nextInt(JsonText.MAX_WHITESPACE) : random.nextInt(3);
      for (int i = 0; i < count; i++) {
        out.append(" \t\n\r".charAt(random.nextInt(4)));
      }
    } else if (random.nextInt(3) == 0) {
      out.append(' ');
    }
  }

  private void write(JsonNode value, StringBuilder out) {
    switch (value.getNodeType()) {
      case OBJECT -> {
        List<Map.Entry<String, JsonNode>> members = new ArrayList<>(value.properties());
        Collections.shuffle(members, random);
        out.append('{');
        space(out);
        String separator = "";
        for (Map.Entry<String, JsonNode> member : members) {
          out.append(separator);
          spaceAfter(separator, out);
          string(member.getKey(), out);
          space(out);
          out.append(':');
          space(out);
          write(member.getValue(), out);
          space(out);
          separator = ",";
        }
        out.append('}');
      }
      case ARRAY -> {
        out.append('[');
        space(out);
        String separator = "";
        for (JsonNode item : value) {
          out.append(separator);
          spaceAfter(separator, out);
          write(item, out);
          space(out);
          separator = ",";
        }
        out.append(']');
      }
      case STRING -> string(value.asText(), out);
      case NUMBER -> out.append(number(value));
      default -> out.append(value.asText());
    }
  }

  private void spaceAfter(String separator, StringBuilder out) {
    if (!separator.isEmpty()) {
      space(out);
    }
  }

  private String number(JsonNode value) {
    double d = value.asDouble();
    boolean isSame =
        Double.isFinite(d) && BigDecimal.valueOf(d).compareTo(value.decimalValue()) == 0;
    return switch (random.nextInt(isSame ? 3 : 1)) {
      case 0 -> value.toString();
      case 1 -> PythonFloat.repr(d);
      default -> Double.toString(d);
    };
  }

  private void string(String text, StringBuilder out) {
    out.append('"');
    for (char c : text.toCharArray()) {
      int at = "\"\\/\b\f\n\r\t".indexOf(c);
      if (at >= 0 && (c != '/' || random.nextBoolean())) {
        out.append('\\').append("\"\\/bfnrt".charAt(at));
      } else if (c < ' ' || (asciiOnly && c > '~')) {
        String hex = String.format("\\u%04x", (int) c);
        out.append(random.nextBoolean() ? hex : "\\u" + hex.substring(2).toUpperCase(Locale.ROOT));
      } else {
        out.append(c);
      }
    }
    out.append('"');
  }
}
