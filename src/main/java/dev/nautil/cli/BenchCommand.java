package dev.nautil.cli;

import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code nautil bench}. */
@Command(name = "bench", description = "Measures speed.")
final class BenchCommand implements Callable<Integer> {
  private final Io io;

  @Mixin private StandardOptions standard;

  BenchCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() {
    throw new Failure("not yet" + io);
  }
}
