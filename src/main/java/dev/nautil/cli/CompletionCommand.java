package dev.nautil.cli;

import java.util.concurrent.Callable;
import picocli.AutoComplete;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code nautil completion}. */
@Command(
    name = "completion",
    description = {
      "Prints what lets bash and zsh complete commands, options and files:",
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
    String script = AutoComplete.bash("nautil", Main.all(io));
    // Where it has nothing to say, a shell completes files' names, which most arguments may be.
    io.out().print(script.replaceAll(".*compopt \\+o default.*\n", ""));
    return 0;
  }
}
