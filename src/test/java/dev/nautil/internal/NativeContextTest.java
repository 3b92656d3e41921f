package dev.nautil.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.CancelledException;
import dev.nautil.ContextFullException;
import dev.nautil.KvCacheType;
import dev.nautil.Sampling;
import dev.nautil.UnsupportedModelException;
import java.io.IOException;
import java.nio.LongBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
class NativeContextTest {
  private static final int VOCABULARY = 100;
  private static final int CONTEXT = 16_384;

  @TempDir Path folder;
  private NativeModel model;
  private NativePool pool;
  private NativeContext context;

  @BeforeEach
  void open() throws IOException {
    Path path = GgufBuilder.llama(VOCABULARY, CONTEXT).write(folder.resolve("llama.gguf"));
    try (NativeFile file = NativeFile.open(path, false)) {
      model = new NativeModel(file);
    }
    pool = new NativePool(2);
    context =
        new NativeContext(
            model, pool, new ContextParams(CONTEXT, 2, 0, false, false, KvCacheType.F16, true));
  }

  @AfterEach
  void close() {
    // Against the order of dependence, which must not matter.
    pool.close();
    model.close();
    context.close();
  }

  private void decode(int sequence, int... tokens) {
    int n = tokens.length;
    int[] sequences = new int[n];
    Arrays.fill(sequences, sequence);
    int[] positions = new int[n];
    Arrays.setAll(positions, i -> context.sequenceLength(sequence) + i);
    byte[] want = new byte[n];
    want[n - 1] = 1;
    context.decode(tokens, sequences, positions, want, null);
  }

  private int[] sample(LongBuffer masks) {
    SamplingBatch greedy = new SamplingBatch(1);
    greedy.set(0, new SamplingRow(Sampling.greedy(), 0, new int[0], null, new int[0]), 0);
    return context.sample(new int[] {0}, greedy, masks);
  }

  @Test
  void refusesQ8_0ForHeadsThatAreNoMultipleOf32() {
    UnsupportedModelException e =
        assertThrows(
            UnsupportedModelException.class,
            () ->
                new NativeContext(
                    model,
                    pool,
                    new ContextParams(4, 1, 0, false, false, KvCacheType.Q8_0, false)));
    assertTrue(e.getMessage().contains("multiple of 32 values"), e.getMessage());
  }

  @Test
  void theModelHasItsShape() {
    assertEquals(VOCABULARY, model.info().vocabularySize());
    assertEquals(16, model.info().headDim());
    assertEquals(1, model.info().kvHeads());
    assertEquals(CONTEXT, model.info().contextLength());
    assertTrue(model.info().hasFloatWeights());
  }

  @Test
  void theContextHasItsLimits() {
    ContextInfo info = context.info();
    assertEquals(CONTEXT, info.contextLength());
    assertEquals(2, info.sequences());
    assertEquals(2, info.threads());
    // Two layers, one KV head of 16, keys and values, F16.
    assertEquals(2 * 16 * 2 * 2, info.kvBytesPerToken());
  }

  @Test
  void greedySamplingTakesTheMostProbableToken() {
    decode(0, 1, 2, 3);
    float[] logits = context.logits(0);
    int best = 0;
    for (int i = 0; i < logits.length; i++) {
      best = logits[i] > logits[best] ? i : best;
    }
    assertArrayEquals(new int[] {best}, sample(null));
    int[] top = new int[3];
    float[] logprobs = new float[3];
    context.topLogprobs(0, top, logprobs);
    assertEquals(best, top[0]);
    assertTrue(logprobs[0] >= logprobs[1] && logprobs[1] >= logprobs[2] && logprobs[0] <= 0);
    assertArrayEquals(logprobs, context.tokenLogprobs(new int[3], top));
  }

  @Test
  void aMaskAllowsOnlyItsTokens() {
    decode(0, 1, 2, 3);
    LongBuffer masks = LongBuffer.allocate(context.maskWords());
    masks.put(1, 1L << (77 - 64));
    assertArrayEquals(new int[] {77}, sample(masks));
    masks.put(1, 0);
    assertThrows(IllegalArgumentException.class, () -> sample(masks));
    assertThrows(IllegalArgumentException.class, () -> sample(LongBuffer.allocate(1)));
  }

  @Test
  void aTruncatedSequenceContinuesAsIfNothingHadFollowed() {
    decode(0, 1, 2, 3);
    float[] expected = context.logits(0);
    decode(0, 4, 5);
    context.truncate(0, 2);
    assertEquals(2, context.sequenceLength(0));
    decode(0, 3);
    assertCloseTo(expected, context.logits(0));
  }

  @Test
  void aForkSharesItsPast() {
    decode(0, 1, 2, 3);
    float[] expected = context.logits(0);
    context.fork(0, 1, 2);
    assertEquals(2, context.sequenceLength(1));
    decode(1, 3);
    assertCloseTo(expected, context.logits(0));
    assertThrows(IllegalArgumentException.class, () -> context.fork(0, 1, 2));
  }

  @Test
  void aFullContextSaysByHowMuch() {
    try (NativeContext small =
        new NativeContext(
            model, pool, new ContextParams(4, 1, 0, false, false, KvCacheType.F16, false))) {
      small.decode(new int[] {1, 2, 3}, new int[3], new int[] {0, 1, 2}, new byte[3], null);
      ContextFullException e =
          assertThrows(
              ContextFullException.class,
              () -> small.decode(new int[2], new int[2], new int[] {3, 4}, new byte[2], null));
      assertEquals(3, e.used());
      assertEquals(2, e.wanted());
      assertEquals(4, e.capacity());
      assertEquals(3, small.sequenceLength(0));
    }
  }

  @Test
  void aBrokenRuleIsAnIllegalArgument() {
    assertThrows(IllegalArgumentException.class, () -> decode(0, VOCABULARY));
    assertThrows(IllegalArgumentException.class, () -> decode(0, -1));
    assertThrows(IllegalArgumentException.class, () -> context.logits(0));
    assertThrows(
        IllegalArgumentException.class,
        () -> context.decode(new int[2], new int[1], new int[2], new byte[2], null));
    assertEquals(-1, context.sequenceLength(2));
  }

  @Test
  void aCancelledDecodeChangesNothing() {
    CancelFlag cancel = new CancelFlag();
    cancel.cancel();
    assertThrows(
        CancelledException.class,
        () -> context.decode(new int[] {1}, new int[1], new int[1], new byte[1], cancel));
    assertEquals(0, context.sequenceLength(0));
    cancel.reset();
    context.decode(new int[] {1}, new int[1], new int[1], new byte[1], cancel);
    assertEquals(1, context.sequenceLength(0));
  }

  @Test
  void closeEndsARunningDecode() throws InterruptedException {
    AtomicReference<Throwable> thrown = new AtomicReference<>();
    Thread decoder =
        new Thread(
            () -> {
              int[] tokens = new int[CONTEXT];
              int[] positions = new int[CONTEXT];
              Arrays.setAll(positions, i -> i);
              try {
                context.decode(tokens, new int[CONTEXT], positions, new byte[CONTEXT], null);
              } catch (RuntimeException e) {
                thrown.set(e);
              }
            });
    decoder.start();
    while (context.info().kvBytes() == 0 && decoder.isAlive()) {
      Thread.onSpinWait();
    }
    context.close();
    decoder.join();
    assertEquals(CancelledException.class, thrown.get() == null ? null : thrown.get().getClass());
    assertThrows(IllegalStateException.class, () -> decode(0, 1));
  }

  @Test
  void anotherArchitectureIsUnsupported() throws IOException {
    Path path =
        new GgufBuilder()
            .string("general.architecture", "mamba")
            .write(folder.resolve("mamba.gguf"));
    try (NativeFile file = NativeFile.open(path, false)) {
      UnsupportedModelException e =
          assertThrows(UnsupportedModelException.class, () -> new NativeModel(file));
      assertTrue(e.getMessage().contains("mamba"), e.getMessage());
    }
  }

  /** Equal up to what the order of additions may change; rows of these weights are below 100. */
  private static void assertCloseTo(float[] expected, float[] actual) {
    assertArrayEquals(expected, actual, 1e-3f);
  }
}
