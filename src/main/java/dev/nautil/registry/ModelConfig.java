package dev.nautil.registry;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What an artifact's configuration says of the model, as its publisher wrote it: of Docker's media
 * types (v0.1 and v0.2) and the CNCF's, which name some things differently. Anything may be
 * missing.
 *
 * @param parameters such as "12.25 B"
 * @param contextSize tokens
 * @param created such as "2025-03-20T14:07:31Z"
 */
public record ModelConfig(
    @Nullable String format,
    @Nullable String quantization,
    @Nullable String parameters,
    @Nullable String architecture,
    @Nullable Integer contextSize,
    @Nullable String created) {
  /** Configurations may hold a file's metadata, but no vocabulary. */
  public static final int MAX_BYTES = 8 << 20;

  /**
   * Reads a configuration.
   *
   * @param what names it in the error
   * @throws RegistryException if it is no JSON object
   */
  public static ModelConfig parse(byte[] json, String what) throws IOException {
    JsonNode root = StrictJson.object(json, what + " has no usable configuration");
    JsonNode config = root.path("config");
    JsonNode descriptor = root.path("descriptor");
    JsonNode context = config.path("context_size");
    boolean hasContext = context.isInt() && context.intValue() > 0;
    return new ModelConfig(
        text(config, "format"),
        text(config, "quantization"),
        text(config, "parameters", "paramSize"),
        text(config, "architecture"),
        hasContext ? (Integer) context.intValue() : null,
        text(descriptor, "created", "createdAt"));
  }

  private static @Nullable String text(JsonNode object, String... names) {
    for (String name : names) {
      JsonNode value = object.path(name);
      if (value.isValueNode() && !value.isNull() && !value.asText().isBlank()) {
        return value.asText();
      }
    }
    return null;
  }
}
