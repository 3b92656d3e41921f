package dev.nautil.cli;

import dev.nautil.ModelStore;
import dev.nautil.ModelStore.DiskUsage;
import dev.nautil.internal.Sizes;
import java.io.IOException;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code nautil df}. */
@Command(name = "df", description = "Shows what the models take of the disk.", sortOptions = false)
final class DiskCommand implements Callable<Integer> {
  private final Io io;

  @Mixin private StandardOptions standard;

  @Option(
      names = "--json",
      description = "Prints {\"models\", \"model_bytes\", \"partial_bytes\", …}.")
  private boolean json;

  DiskCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() throws IOException {
    ModelStore store = ModelStore.open(io.environment());
    DiskUsage usage = store.diskUsage();
    if (json) {
      Json.print(
          io,
          generator -> {
            generator.writeStartObject();
            generator.writeStringField("folder", store.folder().toString());
            generator.writeNumberField("models", usage.models());
            generator.writeNumberField("model_bytes", usage.modelBytes());
            generator.writeNumberField("partial_bytes", usage.partialBytes());
            generator.writeEndObject();
          });
      return 0;
    }
    io.out().printf("%-14s%6s%14s%n", "TYPE", "COUNT", "SIZE");
    io.out().printf("%-14s%6d%14s%n", "Models", usage.models(), Sizes.brief(usage.modelBytes()));
    io.out().printf("%-14s%6s%14s%n", "Partial pulls", "", Sizes.brief(usage.partialBytes()));
    io.out().println("in " + store.folder());
    return 0;
  }
}
