package dev.nautil.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code nautil completion}. */
@Command(
    name = "completion",
    description = {
      "Prints what lets bash and zsh complete commands and options:",
      "source <(nautil completion)"
    },
    sortOptions = false)
final class CompletionCommand implements Callable<Integer> {
  private final Io io;

  @Mixin private StandardOptions standard;

  CompletionCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() {
    io.out().print(AutoComplete.bash("nautil", Main.all(io)));
    return 0;
  }
}
