package dev.nautil;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.util.function.BiFunction;

/** Defaults for sampling in the names of Hugging Face's generation_config.json. */
final class PublishedSampling {
  private static final JsonMapper MAPPER = new JsonMapper();

  private final JsonNode json;
  private Sampling sampling = Sampling.defaults();

  private PublishedSampling(JsonNode json) {
    this.json = json;
  }

  /**
   * What a file says; Nautil's defaults where it says nothing.
   *
   * @param model names it in the error
   * @throws StoreException if it is no JSON, or a number is outside its range
   */
  static Sampling read(String text, String model) {
    try {
      return new PublishedSampling(MAPPER.readTree(text)).read();
    } catch (JsonProcessingException | IllegalArgumentException e) {
      throw new StoreException(
          model + " has default parameters that cannot be used: " + e.getMessage(), e);
    }
  }

  private Sampling read() {
    JsonNode draws = json.path("do_sample");
    if (draws.isBoolean() && !draws.booleanValue()) {
      return Sampling.greedy();
    }
    set("temperature", Sampling::withTemperature);
    set("top_k", (s, value) -> s.withTopK(Math.round(value)));
    set("top_p", Sampling::withTopP);
    set("min_p", Sampling::withMinP);
    set("typical_p", Sampling::withTypicalP);
    set(
        "repetition_penalty",
        (s, value) -> s.withPenalties(new Sampling.Penalties(value, 0, 0, -1)));
    return sampling;
  }

  private void set(String name, BiFunction<Sampling, Float, Sampling> change) {
    JsonNode value = json.path(name);
    if (value.isNumber()) {
      sampling = change.apply(sampling, value.floatValue());
    }
  }
}
