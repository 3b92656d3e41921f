package dev.nautil.cli;

import dev.nautil.Sampling;
import dev.nautil.Sampling.Stage;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.function.UnaryOperator;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How tokens are chosen, in llama.cpp's names. */
final class SamplingOptions {
  /** llama.cpp's names of the stages. */
  private static final Map<String, Stage> STAGES =
      Map.ofEntries(
          Map.entry("penalties", Stage.PENALTIES),
          Map.entry("dry", Stage.DRY),
          Map.entry("top_n_sigma", Stage.TOP_N_SIGMA),
          Map.entry("top_k", Stage.TOP_K),
          Map.entry("typ_p", Stage.TYPICAL_P),
          Map.entry("typical_p", Stage.TYPICAL_P),
          Map.entry("top_p", Stage.TOP_P),
          Map.entry("min_p", Stage.MIN_P),
          Map.entry("xtc", Stage.XTC),
          Map.entry("temperature", Stage.TEMPERATURE));

  private static final String STAGE_NAMES =
      "penalties;dry;top_n_sigma;top_k;typ_p;top_p;min_p;xtc;temperature";

  private static final Pattern BIAS = Pattern.compile("(\\d+)([+-].+)");

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  @ArgGroup(validate = false, heading = "%nHow tokens are chosen:%n")
  private Choice choice = new Choice();

  @ArgGroup(validate = false, heading = "%nAgainst repetition:%n")
  private Repetition repetition = new Repetition();

  @ArgGroup(validate = false, heading = "%nMore samplers:%n")
  private More more = new More();

  static final class Choice {
    @Option(
        names = "--temp",
        paramLabel = "T",
        description = "Temperature: 0 takes the most probable token; 0.7 if it is not said.")
    @Nullable Float temperature;

    @Option(
        names = "--top-k",
        paramLabel = "K",
        description = "Chooses among the K most probable tokens; 0 for all; 40.")
    @Nullable Integer topK;

    @Option(
        names = "--top-p",
        paramLabel = "P",
        description = "Among those that have the probability P together; 1 for all; 0.95.")
    @Nullable Float topP;

    @Option(
        names = "--min-p",
        paramLabel = "P",
        description = "Among those of this part of the most probable one's; 0 for all; 0.05.")
    @Nullable Float minP;

    @Option(
        names = {"-s", "--seed"},
        paramLabel = "N",
        description = "Makes the choices reproducible; else they differ each time.")
    @Nullable Long seed;

    @Option(
        names = {"-l", "--logit-bias"},
        paramLabel = "ID±BIAS",
        description = "Adds to a token's logit, as in 15043+1 or 15043-inf; several times.")
    List<String> logitBias = List.of();

    @Option(
        names = "--samplers",
        paramLabel = "NAMES",
        description = "Those that run, in this order; if it is not said: " + STAGE_NAMES + ".")
    @Nullable String samplers;
  }

  static final class Repetition {
    @Option(
        names = "--repeat-penalty",
        paramLabel = "X",
        description = "Divides the logits of tokens that were there; 1, the default: off.")
    @Nullable Float repeatPenalty;

    @Option(
        names = "--frequency-penalty",
        paramLabel = "X",
        description = "Takes X from a token's logit for each time that it was there; 0.")
    @Nullable Float frequencyPenalty;

    @Option(
        names = "--presence-penalty",
        paramLabel = "X",
        description = "Takes X from the logits of tokens that were there; 0.")
    @Nullable Float presencePenalty;

    @Option(
        names = "--repeat-last-n",
        paramLabel = "N",
        description = "How many tokens back these penalties look; -1: all; 64.")
    @Nullable Integer repeatLastN;

    @Option(
        names = "--dry-multiplier",
        paramLabel = "X",
        description = "Makes repeated sequences less probable (DRY); 0, the default: off.")
    float dryMultiplier;

    @Option(
        names = "--dry-base",
        paramLabel = "X",
        description = "The penalty's growth with each token of a sequence; 1.75.")
    float dryBase = 1.75f;

    @Option(
        names = "--dry-allowed-length",
        paramLabel = "N",
        description = "Tokens that may come again freely; 2.")
    int dryAllowedLength = 2;

    @Option(
        names = "--dry-penalty-last-n",
        paramLabel = "N",
        description = "How many tokens back DRY looks; -1, the default: all.")
    int dryPenaltyLastN = -1;

    @Option(
        names = "--dry-sequence-breaker",
        paramLabel = "TEXT",
        description =
            "Ends sequences, in place of a line's end, colon, quotation mark and asterisk; \"none\""
                + " for none; several times.")
    List<String> drySequenceBreakers = List.of();
  }

  static final class More {
    @Option(
        names = {"--typical", "--typical-p"},
        paramLabel = "P",
        description = "Locally typical sampling; 1, the default: off.")
    @Nullable Float typicalP;

    @Option(
        names = {"--top-nsigma", "--top-n-sigma"},
        paramLabel = "N",
        description = "Keeps logits within N standard deviations of the largest; 0: off.")
    @Nullable Float topNSigma;

    @Option(
        names = "--xtc-probability",
        paramLabel = "P",
        description = "How often top choices are excluded; 0, the default: off.")
    float xtcProbability;

    @Option(
        names = "--xtc-threshold",
        paramLabel = "P",
        description = "From which probability on they are; 0.1.")
    float xtcThreshold = 0.1f;

    @Option(
        names = "--dynatemp-range",
        paramLabel = "X",
        description = "Lets the temperature follow the entropy, so far up and down; 0: off.")
    float dynatempRange;

    @Option(names = "--dynatemp-exp", paramLabel = "X", description = "Its exponent; 1.")
    float dynatempExponent = 1;

    @Option(
        names = "--mirostat",
        paramLabel = "N",
        description = "2: Mirostat 2, in place of --top-k, --top-p and their like; 0: off.")
    int mirostat;

    @Option(
        names = "--mirostat-ent",
        paramLabel = "BITS",
        description = "The surprise that tokens have on average with it; 5.")
    float mirostatEntropy = 5;

    @Option(names = "--mirostat-lr", paramLabel = "X", description = "How fast it adapts; 0.1.")
    float mirostatRate = 0.1f;
  }

  /**
   * @param base how tokens are chosen as far as the options do not say
   * @throws ParameterException if an option is outside its range, or contradicts another
   */
  Sampling sampling(Sampling base) {
    Sampling sampling = base;
    if (choice.samplers != null) {
      sampling = set("--samplers", sampling, s -> s.withOrder(order(choice.samplers)));
    }
    sampling = withRepetition(sampling);
    if (more.mirostat == 2) {
      // The defaults give way; what was said must not.
      sampling = sampling.withTopK(0).withTopP(1).withMinP(0);
    } else if (more.mirostat != 0) {
      throw usage("--mirostat is " + more.mirostat + "; it must be 0 (off) or 2");
    }
    sampling = set("--temp", sampling, choice.temperature, Sampling::withTemperature);
    sampling = set("--top-k", sampling, choice.topK, Sampling::withTopK);
    sampling = set("--top-p", sampling, choice.topP, Sampling::withTopP);
    sampling = set("--min-p", sampling, choice.minP, Sampling::withMinP);
    sampling = set("--seed", sampling, choice.seed, Sampling::withSeed);
    sampling = set("--typical", sampling, more.typicalP, Sampling::withTypicalP);
    sampling = set("--top-nsigma", sampling, more.topNSigma, Sampling::withTopNSigma);
    sampling = set("--logit-bias", sampling, s -> s.withLogitBias(biases()));
    return withMore(sampling);
  }

  private Sampling withRepetition(Sampling sampling) {
    Repetition r = repetition;
    Sampling.Penalties base = sampling.penalties().orElse(new Sampling.Penalties(1, 0, 0, 64));
    Sampling.Penalties penalties =
        get(
            "--repeat-penalty, --frequency-penalty, --presence-penalty or --repeat-last-n",
            () ->
                new Sampling.Penalties(
                    or(r.repeatPenalty, base.repeat()),
                    or(r.frequencyPenalty, base.frequency()),
                    or(r.presencePenalty, base.presence()),
                    or(r.repeatLastN, base.lastTokens())));
    Sampling penalized = sampling.withPenalties(penalties);
    if (r.dryMultiplier == 0) {
      return penalized;
    }
    List<String> breakers = r.drySequenceBreakers;
    if (breakers.isEmpty()) {
      breakers = Sampling.Dry.DEFAULT_BREAKERS;
    } else if (breakers.equals(List.of("none"))) {
      breakers = List.of();
    }
    List<String> used = breakers;
    return set(
        "--dry-…",
        penalized,
        s ->
            s.withDry(
                new Sampling.Dry(
                    r.dryMultiplier, r.dryBase, r.dryAllowedLength, r.dryPenaltyLastN, used)));
  }

  private static <T> T or(@Nullable T said, T otherwise) {
    return said != null ? said : otherwise;
  }

  private Sampling withMore(Sampling sampling) {
    if (more.xtcProbability != 0) {
      sampling =
          set(
              "--xtc-…",
              sampling,
              s -> s.withXtc(new Sampling.Xtc(more.xtcProbability, more.xtcThreshold)));
    }
    if (more.dynatempRange != 0) {
      sampling =
          set(
              "--dynatemp-…",
              sampling,
              s ->
                  s.withDynamicTemperature(
                      new Sampling.DynamicTemperature(more.dynatempRange, more.dynatempExponent)));
    }
    if (more.mirostat == 2) {
      sampling =
          set(
              "--mirostat",
              sampling,
              s -> s.withMirostat(new Sampling.Mirostat(more.mirostatEntropy, more.mirostatRate)));
    }
    return sampling;
  }

  private static List<Stage> order(String names) {
    List<Stage> order = new ArrayList<>();
    for (String name : names.split("[;,]")) {
      Stage stage = STAGES.get(name.strip());
      if (stage == null) {
        throw new IllegalArgumentException(
            "there is no sampler \"" + name.strip() + "\"; there are " + STAGE_NAMES);
      }
      order.add(stage);
    }
    return order;
  }

  private Map<Integer, Float> biases() {
    Map<Integer, Float> biases = new HashMap<>();
    for (String text : choice.logitBias) {
      Matcher matcher = BIAS.matcher(text);
      try {
        if (!matcher.matches()) {
          throw new NumberFormatException();
        }
        String bias = matcher.group(2).replace("inf", "Infinity");
        biases.merge(Integer.valueOf(matcher.group(1)), Float.valueOf(bias), Float::sum);
      } catch (NumberFormatException e) {
        throw new IllegalArgumentException(
            text + " is no token id with a bias, as in 15043+1 or 15043-inf");
      }
    }
    return biases;
  }

  private interface Setter<T> {
    Sampling apply(Sampling sampling, T value);
  }

  private <T> Sampling set(String option, Sampling sampling, @Nullable T value, Setter<T> setter) {
    return value == null ? sampling : set(option, sampling, s -> setter.apply(s, value));
  }

  private Sampling set(String option, Sampling sampling, UnaryOperator<Sampling> change) {
    return get(option, () -> change.apply(sampling));
  }

  private <T> T get(String option, Supplier<T> value) {
    try {
      return value.get();
    } catch (IllegalArgumentException e) {
      throw usage(option + ": " + e.getMessage());
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
