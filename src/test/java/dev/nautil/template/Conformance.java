package dev.nautil.template;

import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.core.type.TypeReference;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.Map;

/** Where the conformance cases are, and the time at which they were rendered. */
final class Conformance {
  static final RenderOptions OPTIONS =
      RenderOptions.defaults()
          .withClock(Clock.fixed(Instant.parse("2025-03-07T09:05:03Z"), ZoneOffset.UTC));

  private static final ObjectMapper JSON = new ObjectMapper();

  private Conformance() {}

  /** The folder of the Jinja cases; skips the test if none is named, fails if it is not there. */
  static Path jinja() {
    String folder = System.getenv("NAUTIL_CONFORMANCE");
    assumeTrue(folder != null, "NAUTIL_CONFORMANCE is not set");
    Path jinja = Path.of(folder, "jinja");
    assertTrue(Files.isDirectory(jinja), jinja + " does not exist");
    return jinja;
  }

  static Map<String, Object> context(JsonNode node) {
    return JSON.convertValue(node, new TypeReference<Map<String, Object>>() {});
  }
}
