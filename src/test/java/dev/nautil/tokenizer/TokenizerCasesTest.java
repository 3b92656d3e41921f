package dev.nautil.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The ids of other implementations: see scripts/fixtures/tokenizer_cases.py. */
class TokenizerCasesTest {
  @ParameterizedTest
  @ValueSource(strings = {"tekken", "smollm2", "gpt-2", "llama-bpe", "qwen2", "default", "llama"})
  void encodesAsTheOracleDoes(String name) throws IOException {
    check(TestVocabularies.tokenizer(name), TestVocabularies.cases(name));
  }

  @Test
  void encodesTheConformanceCases() throws IOException {
    String folder = System.getenv("NAUTIL_CONFORMANCE");
    assumeTrue(folder != null, "NAUTIL_CONFORMANCE is not set");
    check(
        TestVocabularies.tokenizer("tekken"),
        TestVocabularies.cases(Path.of(folder, "tekken", "texts.jsonl")));
  }

  /**
   * Vocabularies with a token for every byte; SmolLM2's lacks some, which it leaves out of texts.
   */
  @ParameterizedTest
  @ValueSource(strings = {"tekken", "gpt-2", "llama-bpe", "qwen2", "default", "llama"})
  void decodesWhatItEncoded(String name) throws IOException {
    Tokenizer tokenizer = TestVocabularies.tokenizer(name);
    for (TestVocabularies.Case c : TestVocabularies.cases(name)) {
      // SentencePiece writes a space as ▁, so that a ▁ comes back as a space.
      String expected = name.equals("llama") ? c.text().replace('▁', ' ') : c.text();
      assertEquals(expected, tokenizer.decode(c.ids()));
      StreamDecoder stream = tokenizer.newStreamDecoder();
      StringBuilder text = new StringBuilder();
      for (int id : c.ids()) {
        text.append(stream.accept(id));
        assertEquals(expected.substring(0, text.length()), text.toString());
      }
      assertEquals("", stream.finish());
      assertEquals(expected, text.toString());
    }
  }

  private static void check(Tokenizer tokenizer, List<TestVocabularies.Case> cases) {
    assertFalse(cases.isEmpty());
    for (TestVocabularies.Case c : cases) {
      assertArrayEquals(c.ids(), tokenizer.encode(c.text()), () -> "<<" + c.text() + ">>");
    }
  }
}
