package dev.nautil.registry;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.databind.DeserializationFeature;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.nautil.registry.RegistryException.Kind;
import java.io.IOException;

/** JSON that somebody else wrote, in which nothing has two meanings. */
final class StrictJson {
  private static final JsonMapper MAPPER =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(100).build())
                  .disable(StreamReadFeature.INCLUDE_SOURCE_IN_LOCATION)
                  .build())
          // Two readers of one text must not see two manifests.
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .enable(DeserializationFeature.FAIL_ON_TRAILING_TOKENS)
          .build();

  private StrictJson() {}

  /**
   * A JSON value.
   *
   * @param what begins the message of a failure
   * @throws RegistryException if the text is none
   */
  static JsonNode read(byte[] json, String what) throws IOException {
    try {
      return MAPPER.readTree(json);
    } catch (JsonProcessingException e) {
      throw new RegistryException(
          Kind.OTHER, what + ": it is no JSON (" + Manifest.brief(e.getOriginalMessage()) + ")");
    }
  }

  /** The same of a JSON object. */
  static JsonNode object(byte[] json, String what) throws IOException {
    JsonNode root = read(json, what);
    if (!root.isObject()) {
      throw new RegistryException(Kind.OTHER, what + ": it is no JSON object");
    }
    return root;
  }
}
