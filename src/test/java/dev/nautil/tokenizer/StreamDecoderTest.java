package dev.nautil.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class StreamDecoderTest {
  /** A vocabulary whose token b is the byte b; token 256 is a control token. */
  private final Tokenizer bytes = bytes();

  private static Tokenizer bytes() {
    List<String> tokens = new ArrayList<>();
    int[] types = new int[257];
    for (int b = 0; b < 256; b++) {
      tokens.add(String.format("<0x%02X>", b));
      types[b] = Vocabulary.BYTE;
    }
    tokens.add("<end>");
    types[256] = Vocabulary.CONTROL;
    return Tokenizer.of(
        Vocabulary.builder("llama", StringTable.of(tokens))
            .types(types)
            .bos(-1)
            .eos(256)
            .addSpacePrefix(false)
            .build());
  }

  @Test
  void holdsACharacterBackUntilItIsWhole() {
    StreamDecoder decoder = bytes.newStreamDecoder();
    assertEquals("a", decoder.accept('a'));
    assertEquals("", decoder.accept(0xF0));
    assertEquals("", decoder.accept(0x9F));
    assertEquals("", decoder.accept(0xA4));
    assertEquals("\ud83e\udd16", decoder.accept(0x96));
    assertEquals("", decoder.accept(256));
    assertEquals("", decoder.accept(0xC3));
    assertEquals("\ufffd", decoder.finish());
    assertEquals("", decoder.finish());
    assertEquals("b", decoder.accept('b'));
  }

  @Test
  void showsControlTokensOnRequest() {
    StreamDecoder decoder = bytes.newStreamDecoderWithControl();
    assertEquals("", decoder.accept(0xC3));
    assertEquals("\ufffd<end>", decoder.accept(256));
  }

  /** What Python's bytes.decode("utf-8", "replace") gives; ? stands for U+FFFD. */
  @ParameterizedTest
  @CsvSource({
    "C3, ?",
    "C3 A9, é",
    "80, ?",
    "80 80, ??",
    "C0 80, ??",
    "C1 BF, ??",
    "C3 41, ?A",
    "C3 C3 A9, ?é",
    "E2 82, ?",
    "E2 82 AC, €",
    "E2 82 41, ?A",
    "E0 80 80, ???",
    "E0 9F BF, ???",
    "ED A0 80, ???",
    "ED 9F BF, \ud7ff",
    "EF BF BD, \ufffd",
    "F0 9F A4, ?",
    "F0 9F A4 41, ?A",
    "F0 80 80 80, ????",
    "F0 8F BF BF, ????",
    "F4 8F BF BF, \udbff\udfff",
    "F4 90 80 80, ????",
    "F5 80, ??",
    "FF FE 41, ??A",
    "F0 9F E2 82 AC, ?€"
  })
  void replacesAsPythonDoes(String hex, String text) {
    String[] parts = hex.split(" ");
    int[] ids = new int[parts.length];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = Integer.parseInt(parts[i], 16);
    }
    assertEquals(text.replace('?', '\ufffd'), bytes.decode(ids));
  }
}
