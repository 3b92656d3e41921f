package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.engine.Engine;
import dev.nautil.internal.Native;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;

@Timeout(120)
class ModelTest {
  private static final Path TINY = TestModels.path("tiny-Q8_0.gguf");
  private static final SessionOptions RAW = Session.options().raw().sampling(Sampling.greedy());

  @Test
  void describes() {
    try (Model model =
        Model.open(TestModels.smolLm2(), Model.options().contextSize(1000).threads(2))) {
      ModelDescription d = model.describe();
      assertEquals("llama", d.architecture());
      assertEquals("Q4_1", d.quantization());
      assertEquals(134_515_008, d.parameters());
      assertEquals(49_152, d.vocabulary());
      assertEquals(30, d.layers());
      assertEquals(576, d.embedding());
      assertEquals(9, d.heads());
      assertEquals(3, d.kvHeads());
      assertEquals(8192, d.trainedContext());
      assertEquals(1000, d.contextSize());
      assertEquals(2 * 30 * 3 * 64 * 2, d.kvBytesPerToken());
      assertEquals(2, d.threads());
      assertTrue(d.hasChatTemplate());
    }
  }

  @Test
  void keepsKeysAndValuesAsAsked() {
    try (Model f16 = Model.open(TestModels.smolLm2());
        Model q8 =
            Model.open(TestModels.smolLm2(), Model.options().kvCacheType(KvCacheType.Q8_0))) {
      assertEquals(KvCacheType.F16, f16.describe().kvCacheType());
      assertEquals(KvCacheType.Q8_0, q8.describe().kvCacheType());
      assertEquals(2 * 30 * 3 * 64 / 32 * 34, q8.describe().kvBytesPerToken());
      String prompt = "The capital of France is";
      assertEquals(
          f16.newSession(RAW.maxTokens(1)).send(prompt).text(),
          q8.newSession(RAW.maxTokens(1)).send(prompt).text());
    }
  }

  @Test
  void namesWhatMustNotBeNull() {
    assertNull("path", () -> Model.open((Path) null));
    assertNull("options", () -> Model.open(TINY, null));
    assertNull("type", () -> Model.options().kvCacheType(null));
    assertNull("text", () -> new Event.Text(null));
    assertNull("reply", () -> new Event.Done(null));
    assertNull("schema", () -> Constraint.jsonSchema(null));
    assertNull("pattern", () -> Constraint.regex(null));
    assertNull("grammar", () -> Constraint.gbnf(null));
    assertNull("type", () -> Constraint.json(null));
    try (Model model = Model.open(TINY)) {
      assertNull("options", () -> model.newSession(null));
      assertNull("text", () -> model.countTokens(null));
      assertNull("text", () -> model.newSession(RAW).send(null));
    }
  }

  private static void assertNull(String name, Executable call) {
    assertEquals(name, assertThrows(NullPointerException.class, call).getMessage());
  }

  @Test
  void nothingBeginsAfterClose() {
    Model model = Model.open(TINY);
    Session session = model.newSession(RAW);
    model.close();
    assertThrows(IllegalStateException.class, () -> session.send("x"));
    assertThrows(IllegalStateException.class, () -> model.newSession(RAW));
    assertThrows(IllegalStateException.class, () -> model.countTokens("x"));
    assertEquals("llama", model.describe().architecture());
  }

  @Test
  @EnabledOnOs(OS.LINUX)
  void modelsShareThreads() throws IOException {
    ModelOptions five = Model.options().threads(5);
    try (Model first = Model.open(TINY, five)) {
      first.newSession(RAW.maxTokens(1)).send("x");
      long before = workers();
      assertTrue(before >= 4);
      try (Model second = Model.open(TINY, five)) {
        second.newSession(RAW.maxTokens(1)).send("x");
        assertEquals(before, workers());
      }
      // The second model's end leaves the first one its threads.
      first.newSession(RAW.maxTokens(1)).send("x");
      assertEquals(before, workers());
    }
  }

  private static long workers() throws IOException {
    try (Stream<Path> tasks = Files.list(Path.of("/proc/self/task"))) {
      return tasks.filter(ModelTest::isWorker).count();
    }
  }

  private static boolean isWorker(Path task) {
    try {
      return Files.readString(task.resolve("comm")).startsWith("nautil-worker");
    } catch (IOException e) {
      return false; // it has ended
    }
  }

  @Test
  void idleModelTakesNoProcessorTime() throws InterruptedException {
    try (Model model = Model.open(TINY)) {
      model.newSession(RAW.maxTokens(1)).send("x");
      Thread engine =
          Thread.getAllStackTraces().keySet().stream()
              .filter(thread -> thread.getName().equals("nautil-engine"))
              .findFirst()
              .orElseThrow();
      ThreadMXBean threads = ManagementFactory.getThreadMXBean();
      Thread.sleep(100);
      long before = threads.getThreadCpuTime(engine.getId());
      Thread.sleep(500);
      assertTrue(threads.getThreadCpuTime(engine.getId()) - before < 500_000, "more than 0.1 %");
    }
  }

  @Test
  void profileCountsWhatPassesNeed() {
    try (Model model = Model.open(TestModels.smolLm2())) {
      model.newSession(RAW.maxTokens(3)).send("One two three");
      Map<String, OperationProfile> profile =
          model.profile().stream().collect(Collectors.toMap(OperationProfile::name, p -> p));
      OperationProfile attention = profile.get("attention");
      long passes = attention.calls() / 30;
      assertEquals(passes * 30, attention.calls());
      assertEquals(passes, profile.get("logits").calls());
      // Gate and up: 576 · 1536 values of Q4_1 each, 20 bytes for 32 values.
      OperationProfile gateUp = profile.get("gate up");
      assertEquals(passes * 30 * 2 * 576 * 1536 * 20 / 32, gateUp.bytes());
      assertEquals(0, gateUp.multiplyAdds() % (30 * 2 * 576 * 1536));
      assertTrue(gateUp.time().toNanos() > 0);
    }
  }

  @Test
  void contextIsTheModelsOwnUnlessMemoryIsShort() {
    try (Model model = Model.open(TestModels.smolLm2())) {
      assertEquals(8192, model.describe().contextSize());
    }
  }

  @Test
  void contextMustFitIntoMemory() {
    NotEnoughMemoryException e =
        assertThrows(
            NotEnoughMemoryException.class,
            () -> Model.open(TestModels.smolLm2(), Model.options().contextSize(1 << 30)));
    // 2 · 30 layers · 3 heads · 64 · 2 bytes a token.
    assertTrue(
        e.getMessage()
            .matches(
                ".*SmolLM2-135M-Instruct\\.Q4_1\\.gguf takes 92\\.1 MiB of weights, 23040\\.00 GiB of"
                    + " KV cache for 1,073,741,824 tokens and [\\d.]+ GiB of working memory; there"
                    + " are [\\d.]+ GiB of memory, of which [\\d.]+ GiB are available\\. Use a smaller"
                    + " context \\(ModelOptions\\.contextSize, --ctx-size: up to \\d+ tokens fit\\),"
                    + " KvCacheType\\.Q8_0 .* or a file of a smaller quantisation; .*"
                    + "ModelOptions\\.allowOvercommit.*"),
        e.getMessage());
    ModelOptions told = Model.options().contextSize(1 << 30).allowOvercommit();
    try (Model model = Model.open(TestModels.smolLm2(), told)) {
      assertEquals(1 << 30, model.describe().contextSize());
      assertEquals(3, model.newSession(RAW.maxTokens(3)).send("a").usage().replyTokens());
    }
  }

  @Test
  void whatDoesNotFitIsNotRead() {
    List<ModelOptions.LoadProgress> told = new ArrayList<>();
    ModelOptions options = Model.options().contextSize(1 << 30).onProgress(told::add);
    for (ModelOptions each : List.of(options, options.copyIntoMemory())) {
      assertThrows(NotEnoughMemoryException.class, () -> Model.open(TestModels.smolLm2(), each));
    }
    assertEquals(List.of(), told);
  }

  @Test
  void refusesWhatIsNoModel(@TempDir Path folder) throws IOException {
    Path missing = folder.resolve("missing.gguf");
    ModelFileException noFile = assertThrows(ModelFileException.class, () -> Model.open(missing));
    assertTrue(noFile.getMessage().contains("missing.gguf"), noFile.getMessage());

    Path text = Files.writeString(folder.resolve("text.gguf"), "This is no model.");
    GgufException malformed = assertThrows(GgufException.class, () -> Model.open(text));
    assertEquals(text, malformed.file());
    assertEquals(0, malformed.offset());

    UnsupportedModelException other =
        assertThrows(
            UnsupportedModelException.class,
            () -> Model.open(TestModels.path("bad-architecture.gguf")));
    assertTrue(other.getMessage().contains("Supported: \"llama\""), other.getMessage());
  }

  @Test
  void readsTheFileWithProgress() {
    List<ModelOptions.LoadProgress> told = new ArrayList<>();
    try (Model model = Model.open(TestModels.smolLm2(), Model.options().onProgress(told::add))) {
      long size = model.describe().fileBytes();
      assertEquals(new ModelOptions.LoadProgress(size, size), told.get(told.size() - 1));
      for (int i = 1; i < told.size(); i++) {
        assertTrue(told.get(i).done() > told.get(i - 1).done());
      }
    }
    assertThrows(
        ArithmeticException.class,
        () ->
            Model.open(
                TINY,
                Model.options()
                    .onProgress(
                        progress -> {
                          throw new ArithmeticException();
                        })));
  }

  @Test
  void aCopyDoesNotNeedTheFile(@TempDir Path folder) throws IOException {
    Path file = Files.copy(TINY, folder.resolve("model.gguf"));
    try (Model model = Model.open(file, Model.options().copyIntoMemory())) {
      Files.write(file, new byte[0]);
      assertEquals(5, model.newSession(RAW.maxTokens(5)).send("a").usage().replyTokens());
    }
  }

  @Test
  void closesOnceAndForGood() {
    Model model = Model.open(TINY);
    Session session = model.newSession(RAW.maxTokens(3));
    session.send("a");
    model.close();
    model.close();
    IllegalStateException closed =
        assertThrows(IllegalStateException.class, () -> session.send("b"));
    assertEquals("this model is closed", closed.getMessage());
    assertEquals("llama", model.describe().architecture());
  }

  @Test
  void closesWhileItGenerates() throws Exception {
    for (int i = 0; i < 20; i++) {
      Model model = Model.open(TINY);
      Session session = model.newSession(RAW);
      CompletableFuture<Reply> reply = CompletableFuture.supplyAsync(() -> session.send("a"));
      Thread.sleep(i * 3L);
      model.close();
      ExecutionException failure = assertThrows(ExecutionException.class, reply::get);
      assertInstanceOf(IllegalStateException.class, failure.getCause());
    }
  }

  @Test
  void opensAndClosesAThousandTimes() throws Exception {
    String output = runProgram(OpensAndCloses.class, "-Xmx64m", "-XX:+UseSerialGC");
    long growth = Long.parseLong(output.strip());
    // The compiler's and the allocator's own growth is about 10 MB; a leak of a model's smallest
    // native parts, its buffers or a page of its KV cache, would come to 90 MB.
    assertTrue(growth < 40 << 20, "grew by " + growth);
  }

  /** A program that prints by how much 700 more models make it grow. */
  static final class OpensAndCloses {
    private OpensAndCloses() {}

    public static void main(String[] args) {
      openAndClose(args[0], 300);
      long before = Native.anonymousMemory();
      openAndClose(args[0], 700);
      System.out.println(Native.anonymousMemory() - before);
    }

    private static void openAndClose(String file, int times) {
      for (int i = 0; i < times; i++) {
        try (Model model = Model.open(Path.of(file), Model.options().contextSize(256))) {
          model.newSession(RAW.maxTokens(2)).send("a");
        }
      }
    }
  }

  @Test
  void sessionsThatAreLeftGiveTheirMemoryBack() throws Exception {
    // The second compiler alone would make it grow by up to 25 MB, without it it is less than 4.
    String output =
        runProgram(LeavesSessions.class, "-Xmx48m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1");
    long growth = Long.parseLong(output.strip());
    // The keys and values of 2,000 conversations would come to 200 MB, their texts to as much.
    assertTrue(growth < 10 << 20, "grew by " + growth);
  }

  /** A program that leaves 2,000 sessions, half of them in the middle of a reply. */
  static final class LeavesSessions {
    private LeavesSessions() {}

    public static void main(String[] args) {
      try (Model model = Model.open(Path.of(args[0]), Model.options().contextSize(256))) {
        leave(model, 0, 300);
        long before = Native.anonymousMemory();
        leave(model, 300, 2000);
        System.out.println(Native.anonymousMemory() - before);
      }
    }

    private static void leave(Model model, int first, int n) {
      for (int i = first; i < first + n; i++) {
        Session session = model.newSession(RAW.maxTokens(3));
        String prompt = i + " " + "abcdefgh ".repeat(20);
        if (i % 2 == 0) {
          session.send(prompt);
        } else {
          session.stream(prompt).iterator().next();
        }
      }
    }
  }

  @Test
  void dropsWithoutClosing() throws InterruptedException {
    for (int i = 0; i < 50; i++) {
      Model.open(TINY).newSession(RAW.maxTokens(2)).send("a");
    }
    for (int i = 0; engineThreads() > 0 && i < 100; i++) {
      System.gc();
      Thread.sleep(50);
    }
    assertEquals(0, engineThreads());
  }

  @Test
  void anOpenModelDoesNotKeepTheProcess() throws Exception {
    assertEquals("main returns\n", runProgram(LeavesItOpen.class));
  }

  /** What a program prints, which gets a small model's path. */
  private static String runProgram(Class<?> main, String... options) throws Exception {
    List<String> arguments = new ArrayList<>(List.of(options));
    arguments.addAll(List.of(main.getName(), TINY.toString()));
    Process process = JavaProcess.of(arguments).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(process.waitFor(20, TimeUnit.SECONDS));
    assertEquals(0, process.exitValue(), output);
    return output;
  }

  /** A program that ends without closing its model, while a session still generates. */
  static final class LeavesItOpen {
    private LeavesItOpen() {}

    public static void main(String[] args) {
      Session session = Model.open(Path.of(args[0])).newSession(RAW);
      session.stream("a").iterator().next();
      System.out.println("main returns");
    }
  }

  @Test
  void modelsShareAProcess() {
    try (Model a = Model.open(TINY);
        Model b = Model.open(TINY)) {
      Reply first = a.newSession(RAW.maxTokens(8)).send("abc");
      assertEquals(first.text(), b.newSession(RAW.maxTokens(8)).send("abc").text());
      a.close();
      assertEquals(first.text(), b.newSession(RAW.maxTokens(8)).send("abc").text());
    }
  }

  @Test
  void countsTokens() {
    try (Model model = Model.open(TestModels.smolLm2())) {
      assertEquals(0, model.countTokens(""));
      assertEquals(2, model.countTokens("Hello world"));
      assertTrue(model.countTokens("<|im_end|>") > 1, "typed markers are text");
      String half = "a \ud83d";
      for (Executable call :
          List.<Executable>of(
              () -> model.countTokens(half), () -> model.score(half), () -> model.embed(half))) {
        assertEquals(2, assertThrows(MalformedTextException.class, call).index());
      }
    }
  }

  record City(String name) {}

  /** What its tools did cannot be taken back. */
  @Test
  void aTurnThatWasBegunIsNotRefused() {
    ModelOptions none = Model.options().contextSize(512).maxWaiting(0);
    try (Model model = Model.open(TestModels.smolLm2(), none)) {
      List<Reply.Stream> others = new ArrayList<>();
      Tool tool =
          Tool.of(
              "visit",
              "",
              City.class,
              city -> {
                while (others.size() < Engine.PLACES) {
                  others.add(model.newSession(RAW.maxTokens(20)).stream("x"));
                }
                return "done";
              });
      Session session =
          model.newSession(
              Session.options()
                  .tools(Tools.of(tool))
                  .toolChoice(ToolChoice.named("visit"))
                  .maxToolRounds(1)
                  .maxTokens(60)
                  .sampling(Sampling.greedy()));
      session.send("Visit Oslo.");
      assertEquals(Engine.PLACES, others.size());
      assertEquals(4, session.history().size());
      others.forEach(Reply.Stream::close);
    }
  }

  @Test
  void refusesMoreThanMayWait() {
    try (Model model = Model.open(TINY, Model.options().maxWaiting(3))) {
      List<Reply.Stream> streams = new ArrayList<>();
      for (int i = 0; i < Engine.PLACES + 3; i++) {
        streams.add(model.newSession(RAW).stream("x"));
      }
      Session refused = model.newSession(RAW.maxTokens(2));
      BusyException busy = assertThrows(BusyException.class, () -> refused.send("y"));
      assertEquals(3, busy.waiting());
      assertEquals(3, busy.limit());
      assertEquals(List.of(), refused.history());
      streams.get(streams.size() - 1).close();
      streams.get(0).close();
      assertEquals(2, refused.send("y").usage().replyTokens());
      streams.forEach(Reply.Stream::close);
    }
  }

  private static long engineThreads() {
    return Thread.getAllStackTraces().keySet().stream()
        .filter(thread -> thread.getName().equals("nautil-engine"))
        .count();
  }

  @Test
  void optionsRefuseWhatMakesNoSense() {
    assertThrows(IllegalArgumentException.class, () -> Model.options().contextSize(-1));
    assertThrows(IllegalArgumentException.class, () -> Model.options().threads(-1));
    assertThrows(IllegalArgumentException.class, () -> Model.options().maxWaiting(-1));
    assertEquals(1024, Model.options().maxWaiting());
    assertThrows(IllegalArgumentException.class, () -> Session.options().maxTokens(-1));
    assertThrows(IllegalArgumentException.class, () -> Session.options().system("x").raw());
    assertThrows(IllegalArgumentException.class, () -> Sampling.defaults().withTemperature(-1));
    assertThrows(
        IllegalArgumentException.class, () -> Sampling.defaults().withTemperature(Float.NaN));
    assertThrows(IllegalArgumentException.class, () -> Sampling.defaults().withTopP(0));
    assertThrows(IllegalArgumentException.class, () -> Sampling.defaults().withTopK(-1));
    assertThrows(IllegalArgumentException.class, () -> Sampling.defaults().withMinP(2));
    assertFalse(Session.options().isRaw());
  }
}
