package dev.nautil.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import dev.nautil.ModelStore;
import dev.nautil.PullProgress;
import dev.nautil.StoredModel;
import dev.nautil.registry.Digest;
import dev.nautil.registry.ModelArtifact;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Docker's store and Hugging Face's cache: used, and never written to. */
class OtherStoresTest {
  private static final int SIZE = 600_000;
  private static final String COMMIT = "0123456789abcdef0123456789abcdef01234567";

  @TempDir static Path folder;
  private static Origin origin;
  private static Path weights;
  private static Origin.Source model;
  private static int number;

  private Path home;
  private Path theirs;

  @BeforeAll
  static void start() throws IOException {
    origin = new Origin(folder);
    weights = origin.file(SIZE);
    model =
        origin.push(
            "theirs",
            ModelArtifact.docker(weights).layer(origin.file(1000), ModelArtifact.DOCKER_LICENSE));
  }

  @AfterAll
  static void stop() {
    origin.close();
  }

  @BeforeEach
  void begin() {
    home = folder.resolve("home-" + number);
    theirs = folder.resolve("theirs-" + number++);
    origin.proxy.reset();
  }

  @AfterEach
  void end() throws IOException {
    if (Files.exists(theirs)) {
      try (Stream<Path> all = Files.walk(theirs)) {
        for (Path each : all.sorted(Comparator.reverseOrder()).toList()) {
          Files.delete(each);
        }
      }
    }
  }

  private ModelStore store(Map<String, String> settings) {
    Map<String, String> environment = new HashMap<>(origin.environment(home));
    environment.putAll(settings);
    return ModelStore.open(environment);
  }

  private ModelStore besideDocker() {
    return store(Map.of("MODELS_PATH", theirs.toString()));
  }

  /** Docker Model Runner's layout, from what our own pull of a model brought. */
  private void dockerHasIt(String tag) throws IOException {
    Path source = folder.resolve("source-" + number);
    origin.store(source).pull(model.reference());
    origin.proxy.reset();
    Path manifest = source.resolve("manifests/sha256").resolve(model.digest().substring(7));
    Path manifests = Files.createDirectories(theirs.resolve("manifests/sha256"));
    Files.copy(manifest, manifests.resolve(manifest.getFileName()));
    Path blobs = Files.createDirectories(theirs.resolve("blobs/sha256"));
    JsonNode json = new JsonMapper().readTree(Files.readAllBytes(manifest));
    copy(source, blobs, json.get("config"));
    json.get("layers").forEach(each -> copy(source, blobs, each));
    Files.writeString(theirs.resolve("layout.json"), "{\"version\":\"1.0.0\"}");
    Files.writeString(
        theirs.resolve("models.json"),
        "{\"models\":[{\"id\":\"%s\",\"tags\":[\"%s\"],\"files\":[]}]}"
            .formatted(model.digest(), tag));
  }

  private static void copy(Path source, Path blobs, JsonNode descriptor) {
    String hex = descriptor.get("digest").textValue().substring(7);
    try {
      Files.copy(source.resolve("blobs/sha256").resolve(hex), blobs.resolve(hex));
    } catch (IOException e) {
      throw new AssertionError(e);
    }
  }

  /** Every file and folder, when it was changed, and what it holds. */
  private static Map<String, String> state(Path root) throws IOException {
    Map<String, String> state = new TreeMap<>();
    try (Stream<Path> all = Files.walk(root)) {
      for (Path each : all.toList()) {
        String content =
            Files.isRegularFile(each) ? StoreCheck.sha256(Files.readAllBytes(each)) : "";
        state.put(each.toString(), Files.getLastModifiedTime(each) + " " + content);
      }
    }
    return state;
  }

  private Path theirWeights() {
    return theirs.resolve("blobs/sha256").resolve(model.weights().substring(7));
  }

  private long sent() {
    return origin.sent(model.weights());
  }

  @Test
  void whatDockerHasIsNotFetched() throws IOException {
    dockerHasIt("other/tag:latest");
    Map<String, String> before = state(theirs);
    ModelStore store = besideDocker();
    StoredModel pulled = store.pull(model.reference());
    assertEquals(0, sent());
    assertTrue(Files.isSameFile(theirWeights(), pulled.file()), "it is a copy");
    assertEquals(List.of(), store.verify(progress -> {}));
    assertEquals(SIZE + 1000, store.diskUsage().sharedBytes());
    assertEquals(model.size() - SIZE - 1000, store.diskUsage().modelBytes());
    store.remove(model.reference());
    new StoreCheck(home).requireNoWaste();
    assertEquals(before, state(theirs));
  }

  @Test
  void whatDockerHasUnderTheTagOpensWithoutTheRegistry() throws IOException {
    dockerHasIt(model.reference());
    Map<String, String> before = state(theirs);
    StoredModel found = besideDocker().find(model.reference()).orElseThrow();
    assertEquals(model.digest(), found.id());
    assertEquals("Q4_1", found.quantization());
    assertEquals(List.of(), origin.proxy.exchanges());
    assertEquals(before, state(theirs));
    new StoreCheck(home).requireValid(origin.sources());
    new StoreCheck(home).requireNoWaste();
    // From then on it is ours: Docker may remove it.
    Files.delete(theirWeights());
    assertTrue(besideDocker().find(model.reference()).isPresent());
    assertEquals(1000, besideDocker().diskUsage().sharedBytes());
    assertEquals(model.size() - 1000, besideDocker().diskUsage().modelBytes());
    assertEquals(-1, Files.mismatch(weights, found.file()));
  }

  @Test
  void whoTakesItIsToldHowFarItIs() throws IOException {
    dockerHasIt(model.reference());
    List<PullProgress> told = new ArrayList<>();
    besideDocker().get(model.reference(), ModelStore.pullOptions().onProgress(told::add));
    assertEquals(List.of(), origin.proxy.exchanges());
    PullProgress last = told.get(told.size() - 1);
    assertEquals(model.size(), last.total());
    assertEquals(model.size(), last.done());
    assertEquals(
        EnumSet.allOf(PullProgress.Kind.class),
        last.layers().stream().map(PullProgress.Layer::kind).collect(Collectors.toSet()));
    told.clear();
    besideDocker().get(model.reference(), ModelStore.pullOptions().onProgress(told::add));
    assertEquals(List.of(), told);
  }

  @Test
  void aFileOfDockersThatCannotBeReadIsFetched() throws IOException {
    // It has this size, and its reading is refused: what no permissions do to who may do all.
    Path unreadable = Path.of("/sys/class/net/lo/speed");
    assumeTrue(Files.isRegularFile(unreadable), "no such file");
    assertThrows(IOException.class, () -> Files.readAllBytes(unreadable));
    int size = Math.toIntExact(Files.size(unreadable));
    Origin.Source odd = origin.push("odd", ModelArtifact.docker(origin.file(size)));
    Path blobs = Files.createDirectories(theirs.resolve("blobs/sha256"));
    Files.createSymbolicLink(blobs.resolve(odd.weights().substring(7)), unreadable);
    ModelStore store = besideDocker();
    store.pull(odd.reference());
    assertEquals(size, origin.sent(odd.weights()));

    // And of our own: it is reported, and the rest is verified.
    Path blob = home.resolve("blobs/sha256").resolve(odd.weights().substring(7));
    Files.delete(blob);
    Files.createSymbolicLink(blob, unreadable);
    List<ModelStore.Damage> damages = store.verify(progress -> {});
    assertEquals(1, damages.size());
    assertEquals(List.of(odd.reference()), damages.get(0).references());
    assertTrue(damages.get(0).reason().startsWith("cannot be read: "), damages::toString);
    Files.delete(blob);
  }

  @Test
  void whoFindsItWhileAnotherTakesItWaits() throws Exception {
    dockerHasIt(model.reference());
    ExecutorService threads = Executors.newCachedThreadPool();
    List<Future<Optional<StoredModel>>> finds = new ArrayList<>();
    StoreLocks locks = new StoreLocks(new StoreFolder(home));
    try (StoreLocks.Held held = locks.blob(Digest.parse(model.weights()))) {
      for (int i = 0; i < 4; i++) {
        finds.add(threads.submit(() -> besideDocker().find(model.reference())));
      }
      assertThrows(TimeoutException.class, () -> finds.get(0).get(500, TimeUnit.MILLISECONDS));
    }
    for (Future<Optional<StoredModel>> each : finds) {
      assertTrue(each.get().isPresent());
    }
    threads.shutdown();
    assertEquals(List.of(), origin.proxy.exchanges());
    new StoreCheck(home).requireNoWaste();
  }

  @Test
  void whatCannotBeReadIsNotThere() throws IOException {
    Path file = Files.writeString(folder.resolve("no-folder"), "");
    ModelStore store =
        store(Map.of("MODELS_PATH", file.toString(), "HF_HUB_CACHE", file.toString()));
    assertFalse(store.find("hf.co/org/repo-GGUF").isPresent());
    assertFalse(store.find(model.reference()).isPresent());
    store.pull(model.reference());
    assertEquals(SIZE, sent());
  }

  @Test
  void aDamagedFileOfDockersIsFetchedAndLeftAsItIs() throws IOException {
    dockerHasIt(model.reference());
    byte[] bytes = Files.readAllBytes(theirWeights());
    bytes[SIZE / 2] ^= 4;
    Files.write(theirWeights(), bytes);
    Map<String, String> before = state(theirs);
    ModelStore store = besideDocker();
    assertFalse(store.find(model.reference()).isPresent());
    assertEquals(0, store.diskUsage().partialBytes());
    store.pull(model.reference());
    assertEquals(SIZE, sent());
    assertEquals(before, state(theirs));
    new StoreCheck(home).requireValid(origin.sources());
  }

  @Test
  void aFileThatIsDamagedLaterIsFetched() throws IOException {
    dockerHasIt(model.reference());
    ModelStore store = besideDocker();
    store.pull(model.reference());
    assertEquals(0, sent());
    // One file with two names.
    byte[] bytes = Files.readAllBytes(theirWeights());
    bytes[SIZE / 2] ^= 4;
    Files.write(theirWeights(), bytes);
    assertEquals(1, store.verify(progress -> {}).size());
    assertEquals(0, store.list().size());
    store.pull(model.reference());
    assertEquals(SIZE, sent());
    assertEquals(List.of(), store.verify(progress -> {}));
  }

  @Test
  void theManifestIsDamagedOrTheIndexNoJson() throws IOException {
    dockerHasIt(model.reference());
    Files.writeString(
        theirs.resolve("manifests/sha256").resolve(model.digest().substring(7)), "{}");
    assertFalse(besideDocker().find(model.reference()).isPresent());
    Files.writeString(theirs.resolve("models.json"), "{");
    assertFalse(besideDocker().find(model.reference()).isPresent());
    besideDocker().pull(model.reference());
    assertEquals(0, sent());
  }

  @Test
  void onAnotherFileSystemItIsUsedWhereItIs() throws IOException {
    Path memory = Path.of("/dev/shm");
    assumeTrue(Files.isWritable(memory), "no file system in memory");
    assumeTrue(!Files.getFileStore(memory).equals(Files.getFileStore(folder)), "the same one");
    theirs = Files.createTempDirectory(memory, "nautil-");
    dockerHasIt("other/tag:latest");
    Map<String, String> before = state(theirs);
    ModelStore store = besideDocker();
    StoredModel pulled = store.pull(model.reference());
    assertEquals(0, sent());
    assertTrue(Files.isSameFile(theirWeights(), pulled.file()), "it is a copy");
    assertEquals(SIZE + 1000, store.diskUsage().sharedBytes());
    new StoreCheck(home).requireValid(origin.sources());
    assertEquals(List.of(), store.verify(progress -> {}));
    store.pull(model.reference());
    assertEquals(0, sent());
    store.remove(model.reference());
    new StoreCheck(home).requireNoWaste();
    assertEquals(before, state(theirs));

    store.pull(model.reference());
    Files.delete(theirWeights());
    assertEquals(0, store.list().size());
    assertEquals(
        List.of("is missing"),
        store.verify(progress -> {}).stream().map(ModelStore.Damage::reason).toList());
    store.pull(model.reference());
    assertEquals(SIZE, sent());
    new StoreCheck(home).requireValid(origin.sources());
  }

  /** As huggingface_hub lays it out: content by its digest, and links to it by name. */
  private Path huggingFaceHas(String... names) throws IOException {
    Path repository = theirs.resolve("hub/models--org--repo-GGUF");
    Path blobs = Files.createDirectories(repository.resolve("blobs"));
    Path snapshot = Files.createDirectories(repository.resolve("snapshots").resolve(COMMIT));
    Files.createDirectories(repository.resolve("refs"));
    Files.writeString(repository.resolve("refs/main"), COMMIT);
    // Small files have a SHA-1 for a name there.
    Path readme = Files.writeString(blobs.resolve("a".repeat(40)), "# repo");
    Files.createSymbolicLink(snapshot.resolve("README.md"), snapshot.relativize(readme));
    for (int i = 0; i < names.length; i++) {
      Path file = i == 0 ? weights : origin.file(50_000 + i);
      Path blob = blobs.resolve(StoreCheck.sha256(Files.readAllBytes(file)));
      Files.copy(file, blob);
      Path link = snapshot.resolve(names[i]);
      Files.createDirectories(link.getParent());
      Files.createSymbolicLink(link, link.getParent().relativize(blob));
    }
    return blobs;
  }

  private ModelStore besideHuggingFace() {
    return store(Map.of("HF_HOME", theirs.toString()));
  }

  @Test
  void whatHuggingFaceHasIsNotFetchedFromARegistry() throws IOException {
    huggingFaceHas("model-Q8_0.gguf");
    Map<String, String> before = state(theirs);
    besideHuggingFace().pull(model.reference());
    assertEquals(0, sent());
    assertEquals(before, state(theirs));
    origin.proxy.reset();
    home = home.resolveSibling("second-" + home.getFileName());
    store(Map.of("HF_HUB_CACHE", theirs.resolve("hub").toString())).pull(model.reference());
    assertEquals(0, sent());
  }

  @Test
  void whatHuggingFaceHasOpensWithoutItsServer() throws IOException {
    huggingFaceHas("model-Q4_K_M.gguf", "model-Q8_0.gguf", "mmproj-model-Q4_K_M.gguf");
    Map<String, String> before = state(theirs);
    ModelStore store = besideHuggingFace();
    StoredModel found = store.find("hf.co/org/repo-GGUF").orElseThrow();
    assertEquals("Q4_K_M", found.quantization());
    assertEquals(-1, Files.mismatch(weights, found.file()));
    assertEquals("Q8_0", store.find("hf.co/org/repo-GGUF:Q8_0").orElseThrow().quantization());
    assertTrue(store.find("hf.co/org/repo-GGUF/model-Q8_0.gguf").isPresent());
    assertFalse(store.find("hf.co/org/repo-GGUF:Q2_K").isPresent());
    assertFalse(store.find("hf.co/org/other").isPresent());
    assertEquals(before, state(theirs));
    new StoreCheck(home).requireValid(origin.sources());
  }

  @Test
  void aSplitModelOfHuggingFaceNeedsAllItsParts() throws IOException {
    Path blobs =
        huggingFaceHas(
            "Q4_K_M/m-Q4_K_M-00001-of-00002.gguf", "Q4_K_M/m-Q4_K_M-00002-of-00002.gguf");
    StoredModel found = besideHuggingFace().find("hf.co/org/repo-GGUF").orElseThrow();
    assertEquals("model-00001-of-00002.gguf", found.file().getFileName().toString());
    assertEquals(-1, Files.mismatch(weights, found.file()));
    assertEquals(50_001, Files.size(found.file().resolveSibling("model-00002-of-00002.gguf")));

    home = home.resolveSibling("second-" + home.getFileName());
    Files.delete(blobs.resolve(model.weights().substring(7)));
    assertFalse(besideHuggingFace().find("hf.co/org/repo-GGUF").isPresent());
  }
}
