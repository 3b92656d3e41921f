package dev.nautil;

import java.util.Objects;
import java.util.OptionalLong;

/**
 * How a token is chosen from the model's probabilities: {@code topK}, then {@code topP}, then
 * {@code minP} narrow the choice, and a draw at {@code temperature} makes it. Immutable.
 *
 * <p>The same model, prompt, sampling and seed give the same reply on one machine.
 *
 * @param temperature 0 takes the most probable token; 1 draws by the model's probabilities; above,
 *     the improbable gain
 * @param topK how many of the most probable tokens stay; 0 for all
 * @param topP the most probable tokens stay that have this probability together; 1 for all
 * @param minP tokens stay that have this part of the most probable one's probability; 0 for all
 * @param seed of the draws; empty for another one each time
 */
public record Sampling(float temperature, int topK, float topP, float minP, OptionalLong seed) {
  private static final Sampling DEFAULTS =
      new Sampling(0.7f, 40, 0.95f, 0.05f, OptionalLong.empty());
  private static final Sampling GREEDY = new Sampling(0, 0, 1, 0, OptionalLong.of(0));

  /**
   * @throws IllegalArgumentException if a number is outside its range
   */
  public Sampling {
    Objects.requireNonNull(seed, "seed");
    require(
        temperature >= 0 && Float.isFinite(temperature), "temperature", temperature, "0 or more");
    require(topK >= 0, "topK", topK, "0 (all) or more");
    require(topP > 0 && topP <= 1, "topP", topP, "above 0 and at most 1");
    require(minP >= 0 && minP <= 1, "minP", minP, "from 0 to 1");
  }

  private static void require(boolean holds, String name, Number value, String range) {
    if (!holds) {
      throw new IllegalArgumentException(name + " is " + value + "; it must be " + range);
    }
  }

  /**
   * A little variety: temperature 0.7, topK 40, topP 0.95, minP 0.05, a seed of its own each time.
   */
  public static Sampling defaults() {
    return DEFAULTS;
  }

  /** Always the most probable token. */
  public static Sampling greedy() {
    return GREEDY;
  }

  public Sampling withTemperature(float temperature) {
    return new Sampling(temperature, topK, topP, minP, seed);
  }

  public Sampling withTopK(int topK) {
    return new Sampling(temperature, topK, topP, minP, seed);
  }

  public Sampling withTopP(float topP) {
    return new Sampling(temperature, topK, topP, minP, seed);
  }

  public Sampling withMinP(float minP) {
    return new Sampling(temperature, topK, topP, minP, seed);
  }

  public Sampling withSeed(long seed) {
    return new Sampling(temperature, topK, topP, minP, OptionalLong.of(seed));
  }
}
