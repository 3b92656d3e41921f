package dev.nautil.cli;

import dev.nautil.ModelStore;
import dev.nautil.StoredModel;
import java.io.IOException;
import java.time.Instant;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/** {@code nautil ls}. */
@Command(
    name = "ls",
    aliases = "list",
    description = "Lists the models on this machine.",
    sortOptions = false)
final class ListCommand implements Callable<Integer> {
  private final Io io;

  @Mixin private StandardOptions standard;

  @Option(names = "--json", description = "Prints a list of {\"id\", \"tags\", …}.")
  private boolean json;

  @Option(
      names = {"-q", "--quiet"},
      description = "Prints ids only.")
  private boolean quiet;

  ListCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() throws IOException {
    List<StoredModel> models = ModelStore.open(io.environment()).list();
    if (json) {
      Json.print(
          io,
          generator -> {
            generator.writeStartArray();
            for (StoredModel model : models) {
              StoredModelJson.write(generator, model);
            }
            generator.writeEndArray();
          });
    } else if (quiet) {
      models.forEach(model -> io.out().println(ModelTable.shortId(model)));
    } else {
      ModelTable.print(io.out(), models, Instant.now());
    }
    return 0;
  }
}
