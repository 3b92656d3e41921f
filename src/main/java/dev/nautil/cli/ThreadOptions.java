package dev.nautil.cli;

import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How many threads compute. */
final class ThreadOptions {
  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec;

  private int count;

  @Option(
      names = {"-t", "--threads"},
      paramLabel = "N",
      defaultValue = "0",
      description = "Threads that compute; 0, the default: as many as the process may run.")
  void setCount(int count) {
    if (count < 0 || count > 1024) {
      throw new ParameterException(
          spec.commandLine(), "--threads is " + count + "; it must be 0 to 1024");
    }
    this.count = count;
  }

  int count() {
    return count;
  }
}
