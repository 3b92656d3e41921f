package dev.nautil.cli;

import dev.nautil.CancelledException;
import dev.nautil.StoredModel;
import dev.nautil.internal.NativeFile;
import dev.nautil.registry.ModelReference;
import dev.nautil.registry.RemoteModel;
import dev.nautil.store.RemoteFiles;
import dev.nautil.store.Store;
import java.io.IOException;

/** A look at a registry's model without its weights. */
final class RemoteInspection {
  private RemoteInspection() {}

  /** Takes the files' header, and what the registry knows of the model. */
  interface Consumer {
    void accept(NativeFile header, StoredModel model) throws IOException;
  }

  static void of(Io io, String model, boolean plainHttp, Consumer consumer) throws IOException {
    ModelReference reference = ModelReference.parse(model);
    try {
      RemoteModel remote = new Store(io.environment()).remote(reference, plainHttp);
      try (RemoteFiles files = RemoteFiles.fetch(remote)) {
        consumer.accept(files.file(), files.describe(reference.toString()));
      }
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("the thread was interrupted");
    }
  }
}
