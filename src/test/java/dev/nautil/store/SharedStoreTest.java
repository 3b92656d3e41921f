package dev.nautil.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.CancelledException;
import dev.nautil.ModelNotFoundException;
import dev.nautil.ModelStore;
import dev.nautil.StoredModel;
import dev.nautil.registry.Fault;
import dev.nautil.registry.FaultProxy;
import dev.nautil.registry.FaultProxy.Exchange;
import dev.nautil.registry.ModelArtifact;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentSkipListSet;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** One store, used by several processes and threads at once. */
class SharedStoreTest {
  private static final int SIZE = 6 << 20;

  @TempDir static Path folder;
  private static Origin origin;
  private static Origin.Source model;
  private static int homes;

  private final ExecutorService threads = Executors.newCachedThreadPool();
  private Path home;
  private StoreCheck check;

  @BeforeAll
  static void start() throws IOException {
    origin = new Origin(folder);
    model =
        origin.push(
            "shared",
            ModelArtifact.docker(origin.file(SIZE))
                .layer(origin.file(500_000), ModelArtifact.DOCKER_LICENSE));
  }

  @AfterAll
  static void stop() {
    origin.close();
  }

  @BeforeEach
  void begin() {
    home = folder.resolve("home-" + homes++);
    check = new StoreCheck(home);
    origin.proxy.reset();
  }

  @AfterEach
  void end() {
    threads.shutdownNow();
  }

  private static void slow(int bytesPerSecond) {
    origin.proxy.add(Fault.on("GET", ".*/blobs/" + model.weights()).rate(bytesPerSecond));
  }

  private void requireOneFetch() throws IOException {
    assertEquals(SIZE, origin.sent(model.weights()));
    assertEquals(500_000, origin.sent(model.layers().get(1).digest()));
    assertEquals(Set.of(model.reference()), check.requireValid(origin.sources()).keySet());
    check.requireNoWaste();
  }

  private static void signal(Process process, String name) throws Exception {
    String[] command = {"kill", "-" + name, String.valueOf(process.pid())};
    assertEquals(0, new ProcessBuilder(command).inheritIO().start().waitFor());
  }

  /** Bytes of the weights that are noted as there: what was sent may still be on its way. */
  private long arrived() throws IOException {
    return check.pieces(model.weights()).cardinality() * (256L << 10);
  }

  private void awaitArrived(long bytes) throws Exception {
    for (int i = 0; i < 3000 && arrived() < bytes; i++) {
      Thread.sleep(10);
    }
    assertTrue(arrived() >= bytes, "nothing arrives");
  }

  private void processes(int count) throws Exception {
    slow(SIZE / 2);
    List<Process> all = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      all.add(origin.start(home, "pull", model.reference()));
    }
    for (Process each : all) {
      assertTrue(each.waitFor(2, TimeUnit.MINUTES));
      assertEquals(0, each.exitValue(), Files.readString(origin.said()));
    }
    requireOneFetch();
  }

  @Test
  void twoProcesses() throws Exception {
    processes(2);
  }

  @Test
  void fourProcesses() throws Exception {
    processes(4);
  }

  @Test
  void threadsOfTwoStoresOneOfThemByALink() throws Exception {
    slow(SIZE / 3);
    Files.createDirectories(home);
    Path link = Files.createSymbolicLink(folder.resolve("link-to-" + home.getFileName()), home);
    List<Set<Long>> seen = new ArrayList<>();
    List<Callable<StoredModel>> pulls = new ArrayList<>();
    for (int i = 0; i < 6; i++) {
      ModelStore store = origin.store(i % 2 == 0 ? home : link);
      Set<Long> done = new ConcurrentSkipListSet<>();
      seen.add(done);
      pulls.add(
          () ->
              store.pull(
                  model.reference(), ModelStore.pullOptions().onProgress(p -> done.add(p.done()))));
    }
    for (Future<StoredModel> each : threads.invokeAll(pulls)) {
      assertEquals(model.digest(), each.get().id());
    }
    requireOneFetch();
    for (Set<Long> each : seen) {
      // Also those that wait for another one.
      assertTrue(each.size() >= 3, "progress: " + each);
    }
  }

  @Test
  void anotherTakesOverFromOneThatIsKilled() throws Exception {
    slow(SIZE / 2);
    Process first = origin.start(home, "pull", model.reference());
    awaitArrived(SIZE / 4);
    Process second = origin.start(home, "pull", model.reference());
    awaitArrived(SIZE / 2);
    // So that the journal can be read as the first one left it.
    signal(second, "STOP");
    first.destroyForcibly().waitFor();
    long arrived = arrived();
    Instant killed = Instant.now();
    signal(second, "CONT");
    assertTrue(second.waitFor(1, TimeUnit.MINUTES));
    assertEquals(0, second.exitValue(), Files.readString(origin.said()));
    assertEquals(
        SIZE - arrived,
        origin.proxy.exchanges("GET", ".*/blobs/" + model.weights()).stream()
            .filter(each -> each.time().isAfter(killed))
            .mapToLong(FaultProxy.Exchange::bodyBytes)
            .sum());
    check.requireValid(origin.sources());
    check.requireNoWaste();
  }

  @Test
  void anInterruptedPullGivesNoLocksOfOthersBack() throws Exception {
    slow(SIZE / 2);
    ModelStore store = origin.store(home);
    Future<StoredModel> first = threads.submit(() -> store.pull(model.reference()));
    awaitArrived(1 << 20);
    for (int i = 0; i < 5; i++) {
      CountDownLatch waits = new CountDownLatch(1);
      AtomicBoolean cancelled = new AtomicBoolean();
      Thread waiting =
          new Thread(
              () -> {
                try {
                  store.pull(
                      model.reference(),
                      ModelStore.pullOptions().onProgress(progress -> waits.countDown()));
                } catch (CancelledException e) {
                  cancelled.set(Thread.currentThread().isInterrupted());
                }
              });
      waiting.start();
      waits.await();
      waiting.interrupt();
      waiting.join();
      assertTrue(cancelled.get());
    }
    // Of another process: were the lock free, it would fetch from here on too.
    Process other = origin.start(home, "pull", model.reference());
    assertEquals(model.digest(), first.get().id());
    assertTrue(other.waitFor(1, TimeUnit.MINUTES));
    assertEquals(0, other.exitValue());
    requireOneFetch();
  }

  @Test
  void anInterruptedPullGoesOnLater() throws Exception {
    slow(SIZE / 2);
    Thread pulling =
        new Thread(
            () ->
                assertThrows(
                    CancelledException.class, () -> origin.store(home).pull(model.reference())));
    pulling.start();
    awaitArrived(SIZE / 2);
    pulling.interrupt();
    pulling.join(2000);
    assertFalse(pulling.isAlive());
    long before = arrived();
    assertTrue(before > SIZE / 4);
    assertTrue(origin.store(home).diskUsage().partialBytes() >= before);
    origin.proxy.reset();
    origin.store(home).pull(model.reference());
    assertEquals(SIZE - before, origin.sent(model.weights()));
  }

  @Test
  void ctrlCLeavesWhatHasArrivedToTheNext() throws Exception {
    slow(SIZE / 2);
    Process process = origin.start(home, "pull", model.reference());
    awaitArrived(SIZE / 4);
    signal(process, "INT");
    assertTrue(process.waitFor(1, TimeUnit.MINUTES));
    assertEquals(130, process.exitValue(), Files.readString(origin.said()));
    check.requireValid(origin.sources());
    long before = arrived();
    origin.proxy.reset();
    origin.store(home).pull(model.reference());
    assertEquals(SIZE - before, origin.sent(model.weights()));
    check.requireValid(origin.sources());
    check.requireNoWaste();
  }

  @Test
  void removedWhileItIsPulled() throws Exception {
    slow(SIZE);
    ModelStore store = origin.store(home);
    Future<StoredModel> pull = threads.submit(() -> store.pull(model.reference()));
    awaitArrived(SIZE / 4);
    // There is a pull to be ended, whose parts are in use.
    origin.store(home).remove(model.reference());
    assertThrows(ModelNotFoundException.class, () -> origin.store(home).remove(model.reference()));
    assertEquals(model.digest(), pull.get().id());
    check.requireValid(origin.sources());
    check.requireNoWaste();
  }

  @Test
  void partsOfARemovedPullGo() throws Exception {
    slow(SIZE / 2);
    Process process = origin.start(home, "pull", model.reference());
    awaitArrived(SIZE / 4);
    process.destroyForcibly().waitFor();
    assertTrue(origin.store(home).diskUsage().partialBytes() > 0);
    origin.store(home).remove(model.reference());
    assertEquals(0, origin.store(home).diskUsage().partialBytes());
    check.requireNoWaste();
  }

  @Test
  void pullsAndRemovalsOfModelsThatShareBlobs() throws Exception {
    Path shared = origin.file(1 << 20);
    List<Origin.Source> models = new ArrayList<>();
    for (String name : List.of("a", "b", "c")) {
      models.add(
          origin.push(
              name,
              ModelArtifact.docker(origin.file(300_000), shared)
                  .layer(origin.file(1000), ModelArtifact.DOCKER_LICENSE)));
    }
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(5);
    AtomicLong turns = new AtomicLong();
    List<Callable<Void>> tasks = new ArrayList<>();
    for (Origin.Source each : models) {
      ModelStore store = origin.store(home);
      tasks.add(
          () -> {
            while (System.nanoTime() < end) {
              StoredModel pulled = store.pull(each.reference());
              requireWhole(pulled);
              store.tag(each.reference(), "other/name:latest");
              store.remove(each.reference());
              turns.incrementAndGet();
            }
            return null;
          });
    }
    ModelStore reader = origin.store(home);
    tasks.add(
        () -> {
          while (System.nanoTime() < end) {
            reader.list().forEach(each -> assertFalse(each.references().isEmpty()));
            reader.diskUsage();
            models.forEach(each -> reader.find(each.reference()));
            assertEquals(List.of(), reader.verify(progress -> {}));
          }
          return null;
        });
    for (Future<Void> each : threads.invokeAll(tasks)) {
      each.get();
    }
    assertTrue(turns.get() >= models.size(), turns + " turns");
    Map<String, String> references = check.requireValid(origin.sources());
    assertEquals(Set.of("docker.io/other/name:latest"), references.keySet());
    reader.remove("other/name:latest");
    check.requireNoWaste();
    assertEquals(List.of(), reader.list());
  }

  /** Its own files cannot go while it has a name; the pulling thread alone takes that away. */
  private static void requireWhole(StoredModel model) {
    assertTrue(Files.exists(model.file()), () -> model.file() + " is missing");
  }

  @Test
  void aListThatMeetsARemovalLeavesNothing() throws Exception {
    Origin.Source split =
        origin.push("split", ModelArtifact.docker(origin.file(20_000), origin.file(30_000)));
    ModelStore store = origin.store(home);
    StoredModel pulled = store.pull(split.reference());
    Path links = pulled.file().getParent();
    for (Path each : ModelIndex.files(links)) {
      Files.delete(each);
    }
    Files.delete(links);
    StoreFolder root = new StoreFolder(home);
    StoreLocks locks = new StoreLocks(root);
    ModelIndex index = new ModelIndex(root, locks);
    Future<List<StoredModel>> list;
    try (StoreLocks.Held held = locks.store()) {
      list = threads.submit(store::list);
      assertThrows(TimeoutException.class, () -> list.get(500, TimeUnit.MILLISECONDS));
      assertTrue(index.remove(split.reference()));
      index.collect();
    }
    assertEquals(List.of(), list.get());
    check.requireNoWaste();
    // Where nobody removes it, it has its links again.
    assertTrue(Files.exists(store.pull(split.reference()).file()));
  }

  @Test
  void aListShowsWholeModelsOnly() throws Exception {
    Path shared = origin.file(200_000);
    Origin.Source one = origin.push("one", ModelArtifact.docker(shared));
    AtomicBoolean ends = new AtomicBoolean();
    Future<Integer> lists =
        threads.submit(
            () -> {
              ModelStore store = origin.store(home);
              int shown = 0;
              while (!ends.get()) {
                for (StoredModel each : store.list()) {
                  shown++;
                  assertEquals(one.digest(), each.id());
                  assertEquals(List.of(one.reference()), each.references());
                  assertEquals("Q4_1", each.quantization());
                }
              }
              return shown;
            });
    ModelStore store = origin.store(home);
    for (int i = 0; i < 30; i++) {
      store.pull(one.reference());
      store.remove(one.reference());
    }
    ends.set(true);
    assertTrue(lists.get() > 0);
  }

  @Test
  void aNewVersionTakesThePlaceOfAnOldOne() throws Exception {
    Path same = origin.file(300_000);
    origin.push("moves", ModelArtifact.docker(origin.file(400_000), same));
    String reference = origin.proxy.host() + "/moves:latest";
    ModelStore store = origin.store(home);
    String old = store.pull(reference).id();
    Origin.Source next = origin.push("moves", ModelArtifact.docker(origin.file(500_000), same));
    origin.proxy.reset();
    assertEquals(next.digest(), store.pull(reference).id());
    assertFalse(old.equals(next.digest()));
    assertEquals(0, origin.sent(next.layers().get(1).digest()));
    check.requireValid(origin.sources());
    check.requireNoWaste();
    Set<String> asked = new TreeSet<>();
    origin.proxy.exchanges().stream().map(Exchange::path).forEach(asked::add);
    assertEquals(3, asked.size(), () -> "manifest, config and one blob: " + asked);
  }
}
