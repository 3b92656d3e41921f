package dev.nautil.cli;

import dev.nautil.Sampling;
import java.util.function.UnaryOperator;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How tokens are chosen. */
final class SamplingOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  private Sampling sampling = Sampling.defaults();

  @Option(
      names = "--temp",
      paramLabel = "T",
      description = "Temperature: 0 takes the most probable token; 0.7 if it is not said.")
  void setTemperature(float value) {
    set("--temp", s -> s.withTemperature(value));
  }

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Chooses among the K most probable tokens; 0 for all; 40.")
  void setTopK(int value) {
    set("--top-k", s -> s.withTopK(value));
  }

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = "Among those that have the probability P together; 1 for all; 0.95.")
  void setTopP(float value) {
    set("--top-p", s -> s.withTopP(value));
  }

  @Option(
      names = "--min-p",
      paramLabel = "P",
      description = "Among those of this part of the most probable one's; 0 for all; 0.05.")
  void setMinP(float value) {
    set("--min-p", s -> s.withMinP(value));
  }

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "Makes the choices reproducible; else they differ each time.")
  void setSeed(long value) {
    set("--seed", s -> s.withSeed(value));
  }

  private void set(String option, UnaryOperator<Sampling> change) {
    try {
      sampling = change.apply(sampling);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), option + ": " + e.getMessage());
    }
  }

  Sampling sampling() {
    return sampling;
  }
}
