package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.nautil.KvCacheType;
import dev.nautil.Sampling;
import dev.nautil.TestModels;
import dev.nautil.internal.CancelFlag;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.NativeContext;
import dev.nautil.internal.SamplingRow;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** What conversations find again in a cache of three slots. */
class ConversationCacheTest {
  private static final int SLOTS = 3;
  private static final int[] SYSTEM = random(0, 100);

  private static LoadedModel model;
  private NativeContext context;
  private ConversationCache cache;

  @BeforeAll
  static void open() {
    model = LoadedModel.open(TestModels.smolLm2(), false, 0, ContextParams.DEFAULT, null, null);
  }

  @AfterAll
  static void close() {
    model.close();
  }

  @BeforeEach
  void start() {
    context =
        model.newContext(new ContextParams(8192, SLOTS, 512, false, false, KvCacheType.F16, true));
    cache = new ConversationCache(context, SLOTS);
  }

  @AfterEach
  void end() {
    context.close();
  }

  private static int[] random(int seed, int length) {
    return new Random(seed).ints(length, 1000, 40_000).toArray();
  }

  /** The first {@code n} tokens of some, and random ones up to a length. */
  private static int[] goOn(int[] tokens, int n, int seed, int length) {
    int[] longer = random(seed, length);
    System.arraycopy(tokens, 0, longer, 0, n);
    return longer;
  }

  private Generation begin(Object conversation, int[] prompt) {
    SamplingRow sampling = new SamplingRow(Sampling.greedy(), 0, prompt, null, new int[0]);
    Generation generation =
        new Generation(
            new GenerationRequest(
                prompt, sampling, -1, null, 1, token -> false, conversation, null, false),
            ended -> {});
    cache.beginStep();
    cache.start(generation);
    Batch batch = new Batch();
    for (int i = generation.promptDone; i < prompt.length; i++) {
      batch.add(generation, prompt[i], (byte) 0);
    }
    batch.decode(context::decode, new CancelFlag());
    batch.advance(cache.steps());
    return generation;
  }

  /** Reads a conversation; gives how many tokens of it were there. */
  private int read(Object conversation, int[] prompt) {
    Generation generation = begin(conversation, prompt);
    cache.release(generation);
    return generation.cachedTokens;
  }

  @Test
  void aConversationGoesOn() {
    int[] first = random(1, 400);
    assertEquals(0, read("a", first));
    assertEquals(0, read("b", random(2, 400)));
    assertEquals(400, read("a", goOn(first, 400, 3, 500)));
  }

  @Test
  void conversationsShareWhatTheyBeginWith() {
    int[] first = goOn(SYSTEM, 100, 1, 400);
    int[] second = goOn(SYSTEM, 100, 2, 400);
    assertEquals(0, read("a", first));
    assertEquals(100, read("b", second));
    assertEquals(399, read("a", first));
    assertEquals(399, read("b", second));
  }

  @Test
  void oneThatIsInUseIsSharedAndNotChanged() {
    int[] first = goOn(SYSTEM, 100, 1, 110);
    Generation running = begin("a", first);
    assertEquals(100, read("b", goOn(SYSTEM, 100, 2, 400)));
    assertEquals(110, running.slot.length());
    cache.release(running);
    assertEquals(110, read("a", goOn(first, 110, 3, 120)));
  }

  @Test
  void aNewOneTakesThePlaceOfTheOldest() {
    int[] shortOne = random(1, 50);
    int[] second = random(2, 400);
    int[] third = random(3, 400);
    read("short", shortOne);
    read("second", second);
    read("third", third);
    read("short", goOn(shortOne, 50, 4, 60));
    assertEquals(0, read("new", random(5, 400)));
    assertEquals(60, read("short", goOn(goOn(shortOne, 50, 4, 60), 60, 6, 70)));
    assertEquals(399, read("third", third));
    assertEquals(0, read("second", second));
  }

  /** What it was before costs no other its place. */
  @Test
  void oneThatWasRewoundTakesItsOwnPlace() {
    int[] oldest = random(1, 400);
    int[] rewound = random(3, 1000);
    read("oldest", oldest);
    read("second", random(2, 400));
    read("rewound", rewound);
    assertEquals(200, read("rewound", goOn(rewound, 200, 4, 400)));
    assertEquals(399, read("oldest", oldest));
  }

  @Test
  void oneThatWasRewoundIsKeptAsItWasWhileThereIsRoom() {
    int[] rewound = random(3, 1000);
    read("rewound", rewound);
    assertEquals(200, read("rewound", goOn(rewound, 200, 4, 400)));
    assertEquals(999, read("rewound", rewound));
  }

  /** Two branches of one conversation: each goes on in its own slot, not in the other's. */
  @Test
  void forksGoOnInTheirOwnSlots() {
    int[] stem = random(1, 400);
    int[] fork = goOn(stem, 400, 2, 500);
    read("stem", stem);
    read("other", random(3, 300));
    assertEquals(400, read("fork", fork));
    assertEquals(400, read("stem", goOn(stem, 400, 4, 450)));
    assertEquals(500, read("fork", goOn(fork, 500, 5, 600)));
    assertEquals(299, read("other", random(3, 300)));
  }
}
