package dev.nautil.cli;

import dev.nautil.ModelStore;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Parameters;

/** {@code nautil tag}. */
@Command(name = "tag", description = "Gives a model another name.", sortOptions = false)
final class TagCommand implements Callable<Integer> {
  private final Io io;

  @Mixin private StandardOptions standard;

  @Parameters(index = "0", paramLabel = "SOURCE", description = "A reference or an id.")
  private String source;

  @Parameters(index = "1", paramLabel = "TARGET", description = "The new name: NAME[:TAG].")
  private String target;

  TagCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() {
    ModelStore.open(io.environment()).tag(source, target);
    return 0;
  }
}
