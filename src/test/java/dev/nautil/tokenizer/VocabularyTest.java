package dev.nautil.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;

class VocabularyTest {
  private static final StringTable TOKENS = StringTable.of(List.of("<unk>", "<s>", "</s>", "é"));

  @Test
  void putsInWhatTheKindImplies() {
    Vocabulary llama = Vocabulary.builder("llama", TOKENS).build();
    assertEquals(List.of(0, 1, 2), List.of(llama.unk(), llama.bos(), llama.eos()));
    assertTrue(llama.addBos());
    assertTrue(llama.addSpacePrefix());
    assertEquals("default", llama.pre());
    assertEquals(Vocabulary.NORMAL, llama.type(3));

    Vocabulary gpt2 = Vocabulary.builder("gpt2", TOKENS).build();
    assertEquals(List.of(-1, -1, -1), List.of(gpt2.unk(), gpt2.bos(), gpt2.eos()));
    assertFalse(gpt2.addSpacePrefix());

    assertTrue(Vocabulary.builder("gpt2", TOKENS).pre("tekken").bos(1).build().addBos());
    assertFalse(Vocabulary.builder("gpt2", TOKENS).pre("qwen2").bos(1).build().addBos());
    assertFalse(Vocabulary.builder("gpt2", TOKENS).pre("tekken").build().addBos(), "no BOS");
    assertFalse(Vocabulary.builder("llama", TOKENS).addBos(false).build().addBos());
    assertTrue(Vocabulary.builder("llama", TOKENS).addEos(true).build().addEos());
  }

  @Test
  void refusesContradictions() {
    Vocabulary.Builder builder = Vocabulary.builder("llama", TOKENS);
    assertThrows(IllegalArgumentException.class, () -> builder.types(new int[3]));
    assertThrows(IllegalArgumentException.class, () -> builder.scores(new float[3]));
    assertThrows(IllegalArgumentException.class, () -> builder.bos(4).build());
    assertThrows(
        IllegalArgumentException.class,
        () -> Vocabulary.builder("llama", StringTable.of(List.of())));
  }

  @Test
  void aStringTableChecksItsOffsets() {
    assertEquals("é", TOKENS.string(3));
    assertArrayEquals(new byte[] {(byte) 0xC3, (byte) 0xA9}, TOKENS.get(3));
    byte[] bytes = {'a', 'b'};
    assertThrows(IllegalArgumentException.class, () -> new StringTable(bytes, new int[0]));
    assertThrows(IllegalArgumentException.class, () -> new StringTable(bytes, new int[] {0, 3}));
    assertThrows(IllegalArgumentException.class, () -> new StringTable(bytes, new int[] {1, 0}));
    assertThrows(IllegalArgumentException.class, () -> new StringTable(bytes, new int[] {-1, 0}));
    assertEquals("b", new StringTable(bytes, new int[] {1, 2}).string(0));
  }
}
