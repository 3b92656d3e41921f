package dev.nautil.cli;

import dev.nautil.ModelStore;
import dev.nautil.ModelStore.DiskUsage;
import dev.nautil.internal.Sizes;
import java.io.IOException;
import java.util.Locale;
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
      description =
          "Prints {\"models\", \"model_bytes\", \"shared_bytes\", \"partial_bytes\", \"folder\"}.")
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
            generator.writeNumberField("shared_bytes", usage.sharedBytes());
            generator.writeNumberField("partial_bytes", usage.partialBytes());
            generator.writeEndObject();
          });
      return 0;
    }
    row("TYPE", "COUNT", "SIZE");
    row("Models", String.valueOf(usage.models()), Sizes.brief(usage.modelBytes()));
    if (usage.sharedBytes() > 0) {
      row("Elsewhere, too", "", Sizes.brief(usage.sharedBytes()));
    }
    row("Partial pulls", "", Sizes.brief(usage.partialBytes()));
    io.out().println("in " + store.folder());
    return 0;
  }

  private void row(String type, String count, String size) {
    io.out().println(String.format(Locale.ROOT, "%-14s%6s%14s", type, count, size));
  }
}
