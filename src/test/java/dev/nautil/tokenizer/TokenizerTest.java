package dev.nautil.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class TokenizerTest {
  private static final int INST = 3;
  private static final int END_INST = 4;

  private final Tokenizer tekken = TestVocabularies.tokenizer("tekken");

  @Test
  void recognisesControlTokensInTrustedTextOnly() {
    String text = "[INST]Hello[/INST]";
    int hello = tekken.encode("Hello")[0];
    assertArrayEquals(new int[] {INST, hello, END_INST}, tekken.encode(PromptText.trusted(text)));
    int[] plain = tekken.encode(text);
    assertTrue(IntStream.of(plain).noneMatch(tekken::isControl));
    assertEquals(text, tekken.decode(plain));
  }

  @Test
  void recognisesAControlTokenOnlyInsideOneSpan() {
    String text = "[INST][INST][/INST]";
    int[] ids = tekken.encode(PromptText.of(text, new int[] {0, 6, 13, 19}));
    assertEquals(INST, ids[0]);
    assertFalse(Arrays.stream(ids).skip(1).anyMatch(tekken::isControl), "the last lost its [");
    assertEquals("[INST][/INST]", tekken.decode(ids));
  }

  @Test
  void encodesTextBetweenSpecialTokensAsOneRunWhateverItsSpans() {
    String text = "[INST]Bonjour tout le monde[/INST]";
    int middle = text.indexOf("jour");
    assertArrayEquals(
        tekken.encode(PromptText.trusted(text)),
        tekken.encode(
            PromptText.of(text, new int[] {0, middle, text.indexOf("[/"), text.length()})));
  }

  @Test
  void matchesUserDefinedTokensAnywhereAndTheLongestFirst() {
    Tokenizer t =
        Tokenizer.of(
            TestVocabularies.small(
                    "gpt-2", List.of("<s>", "<tool>", "<tool>>", "<to"), new int[] {3, 4, 4, 3})
                .build());
    assertArrayEquals(new int[] {1}, t.encode("<tool>"));
    assertArrayEquals(new int[] {2, 1}, t.encode("<tool>><tool>"));
    assertEquals(3, t.encode("<s>").length, "as text");
    assertEquals(3, t.encode("<to").length, "as text");
    assertArrayEquals(new int[] {0, 1}, t.encode(PromptText.trusted("<s><tool>")));
    assertArrayEquals(new int[] {3}, t.encode(PromptText.trusted("<to")));
    assertEquals("<tool>", t.decode(new int[] {0, 1}));
    assertEquals("<s><tool>", t.decodeWithControl(new int[] {0, 1}));
  }

  @Test
  void neverMergesTextIntoAControlToken() {
    Tokenizer t =
        Tokenizer.of(
            TestVocabularies.small("llama-bpe", List.of("<s", "<s>", "<|"), new int[] {3, 3, 1})
                .merges(StringTable.of(List.of("< s", "<s >", "< |")))
                .build());
    assertEquals("<s", t.decode(t.encode("<s")));
    assertEquals(2, t.encode("<s").length);
    assertArrayEquals(new int[] {2}, t.encode("<|"));
  }

  @Test
  void putsTheSpaceOfALlamaModelBeforeEachTextAndTakesItAway() {
    Tokenizer llama = TestVocabularies.tokenizer("llama");
    PromptText prompt = PromptText.trusted("<s>the</s>the");
    int[] the = llama.encode("the");
    int[] ids = llama.encode(prompt);
    assertEquals(llama.bos(), ids[0]);
    assertArrayEquals(the, Arrays.copyOfRange(ids, 1, 1 + the.length));
    assertArrayEquals(the, Arrays.copyOfRange(ids, 2 + the.length, ids.length));
    assertEquals(" the", new String(llama.piece(the[0]), StandardCharsets.UTF_8));
    assertEquals("thethe", llama.decode(ids));
    assertEquals("<s>the</s>the", llama.decodeWithControl(ids));
    assertEquals("  x", llama.decode(llama.encode("  x")));
    assertTrue(llama.addBos());
  }

  @Test
  void fallsBackToBytesAndThenToUnknown() {
    StringTable tokens = StringTable.of(List.of("<unk>", "▁", "a", "<0xC3>", "<0xA9>"));
    Vocabulary.Builder builder =
        Vocabulary.builder("llama", tokens).types(new int[] {2, 1, 1, 6, 6}).bos(-1).eos(-1);
    Tokenizer t = Tokenizer.of(builder.build());
    assertArrayEquals(new int[] {1, 2, 3, 4, 2}, t.encode("aéa"));
    assertEquals("aéa", t.decode(new int[] {1, 2, 3, 4, 2}));
    assertArrayEquals(new int[] {1, 0, 2, 0}, t.encode("中文a中"), "one for a run");
    assertArrayEquals(new int[] {1, 0}, t.encode("<0xC3>".substring(0, 1)));
    assertFalse(t.addBos());
  }

  @Test
  void addsNoSpaceWhereTheFileSaysSo() {
    StringTable tokens = StringTable.of(List.of("<unk>", "<s>", "</s>", "▁", "a", "▁a"));
    Tokenizer t =
        Tokenizer.of(
            Vocabulary.builder("llama", tokens)
                .types(new int[] {2, 3, 3, 1, 1, 1})
                .addSpacePrefix(false)
                .build());
    assertArrayEquals(new int[] {4, 5}, t.encode("a a"));
    assertEquals(" a", t.decode(new int[] {5}));
  }

  @ParameterizedTest
  @ValueSource(strings = {"tekken", "smollm2", "gpt-2", "llama-bpe", "qwen2", "default", "llama"})
  void encodesLoneSurrogatesAsReplacementCharacters(String name) {
    Tokenizer t = TestVocabularies.tokenizer(name);
    for (String s : List.of("\ud83e", "\udd16", "a\udd16\ud83eb", "\ud83e \ud83e1")) {
      String replaced = s.replaceAll("\\p{Cs}", "\ufffd");
      assertArrayEquals(t.encode(replaced), t.encode(s));
    }
  }

  @Test
  void leavesOutBytesThatTheVocabularyLacksBeforeItMerges() {
    Tokenizer t =
        Tokenizer.of(
            TestVocabularies.small("gpt-2", List.of("ab"), new int[0])
                .merges(StringTable.of(List.of("a b")))
                .build());
    assertArrayEquals(new int[] {0}, t.encode("a\u00e9b"));
    assertEquals("ab", t.decode(t.encode("a b")));
    assertArrayEquals(new int[0], t.encode("\u00e9"));
  }

  @Test
  void knowsWhereRepliesEnd() {
    Tokenizer smollm2 = TestVocabularies.tokenizer("smollm2");
    assertTrue(smollm2.isEndOfGeneration(2), "<|im_end|>, its EOS");
    assertTrue(smollm2.isEndOfGeneration(0), "<|endoftext|>, by name");
    assertFalse(smollm2.isEndOfGeneration(1), "<|im_start|>");
    assertFalse(smollm2.addBos());
    assertArrayEquals(new int[] {2}, tekken.endOfGeneration());
    assertTrue(tekken.addBos());
    assertFalse(tekken.addEos());
    assertEquals(1, tekken.bos());
    assertEquals(131072, tekken.size());
    assertEquals(OptionalInt.of(9), tekken.specialToken("[TOOL_CALLS]"));
    assertEquals(OptionalInt.empty(), tekken.specialToken("Hello"));
  }

  @Test
  void aNamedEndIsAControlTokenWhateverItsType() {
    Tokenizer t =
        Tokenizer.of(TestVocabularies.small("qwen2", List.of("<|im_end|>"), new int[] {4}).build());
    assertTrue(t.isControl(0));
    assertTrue(t.encode("<|im_end|>").length > 1);
  }

  @Test
  void refusesWhatItDoesNotSupport() {
    String unknownPre =
        assertThrows(
                IllegalArgumentException.class,
                () -> Tokenizer.of(TestVocabularies.small("gpt-9", List.of(), new int[0]).build()))
            .getMessage();
    assertTrue(unknownPre.contains("\"gpt-9\"") && unknownPre.contains("tekken"), unknownPre);
    StringTable one = StringTable.of(List.of("a"));
    String unknownModel =
        assertThrows(
                IllegalArgumentException.class,
                () -> Tokenizer.of(Vocabulary.builder("bert", one).build()))
            .getMessage();
    assertTrue(unknownModel.contains("\"bert\"") && unknownModel.contains("llama"), unknownModel);
    assertThrows(
        IllegalArgumentException.class,
        () -> Tokenizer.of(Vocabulary.builder("gpt2", one).build()),
        "no merges");
    assertThrows(
        IllegalArgumentException.class,
        () ->
            Tokenizer.of(
                Vocabulary.builder("gpt2", one).merges(StringTable.of(List.of("ab"))).build()));
    assertThrows(IndexOutOfBoundsException.class, () -> tekken.piece(131072));
    assertThrows(IndexOutOfBoundsException.class, () -> tekken.decode(new int[] {-1}));
  }

  @Test
  void encodesOnManyThreads() throws IOException {
    List<TestVocabularies.Case> cases = TestVocabularies.cases("tekken");
    assertTrue(
        cases.parallelStream().allMatch(c -> Arrays.equals(c.ids(), tekken.encode(c.text()))));
  }
}
