package dev.nautil.cli;

import dev.nautil.ModelStore;
import dev.nautil.ModelStore.Damage;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code nautil verify}. */
@Command(
    name = "verify",
    description = {
      "Reads all models and checks them by their digests.",
      "What is damaged is removed: the next pull fetches it again. Exits with 1 if anything is."
    },
    sortOptions = false)
final class VerifyCommand implements Callable<Integer> {
  private final Io io;

  @Mixin private StandardOptions standard;

  VerifyCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() {
    List<Damage> damages;
    try (ProgressBar bar = new ProgressBar(io, "verifying")) {
      damages =
          ModelStore.open(io.environment())
              .verify(progress -> bar.update(progress.done(), progress.total()));
    }
    for (Damage damage : damages) {
      String names = String.join(", ", damage.references());
      String model = names.isEmpty() ? "" : names + ": ";
      io.out().println(model + damage.digest() + " " + damage.reason());
    }
    if (damages.isEmpty()) {
      io.out().println("all models are whole");
    } else {
      io.err().println("nautil pull MODEL fetches again what is damaged or missing");
    }
    return damages.isEmpty() ? 0 : 1;
  }
}
