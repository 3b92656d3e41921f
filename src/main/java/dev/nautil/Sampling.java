package dev.nautil;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * How a token is chosen from the model's probabilities: {@linkplain Stage stages} change them and
 * narrow the choice, and a draw makes it. Immutable: each method gives a changed copy.
 *
 * <pre>{@code
 * Sampling brief = Sampling.defaults().withTemperature(0.3f).withSeed(7);
 * Sampling fresh = Sampling.neutral().withMinP(0.1f).withDry(Sampling.Dry.of(0.8f));
 * Sampling steady = Sampling.neutral().withMirostat(Sampling.Mirostat.of(5));
 * }</pre>
 *
 * <p>What a grammar allows and {@linkplain #withLogitBias biases} come first, then the stages in
 * their {@linkplain #withOrder order}, then mirostat, then the draw. Each stage sees the tokens
 * that the ones before it left, and their probabilities among themselves. Of equally probable
 * tokens the one with the lower id comes first.
 *
 * <p>The same probabilities, sampling and seed give the same tokens on every platform. The same
 * model, prompt, sampling and seed give the same reply on one machine.
 */
public final class Sampling {
  /**
   * A step from the model's probabilities to a token, in the order in which they run if no other is
   * said.
   */
  public enum Stage {
    /** {@link Penalties}. */
    PENALTIES,
    /** {@link Dry}. */
    DRY,
    /** {@link Sampling#withTopNSigma}. */
    TOP_N_SIGMA,
    /** {@link Sampling#withTopK}. */
    TOP_K,
    /** {@link Sampling#withTypicalP}. */
    TYPICAL_P,
    /** {@link Sampling#withTopP}. */
    TOP_P,
    /** {@link Sampling#withMinP}. */
    MIN_P,
    /** {@link Xtc}. */
    XTC,
    /** {@link Sampling#withTemperature}, and {@link DynamicTemperature}. */
    TEMPERATURE
  }

  /**
   * Makes tokens less probable that were there before, in the prompt or the reply. A logit is
   * divided by {@code repeat} if it is positive, else multiplied (Keskar et al. 2019, "CTRL"), and
   * then less {@code frequency} times how often the token came and less {@code presence} (OpenAI's
   * API).
   *
   * @param repeat above 0; 1: off; above 1 against repetition
   * @param frequency 0: off
   * @param presence 0: off
   * @param lastTokens how many tokens back are looked at; −1: all
   */
  public record Penalties(float repeat, float frequency, float presence, int lastTokens) {
    static final Penalties OFF = new Penalties(1, 0, 0, 64);

    /**
     * @throws IllegalArgumentException if a number is outside its range
     */
    public Penalties {
      require(repeat > 0 && Float.isFinite(repeat), "repeat penalty", repeat, "above 0; 1 is off");
      require(Float.isFinite(frequency), "frequency penalty", frequency, "a finite number");
      require(Float.isFinite(presence), "presence penalty", presence, "a finite number");
      requireWindow("penalties' lastTokens", lastTokens);
    }

    boolean isOff() {
      return repeat == 1 && frequency == 0 && presence == 0;
    }
  }

  /**
   * DRY, "don't repeat yourself": makes tokens less probable that would go on with a repetition.
   * Where the last n tokens were there before, the token that followed them then loses {@code
   * multiplier · base}<sup>{@code n − allowedLength}</sup> of its logit, if n is at least {@code
   * allowedLength}. As its author p-e-w describes it (text-generation-webui, pull request 5677).
   *
   * @param multiplier above 0; 0.8 is its author's advice
   * @param base 1 or more
   * @param allowedLength tokens that may come again freely; 1 or more
   * @param lastTokens how many tokens back are looked at; −1: all
   * @param breakers a token whose text has one of these ends a sequence: no repetition reaches over
   *     it. So does the last token of each of these as the tokenizer writes it
   */
  public record Dry(
      float multiplier, float base, int allowedLength, int lastTokens, List<String> breakers) {
    /** The author's: a line's end, a colon, a quotation mark and an asterisk. */
    public static final List<String> DEFAULT_BREAKERS = List.of("\n", ":", "\"", "*");

    /**
     * @throws IllegalArgumentException if a number is outside its range, or a breaker is empty
     */
    public Dry {
      require(
          multiplier > 0 && Float.isFinite(multiplier), "DRY's multiplier", multiplier, "above 0");
      require(base >= 1 && Float.isFinite(base), "DRY's base", base, "1 or more");
      require(allowedLength >= 1, "DRY's allowedLength", allowedLength, "1 or more");
      requireWindow("DRY's lastTokens", lastTokens);
      breakers = List.copyOf(breakers);
      if (breakers.contains("")) {
        throw new IllegalArgumentException("an empty DRY breaker: every token has one");
      }
    }

    /** With the author's base 1.75, allowed length 2 and breakers, over all tokens. */
    public static Dry of(float multiplier) {
      return new Dry(multiplier, 1.75f, 2, -1, DEFAULT_BREAKERS);
    }
  }

  /**
   * XTC, "exclude top choices": by chance, takes away all tokens of at least {@code threshold}
   * probability but the least probable of them, unless a line's end or the reply's end would be
   * among them. As its author p-e-w describes it (text-generation-webui, pull request 6335).
   *
   * @param probability how often: above 0, at most 1
   * @param threshold above 0, at most 1; above 0.5 it does nothing
   */
  public record Xtc(float probability, float threshold) {
    /**
     * @throws IllegalArgumentException if a number is outside its range
     */
    public Xtc {
      requirePart("XTC's probability", probability);
      requirePart("XTC's threshold", threshold);
    }
  }

  /**
   * A temperature between {@code temperature − range} and {@code temperature + range}, high where
   * the model is unsure: {@code low + (high − low) · (H / ln n)}<sup>{@code exponent}</sup>, with H
   * the entropy of the n tokens that are left (kalomaze's dynamic temperature; compare Zhu et al.
   * 2024, "EDT").
   *
   * @param range above 0; the temperature is never below 0
   * @param exponent above 0; 1 is usual
   */
  public record DynamicTemperature(float range, float exponent) {
    /**
     * @throws IllegalArgumentException if a number is outside its range
     */
    public DynamicTemperature {
      require(range > 0 && Float.isFinite(range), "dynamic temperature's range", range, "above 0");
      require(
          exponent > 0 && Float.isFinite(exponent),
          "dynamic temperature's exponent",
          exponent,
          "above 0");
    }
  }

  /**
   * Mirostat 2 (Basu et al. 2020): keeps the tokens of at most so many bits of surprise, and adapts
   * that so that the tokens drawn have {@code tau} on average.
   *
   * @param tau bits; above 0; 5 is usual
   * @param eta how fast it adapts; above 0; 0.1 is usual
   */
  public record Mirostat(float tau, float eta) {
    /**
     * @throws IllegalArgumentException if a number is outside its range
     */
    public Mirostat {
      require(tau > 0 && Float.isFinite(tau), "mirostat's tau", tau, "above 0");
      require(eta > 0 && Float.isFinite(eta), "mirostat's eta", eta, "above 0");
    }

    /** With eta 0.1. */
    public static Mirostat of(float tau) {
      return new Mirostat(tau, 0.1f);
    }
  }

  private static final Sampling NEUTRAL = new Sampling(new Settings());
  private static final Sampling DEFAULTS =
      NEUTRAL.withTemperature(0.7f).withTopK(40).withTopP(0.95f).withMinP(0.05f);
  private static final Sampling GREEDY = NEUTRAL.withTemperature(0).withSeed(0);

  /** What the methods change; never after it became a Sampling's. */
  private static final class Settings implements Cloneable {
    float temperature = 1;
    @Nullable DynamicTemperature dynamicTemperature;
    int topK;
    float topP = 1;
    float minP;
    float typicalP = 1;
    float topNSigma;
    @Nullable Xtc xtc;
    Penalties penalties = Penalties.OFF;
    @Nullable Dry dry;
    @Nullable Mirostat mirostat;
    Map<Integer, Float> logitBias = Map.of();
    List<Stage> order = List.of(Stage.values());
    @Nullable Long seed;

    @Override
    public Settings clone() {
      try {
        return (Settings) super.clone();
      } catch (CloneNotSupportedException e) {
        throw new AssertionError(e);
      }
    }

    List<@Nullable Object> values() {
      return Arrays.asList(
          temperature,
          dynamicTemperature,
          topK,
          topP,
          minP,
          typicalP,
          topNSigma,
          xtc,
          penalties,
          dry,
          mirostat,
          logitBias,
          order,
          seed);
    }
  }

  private final Settings settings;

  private Sampling(Settings settings) {
    this.settings = settings;
    checkMirostat();
    if (temperature() == 0 && settings.dynamicTemperature != null) {
      throw new IllegalArgumentException(
          "temperature 0 always takes the most probable token: with a dynamic temperature it must"
              + " be above 0");
    }
  }

  private void checkMirostat() {
    if (settings.mirostat == null) {
      return;
    }
    List<String> others = new ArrayList<>();
    addActive(others, "topK", Stage.TOP_K, settings.topK > 0);
    addActive(others, "topP", Stage.TOP_P, settings.topP < 1);
    addActive(others, "minP", Stage.MIN_P, settings.minP > 0);
    addActive(others, "typicalP", Stage.TYPICAL_P, settings.typicalP < 1);
    addActive(others, "topNSigma", Stage.TOP_N_SIGMA, settings.topNSigma > 0);
    addActive(others, "XTC", Stage.XTC, settings.xtc != null);
    if (!others.isEmpty()) {
      throw new IllegalArgumentException(
          "mirostat itself decides how many tokens stay, but there is also "
              + String.join(", ", others)
              + ": switch off one or the other, or start from Sampling.neutral()");
    }
    if (settings.temperature == 0) {
      throw new IllegalArgumentException(
          "temperature 0 always takes the most probable token: with mirostat it must be above 0");
    }
  }

  private void addActive(List<String> names, String name, Stage stage, boolean isSet) {
    if (isSet && settings.order.contains(stage)) {
      names.add(name);
    }
  }

  private static void require(boolean holds, String name, Number value, String range) {
    if (!holds) {
      throw new IllegalArgumentException(name + " is " + value + "; it must be " + range);
    }
  }

  private static void requirePart(String name, float value) {
    require(value > 0 && value <= 1, name, value, "above 0 and at most 1");
  }

  private static void requireWindow(String name, int tokens) {
    require(tokens >= -1, name, tokens, "-1 (all), 0 (off) or more");
  }

  private Sampling with(Consumer<Settings> change) {
    Settings changed = settings.clone();
    change.accept(changed);
    return new Sampling(changed);
  }

  /**
   * A little variety: temperature 0.7, topK 40, topP 0.95, minP 0.05, a seed of its own each time.
   */
  public static Sampling defaults() {
    return DEFAULTS;
  }

  /** The model's own probabilities: temperature 1, nothing else, a seed of its own each time. */
  public static Sampling neutral() {
    return NEUTRAL;
  }

  /** Always the most probable token. */
  public static Sampling greedy() {
    return GREEDY;
  }

  /**
   * 0 takes the most probable token of those that are left; 1 draws by the model's probabilities;
   * above, the improbable gain.
   *
   * @throws IllegalArgumentException if it is negative or not finite
   */
  public Sampling withTemperature(float temperature) {
    require(
        temperature >= 0 && Float.isFinite(temperature), "temperature", temperature, "0 or more");
    return with(s -> s.temperature = temperature);
  }

  /**
   * Lets the temperature follow the model's doubt.
   *
   * @throws IllegalArgumentException if the temperature is 0
   */
  public Sampling withDynamicTemperature(DynamicTemperature dynamicTemperature) {
    Objects.requireNonNull(dynamicTemperature, "dynamicTemperature");
    return with(s -> s.dynamicTemperature = dynamicTemperature);
  }

  /** Has the same temperature for every token. */
  public Sampling withoutDynamicTemperature() {
    return with(s -> s.dynamicTemperature = null);
  }

  /**
   * How many of the most probable tokens stay; 0 for all (Fan et al. 2018).
   *
   * @throws IllegalArgumentException if it is negative
   */
  public Sampling withTopK(int topK) {
    require(topK >= 0, "topK", topK, "0 (all) or more");
    return with(s -> s.topK = topK);
  }

  /**
   * The fewest most probable tokens stay that have this probability together; 1 for all (Holtzman
   * et al. 2019, nucleus sampling).
   *
   * @throws IllegalArgumentException if it is not above 0 and at most 1
   */
  public Sampling withTopP(float topP) {
    requirePart("topP", topP);
    return with(s -> s.topP = topP);
  }

  /**
   * Tokens stay that have this part of the most probable one's probability; 0 for all (Nguyen et
   * al. 2024).
   *
   * @throws IllegalArgumentException if it is not from 0 to 1
   */
  public Sampling withMinP(float minP) {
    require(minP >= 0 && minP <= 1, "minP", minP, "from 0 to 1");
    return with(s -> s.minP = minP);
  }

  /**
   * The fewest tokens stay that have this probability together, those first whose surprise is
   * nearest to the entropy; 1 for all (Meister et al. 2022, locally typical sampling).
   *
   * @throws IllegalArgumentException if it is not above 0 and at most 1
   */
  public Sampling withTypicalP(float typicalP) {
    requirePart("typicalP", typicalP);
    return with(s -> s.typicalP = typicalP);
  }

  /**
   * Tokens stay whose logit is within so many standard deviations, of all logits, of the largest; 0
   * for all (Tang et al. 2024, top-nσ).
   *
   * @throws IllegalArgumentException if it is negative or not finite
   */
  public Sampling withTopNSigma(float topNSigma) {
    require(topNSigma >= 0 && Float.isFinite(topNSigma), "topNSigma", topNSigma, "0 (all) or more");
    return with(s -> s.topNSigma = topNSigma);
  }

  /** Excludes top choices by chance. */
  public Sampling withXtc(Xtc xtc) {
    Objects.requireNonNull(xtc, "xtc");
    return with(s -> s.xtc = xtc);
  }

  /** Leaves the most probable tokens in. */
  public Sampling withoutXtc() {
    return with(s -> s.xtc = null);
  }

  /** Makes tokens less probable that were there before. */
  public Sampling withPenalties(Penalties penalties) {
    Objects.requireNonNull(penalties, "penalties");
    return with(s -> s.penalties = penalties);
  }

  /** Penalizes no tokens. */
  public Sampling withoutPenalties() {
    return with(s -> s.penalties = Penalties.OFF);
  }

  /** Makes repetitions of sequences less probable. */
  public Sampling withDry(Dry dry) {
    Objects.requireNonNull(dry, "dry");
    return with(s -> s.dry = dry);
  }

  /** Does nothing against repetitions so. */
  public Sampling withoutDry() {
    return with(s -> s.dry = null);
  }

  /**
   * Holds the surprise at a level.
   *
   * @throws IllegalArgumentException if there is another sampler that decides how many tokens stay
   *     (topK, topP, minP, typicalP, topNSigma, XTC), or the temperature is 0
   */
  public Sampling withMirostat(Mirostat mirostat) {
    Objects.requireNonNull(mirostat, "mirostat");
    return with(s -> s.mirostat = mirostat);
  }

  /** Does not hold the surprise. */
  public Sampling withoutMirostat() {
    return with(s -> s.mirostat = null);
  }

  /**
   * Adds to the logits of tokens, by their ids; negative infinity bans a token. In place of what
   * was said before.
   *
   * @throws IllegalArgumentException if an id is negative, or a bias not a number or positive
   *     infinity
   */
  public Sampling withLogitBias(Map<Integer, Float> biases) {
    biases.forEach(
        (token, bias) -> {
          require(token >= 0, "a biased token", token, "0 or more");
          require(bias < Float.POSITIVE_INFINITY, "a logit bias", bias, "finite or -Infinity");
        });
    return with(s -> s.logitBias = Map.copyOf(biases));
  }

  /**
   * The stages that run, in this order; what is not named does not run, whatever is set.
   *
   * @throws IllegalArgumentException if it names none, or one twice
   */
  public Sampling withOrder(List<Stage> order) {
    List<Stage> stages = List.copyOf(order);
    if (stages.isEmpty() || stages.stream().distinct().count() < stages.size()) {
      throw new IllegalArgumentException(
          "the order is " + stages + "; it must name one stage or more, each once");
    }
    return with(s -> s.order = stages);
  }

  /** Makes the choices reproducible. */
  public Sampling withSeed(long seed) {
    return with(s -> s.seed = seed);
  }

  /** 0 takes the most probable token; 1 leaves probabilities as they are. */
  public float temperature() {
    return settings.temperature;
  }

  /** Empty where the temperature is the same for every token. */
  public Optional<DynamicTemperature> dynamicTemperature() {
    return Optional.ofNullable(settings.dynamicTemperature);
  }

  /** 0 where all tokens stay. */
  public int topK() {
    return settings.topK;
  }

  /** 1 where all tokens stay. */
  public float topP() {
    return settings.topP;
  }

  /** 0 where all tokens stay. */
  public float minP() {
    return settings.minP;
  }

  /** 1 where all tokens stay. */
  public float typicalP() {
    return settings.typicalP;
  }

  /** 0 where all tokens stay. */
  public float topNSigma() {
    return settings.topNSigma;
  }

  /** Empty where the most probable tokens stay in. */
  public Optional<Xtc> xtc() {
    return Optional.ofNullable(settings.xtc);
  }

  /** Empty where there are none. */
  public Optional<Penalties> penalties() {
    return Optional.of(settings.penalties).filter(p -> !p.isOff());
  }

  /** Empty where nothing is done against repetitions so. */
  public Optional<Dry> dry() {
    return Optional.ofNullable(settings.dry);
  }

  /** Empty where the surprise is not held. */
  public Optional<Mirostat> mirostat() {
    return Optional.ofNullable(settings.mirostat);
  }

  /** By token id; unmodifiable. */
  public Map<Integer, Float> logitBias() {
    return settings.logitBias;
  }

  /** Unmodifiable. */
  public List<Stage> order() {
    return settings.order;
  }

  /** Of the draws; empty for another one each time. */
  public OptionalLong seed() {
    return settings.seed == null ? OptionalLong.empty() : OptionalLong.of(settings.seed);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Sampling sampling
        && settings.values().equals(sampling.settings.values());
  }

  @Override
  public int hashCode() {
    return settings.values().hashCode();
  }

  @Override
  public String toString() {
    return "Sampling" + settings.values();
  }
}
