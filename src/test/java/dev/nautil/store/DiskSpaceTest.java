package dev.nautil.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.ModelStore;
import dev.nautil.ModelStore.DiskUsage;
import dev.nautil.PullProgress;
import dev.nautil.registry.Fault;
import dev.nautil.registry.ModelArtifact;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.CancellationException;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is told of the disk that a store takes; OtherStoresTest has what others have, too. */
class DiskSpaceTest {
  private static final int SIZE = 2 << 20;

  @TempDir Path folder;

  @Test
  void partsOfASplitModelAreCountedOnceAndAreItsOwn() throws IOException {
    try (Origin origin = new Origin(folder)) {
      Path part = origin.file(20_000);
      Origin.Source split = origin.push("split", ModelArtifact.docker(part, origin.file(30_000)));
      Origin.Source other = origin.push("other", ModelArtifact.docker(part, origin.file(40_000)));
      ModelStore store = origin.store(folder.resolve("home"));
      store.pull(split.reference());
      assertEquals(new DiskUsage(1, split.size(), 0, 0), store.diskUsage());
      store.pull(other.reference());
      assertEquals(new DiskUsage(2, split.size() + other.size() - 20_000, 0, 0), store.diskUsage());
    }
  }

  @Test
  void whatOfAModelBySha512HasArrived() throws IOException {
    try (Origin origin = new Origin(folder)) {
      Origin.Source model = origin.pushSha512("sha512", origin.file(SIZE));
      assertTrue(model.weights().startsWith("sha512:"));
      ModelStore store = origin.store(folder.resolve("home"));
      origin.proxy.add(Fault.on("GET", ".*/blobs/" + model.weights()).rate(SIZE));
      assertThrows(
          CancellationException.class,
          () -> store.pull(model.reference(), ModelStore.pullOptions().onProgress(this::half)));
      long partial = store.diskUsage().partialBytes();
      assertTrue(partial >= SIZE / 4 && partial < SIZE, partial + " bytes");
      origin.proxy.reset();
      Path file = store.pull(model.reference()).file();
      assertEquals(SIZE - partial, origin.sent(model.weights()));
      assertEquals(-1, Files.mismatch(folder.resolve("file-1"), file));
      assertEquals(new DiskUsage(1, model.size(), 0, 0), store.diskUsage());
      assertEquals(List.of(), store.verify(progress -> {}));
      store.remove(model.reference());
      assertEquals(List.of(), ModelIndex.files(file.getParent()));
    }
  }

  private void half(PullProgress progress) {
    if (progress.done() > SIZE / 2) {
      throw new CancellationException();
    }
  }
}
