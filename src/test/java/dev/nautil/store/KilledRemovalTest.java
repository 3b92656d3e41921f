package dev.nautil.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.ModelStore;
import dev.nautil.registry.ModelArtifact;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.locks.LockSupport;
import java.util.function.Predicate;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code kill -9} of processes that remove a model, at any instant. */
class KilledRemovalTest {
  private static final int KILLS = Integer.getInteger("nautil.test.kills", 50);
  private static final int PART = 20_000;

  @TempDir Path folder;

  private static void copy(Path from, Path to) throws IOException {
    try (Stream<Path> all = Files.walk(from)) {
      for (Path each : all.toList()) {
        // With it a process has begun to remove.
        if (!each.endsWith("locks")) {
          Files.copy(each, to.resolve(from.relativize(each).toString()));
        }
      }
    }
  }

  private static void awaitThat(Predicate<Path> condition, Path file, Process process) {
    while (process.isAlive() && !condition.test(file)) {
      LockSupport.parkNanos(50_000);
    }
  }

  @Test
  void theStoreIsValidAndTheNextRemovalFreesTheRest() throws Exception {
    try (Origin origin = new Origin(folder)) {
      ModelArtifact large = ModelArtifact.docker();
      Path shared = origin.file(PART);
      large.layer(shared, ModelArtifact.DOCKER_GGUF);
      for (int i = 0; i < 60; i++) {
        large.layer(origin.file(PART), ModelArtifact.DOCKER_GGUF);
      }
      Origin.Source goes = origin.push("goes", large);
      Origin.Source stays = origin.push("stays", ModelArtifact.docker(shared));
      Path prepared = folder.resolve("prepared");
      ModelStore store = origin.store(prepared);
      store.pull(goes.reference());
      store.pull(stays.reference());

      Random random = new Random(21);
      int[] outcomes = new int[3];
      for (int i = 0; i < KILLS; i++) {
        Path home = folder.resolve("home-" + i);
        copy(prepared, home);
        Path name =
            home.resolve("references")
                .resolve(StoreCheck.sha256(goes.reference().getBytes(StandardCharsets.UTF_8)));
        Process process = origin.start(home, "rm", goes.reference());
        if (i % 3 == 0) {
          awaitThat(Files::exists, home.resolve("locks"), process);
          LockSupport.parkNanos(random.nextInt(40_000_000));
        } else {
          // What is done after that is not undone by what was not.
          awaitThat(Files::notExists, name, process);
          LockSupport.parkNanos(random.nextInt(3_000_000));
        }
        boolean ended = !process.isAlive();
        process.destroyForcibly().waitFor();
        outcomes[requireUsable(origin, home, goes, stays, ended)]++;
      }
      System.out.printf(
          "%d kills: %d before the removal, %d in it, %d after%n",
          KILLS, outcomes[0], outcomes[1], outcomes[2]);
      assertTrue(outcomes[1] > 0, "no kill was in time");
    }
  }

  /** Returns 0 if nothing was removed yet, 2 if all was, and 1 between these. */
  private static int requireUsable(
      Origin origin, Path home, Origin.Source goes, Origin.Source stays, boolean ended)
      throws IOException {
    StoreCheck check = new StoreCheck(home);
    Map<String, String> references = check.requireValid(origin.sources());
    assertTrue(references.containsKey(stays.reference()));
    ModelStore store = origin.store(home);
    assertEquals(references.size(), store.list().size());
    assertEquals(references.size(), store.diskUsage().models());
    assertTrue(store.verify(progress -> {}).isEmpty());
    boolean isThere = references.containsKey(goes.reference());
    long blobs;
    try (Stream<Path> all = Files.list(home.resolve("blobs/sha256"))) {
      blobs = all.count();
    }
    if (isThere) {
      store.remove(goes.reference());
    } else {
      // Whatever removes something removes the rest.
      store.tag(stays.reference(), "other/name:latest");
      store.remove("other/name:latest");
    }
    check.requireValid(origin.sources());
    check.requireNoWaste();
    assertEquals(1, store.list().size());
    return isThere ? 0 : ended || blobs == 2 ? 2 : 1;
  }
}
