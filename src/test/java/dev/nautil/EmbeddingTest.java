package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.internal.GgufBuilder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.Iterator;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Against llama.cpp's: {@code scripts/oracle/test_embeddings.py}. */
@Timeout(120)
class EmbeddingTest {
  private static final EmbeddingOptions STATES = Model.embeddingOptions().withoutNormalization();

  /** Takes several steps, more of them beside a session. */
  private static final String LONG = "the quick brown fox jumps over the lazy dog ".repeat(65);

  private static Model smolLm2;

  @TempDir Path folder;

  @BeforeAll
  static void open() {
    smolLm2 = Model.open(TestModels.smolLm2(), Model.options().contextSize(2000));
  }

  @AfterAll
  static void close() {
    smolLm2.close();
  }

  /** A random model whose tokens are the characters "!" to "~": each is a token. */
  private GgufBuilder characters() {
    return GgufBuilder.llama(94, 64)
        .string("tokenizer.ggml.model", "gpt2")
        .string("tokenizer.ggml.pre", "gpt-2")
        .strings(
            "tokenizer.ggml.tokens",
            IntStream.rangeClosed('!', '~').mapToObj(Character::toString).toArray(String[]::new))
        .strings("tokenizer.ggml.merges");
  }

  private Model open(GgufBuilder file) throws IOException {
    return Model.open(file.write(folder.resolve("characters.gguf")));
  }

  @Test
  void vectorsAreOfLengthOne() {
    float[] vector = smolLm2.embed("The cat sleeps.");
    assertEquals(smolLm2.describe().embedding(), vector.length);
    assertEquals(1, dot(vector, vector), 1e-6);
    float[] state = smolLm2.embed(List.of("The cat sleeps."), STATES).get(0);
    double length = Math.sqrt(dot(state, state));
    assertTrue(length > 2, "a state of length " + length);
    for (int i = 0; i < state.length; i++) {
      assertEquals(state[i] / length, vector[i], 1e-6);
    }
  }

  private static double dot(float[] a, float[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> (double) a[i] * b[i]).sum();
  }

  /** A token sees what is before it: the states of a text are the last ones of its beginnings. */
  @Test
  void poolsTheStatesOfTokens() throws IOException {
    String text = "Nautilus";
    try (Model model = open(characters())) {
      List<String> beginnings =
          IntStream.rangeClosed(1, text.length()).mapToObj(n -> text.substring(0, n)).toList();
      List<float[]> states = model.embed(beginnings, STATES.pooling(Pooling.LAST));
      double[] mean = new double[model.describe().embedding()];
      for (float[] state : states) {
        Arrays.setAll(mean, i -> mean[i] + state[i] / text.length());
      }
      assertClose(mean, model.embed(List.of(text), STATES.pooling(Pooling.MEAN)).get(0));
      assertClose(
          widen(states.get(0)), model.embed(List.of(text), STATES.pooling(Pooling.FIRST)).get(0));
    }
  }

  private static double[] widen(float[] values) {
    return IntStream.range(0, values.length).mapToDouble(i -> values[i]).toArray();
  }

  /** In F32, where the order of additions may depend on how many columns a product has. */
  private static void assertClose(double[] expected, float[] actual) {
    assertArrayEquals(expected, widen(actual), 1e-5);
  }

  @Test
  void theFileDecidesThePooling() throws IOException {
    for (Pooling pooling : Pooling.values()) {
      int type =
          switch (pooling) {
            case MEAN -> 1;
            case FIRST -> 2;
            case LAST -> 3;
          };
      assertPooledAs(pooling, characters().uint32("llama.pooling_type", type));
    }
    assertPooledAs(Pooling.MEAN, characters());
    assertPooledAs(Pooling.MEAN, characters().uint32("llama.pooling_type", 0));
    assertPooledAs(Pooling.MEAN, characters().uint32("llama.pooling_type", -1));
  }

  private void assertPooledAs(Pooling pooling, GgufBuilder file) throws IOException {
    try (Model model = open(file)) {
      EmbeddingOptions options = Model.embeddingOptions().pooling(pooling);
      assertArrayEquals(model.embed(List.of("abc"), options).get(0), model.embed("abc"));
    }
  }

  @Test
  void otherPoolingsAreRefused() throws IOException {
    for (int type : new int[] {4, 5, -2}) {
      try (Model model = open(characters().uint32("llama.pooling_type", type))) {
        UnsupportedModelException e =
            assertThrows(UnsupportedModelException.class, () -> model.embed("abc"));
        String value = Integer.toUnsignedString(type);
        assertTrue(e.getMessage().contains("llama.pooling_type is " + value), e.getMessage());
        model.embed(List.of("abc"), Model.embeddingOptions().pooling(Pooling.LAST));
      }
    }
  }

  @Test
  void companyChangesNothing() throws Exception {
    List<String> texts = new ArrayList<>(List.of("x", LONG, "Hello world", "The cat sleeps."));
    for (int i = 0; i < 20; i++) {
      texts.add("Text number " + i + ".".repeat(i));
    }
    List<float[]> alone = texts.stream().map(smolLm2::embed).toList();
    assertSame(alone, smolLm2.embed(texts));

    Session chat =
        smolLm2.newSession(Session.options().raw().sampling(Sampling.greedy()).maxTokens(150));
    String expected = chat.fork().send("Once upon a time").text();
    try (Reply.Stream stream = chat.stream("Once upon a time")) {
      Iterator<Event> events = stream.iterator();
      Event event = events.next();
      while (!(event instanceof Event.Text)) {
        event = events.next();
      }
      List<CompletableFuture<List<float[]>>> callers = new ArrayList<>();
      for (int i = 0; i < 2; i++) {
        callers.add(CompletableFuture.supplyAsync(() -> smolLm2.embed(texts)));
      }
      for (CompletableFuture<List<float[]>> caller : callers) {
        assertSame(alone, caller.get());
      }
      assertEquals(expected, stream.reply().text());
    }
  }

  private static void assertSame(List<float[]> expected, List<float[]> actual) {
    assertEquals(expected.size(), actual.size());
    for (int i = 0; i < expected.size(); i++) {
      assertArrayEquals(expected.get(i), actual.get(i));
    }
  }

  @Test
  void conversationsAreKept() {
    Session chat = smolLm2.newSession(Session.options().sampling(Sampling.greedy()).maxTokens(2));
    chat.send("Hello");
    smolLm2.embed(Collections.nCopies(40, "The cat sleeps."));
    assertTrue(chat.send("And now?").usage().cachedTokens() > 20);
  }

  @Test
  void embeddingSkipsTheOutputHead() {
    long before = calls("logits");
    long passes = calls("embedding");
    smolLm2.embed("The cat sleeps.");
    assertEquals(before, calls("logits"));
    assertEquals(passes + 1, calls("embedding"));
  }

  private static long calls(String operation) {
    return smolLm2.profile().stream()
        .filter(p -> p.name().equals(operation))
        .mapToLong(OperationProfile::calls)
        .sum();
  }

  @Test
  void namesTheTextThatCannotBeEmbedded() throws IOException {
    assertEquals("the text is empty", refused(smolLm2, ""));
    assertEquals("text 1 is empty", refused(smolLm2, "a", ""));
    assertTrue(smolLm2.embed(List.of()).isEmpty());
    try (Model model = open(characters())) {
      String fits = "a".repeat(64);
      ContextFullException full =
          assertThrows(ContextFullException.class, () -> model.embed(List.of(fits, fits + "bc")));
      assertTrue(
          full.getMessage().startsWith("text 1 has 66 tokens; the context has room for 64"),
          full.getMessage());
      assertEquals(66, full.wanted());
      assertEquals(64, full.capacity());
      // Sums of 64 floats, in an order that depends on the steps in which the text is read.
      assertArrayEquals(
          model.embed(fits),
          model.embed(List.of(fits + "bc"), Model.embeddingOptions().truncate()).get(0),
          64 * Math.ulp(1f));
    }
  }

  private static String refused(Model model, String... texts) {
    return assertThrows(IllegalArgumentException.class, () -> model.embed(List.of(texts)))
        .getMessage();
  }

  @Test
  void nothingBeginsAfterClose() throws Exception {
    Model model = Model.open(TestModels.smolLm2());
    CompletableFuture<List<float[]>> running =
        CompletableFuture.supplyAsync(() -> model.embed(Collections.nCopies(100, LONG)));
    Thread.sleep(300);
    model.close();
    ExecutionException e = assertThrows(ExecutionException.class, running::get);
    assertInstanceOf(IllegalStateException.class, e.getCause());
    assertThrows(IllegalStateException.class, () -> model.embed("x"));
  }

  @Test
  void anInterruptedThreadStops() throws Exception {
    CompletableFuture<Throwable> thrown = new CompletableFuture<>();
    CompletableFuture<Boolean> interrupted = new CompletableFuture<>();
    Thread thread =
        new Thread(
            () -> {
              try {
                smolLm2.embed(Collections.nCopies(1000, LONG));
                thrown.complete(null);
              } catch (Throwable e) {
                thrown.complete(e);
              }
              interrupted.complete(Thread.currentThread().isInterrupted());
            });
    thread.start();
    Thread.sleep(200);
    thread.interrupt();
    assertInstanceOf(CancelledException.class, thrown.get());
    assertTrue(interrupted.get());
    assertEquals(576, smolLm2.embed("The cat sleeps.").length);
  }
}
