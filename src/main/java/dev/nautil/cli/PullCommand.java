package dev.nautil.cli;

import dev.nautil.ModelStore;
import dev.nautil.PullOptions;
import dev.nautil.StoredModel;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code nautil pull}. */
@Command(
    name = "pull",
    description = {
      "Fetches a model, or what is missing of it, and checks it.",
      "If it ends early, the next pull goes on where it ended."
    },
    sortOptions = false)
final class PullCommand implements Callable<Integer> {
  private final Io io;

  @Spec private CommandSpec spec;
  @Mixin private StandardOptions standard;

  @Parameters(
      paramLabel = "MODEL",
      description =
          "[HOST[:PORT]/]NAME[:TAG][@DIGEST] of a registry, such as ai/mistral-nemo, or"
              + " hf.co/ORG/REPO[:QUANT].")
  private String model;

  @Option(
      names = "--connections",
      paramLabel = "N",
      defaultValue = "4",
      description = "At once, ${DEFAULT-VALUE} if it is not said.")
  private int connections;

  @Option(
      names = "--plain-http",
      description = "Without TLS; on this machine itself it need not be said.")
  private boolean plainHttp;

  PullCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() {
    PullOptions options;
    try {
      options = ModelStore.pullOptions().connections(connections);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(spec.commandLine(), "--" + e.getMessage());
    }
    StoredModel pulled;
    try (PullView view = new PullView(io, model)) {
      options = options.onProgress(view);
      pulled =
          ModelStore.open(io.environment()).pull(model, plainHttp ? options.plainHttp() : options);
    }
    io.out().println(pulled.id());
    return 0;
  }
}
