package dev.nautil;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.nautil.registry.ModelReference;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What a text that names a model stands for, and what came with the model. */
final class ModelFiles {
  private static final JsonMapper MAPPER = new JsonMapper();

  private ModelFiles() {}

  /** The file that a text names, if there is one, or if it can be nothing else; else null. */
  static @Nullable Path fileOf(String text) {
    try {
      Path path = Path.of(text);
      if (!text.isEmpty() && Files.exists(path)) {
        return path;
      }
    } catch (InvalidPathException e) {
      // A reference, or told by the parser.
    }
    return ModelReference.parse(text) instanceof ModelReference.File file
        ? Path.of(file.path().replaceFirst("^~(?=/|$)", home()))
        : null;
  }

  private static String home() {
    return java.util.regex.Matcher.quoteReplacement(System.getProperty("user.home"));
  }

  /** Options with what the publisher says where they say nothing. */
  static ModelOptions withDefaults(StoredModel model, ModelOptions options) {
    ModelOptions all = options;
    String template = model.chatTemplate();
    if (template != null && options.chatTemplate() == null) {
      all = all.chatTemplate(template);
    }
    Integer context = model.contextSize();
    if (context != null && options.contextSize() == 0) {
      all = all.maxContextSize(context);
    }
    Sampling sampling = sampling(model);
    return sampling == null || options.sampling() != null ? all : all.sampling(sampling);
  }

  /** Defaults for sampling in the names of Hugging Face's generation_config.json; null for none. */
  private static @Nullable Sampling sampling(StoredModel model) {
    if (model.parametersJson() == null) {
      return null;
    }
    try {
      JsonNode json = MAPPER.readTree(model.parametersJson());
      Sampling sampling = Sampling.defaults();
      if (json.path("do_sample").isBoolean() && !json.path("do_sample").booleanValue()) {
        return Sampling.greedy();
      }
      if (json.path("temperature").isNumber()) {
        sampling = sampling.withTemperature(json.path("temperature").floatValue());
      }
      if (json.path("top_k").isInt()) {
        sampling = sampling.withTopK(json.path("top_k").intValue());
      }
      if (json.path("top_p").isNumber()) {
        sampling = sampling.withTopP(json.path("top_p").floatValue());
      }
      if (json.path("min_p").isNumber()) {
        sampling = sampling.withMinP(json.path("min_p").floatValue());
      }
      if (json.path("typical_p").isNumber()) {
        sampling = sampling.withTypicalP(json.path("typical_p").floatValue());
      }
      if (json.path("repetition_penalty").isNumber()) {
        float repeat = json.path("repetition_penalty").floatValue();
        sampling = sampling.withPenalties(new Sampling.Penalties(repeat, 0, 0, -1));
      }
      return sampling;
    } catch (JsonProcessingException | IllegalArgumentException e) {
      throw new StoreException(
          model.id() + " has default parameters that cannot be used: " + e.getMessage(), e);
    }
  }
}
