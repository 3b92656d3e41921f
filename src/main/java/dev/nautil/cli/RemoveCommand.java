package dev.nautil.cli;

import dev.nautil.ModelNotFoundException;
import dev.nautil.ModelStore;
import dev.nautil.StoredModel;
import dev.nautil.registry.ModelReference;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nautil rm}. */
@Command(
    name = "rm",
    description = {
      "Removes models: the names that are given, and from the disk what nothing else names.",
      "What has arrived of a pull that did not end goes, too."
    },
    sortOptions = false)
final class RemoveCommand implements Callable<Integer> {
  private final Io io;

  @Mixin private StandardOptions standard;

  @Parameters(paramLabel = "MODEL", arity = "1..*", description = "References or ids.")
  private List<String> models;

  @Option(
      names = {"-f", "--force"},
      description =
          "Also removes by its id what has several names, and is silent of what is not there.")
  private boolean force;

  RemoveCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() {
    ModelStore store = ModelStore.open(io.environment());
    for (String model : models) {
      if (!force && ModelReference.parse(model) instanceof ModelReference.Id) {
        requireOneName(store.find(model), model);
      }
      try {
        store.remove(model);
        io.out().println("Removed: " + model);
      } catch (ModelNotFoundException e) {
        if (!force) {
          throw e;
        }
      }
    }
    return 0;
  }

  private static void requireOneName(Optional<StoredModel> found, String id) {
    List<String> names = found.map(StoredModel::references).orElse(List.of());
    if (names.size() > 1) {
      throw new Failure(
          id
              + " has several names: "
              + String.join(", ", names)
              + "; give one of them, or --force");
    }
  }
}
