package dev.nautil.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** The tokenizers that tests use, each built once, and their cases. */
final class TestVocabularies {
  /** A text and its ids, by another implementation. */
  record Case(String text, int[] ids) {}

  private static final Map<String, Tokenizer> TOKENIZERS = new ConcurrentHashMap<>();

  private TestVocabularies() {}

  /** "tekken" and "smollm2" are the real ones; the others were trained for these tests. */
  static Tokenizer tokenizer(String name) {
    return TOKENIZERS.computeIfAbsent(name, n -> Tokenizer.of(vocabulary(n)));
  }

  static Vocabulary vocabulary(String name) {
    return switch (name) {
      case "tekken" -> GgufVocabulary.model("tekken-tiny.gguf");
      case "smollm2" -> GgufVocabulary.model("SmolLM2-135M-Instruct.Q4_1.gguf");
      default -> GgufVocabulary.read(ByteBuffer.wrap(resource(name + ".vocab")));
    };
  }

  static List<Case> cases(String name) {
    return parse(new String(resource(name + ".jsonl"), StandardCharsets.UTF_8));
  }

  static List<Case> cases(Path file) throws IOException {
    return parse(Files.readString(file));
  }

  private static List<Case> parse(String lines) {
    ObjectMapper mapper = new ObjectMapper();
    List<Case> cases = new ArrayList<>();
    try {
      for (String line : lines.split("\n")) {
        JsonNode node = mapper.readTree(line);
        cases.add(
            new Case(node.get("text").asText(), mapper.treeToValue(node.get("ids"), int[].class)));
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return cases;
  }

  private static byte[] resource(String name) {
    try (InputStream in = TestVocabularies.class.getResourceAsStream(name)) {
      if (in == null) {
        throw new AssertionError(name + ": scripts/fixtures/tokenizer_cases.py makes it");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** A gpt2 vocabulary of the visible ASCII characters and the given tokens. */
  static Vocabulary.Builder small(String pre, List<String> tokens, int[] types) {
    List<String> all = new ArrayList<>(tokens);
    int[] allTypes = new int[tokens.size() + '~' - ' '];
    for (int i = 0; i < allTypes.length; i++) {
      allTypes[i] = i < types.length ? types[i] : Vocabulary.NORMAL;
    }
    for (char c = '!'; c <= '~'; c++) {
      all.add(String.valueOf(c));
    }
    return Vocabulary.builder("gpt2", StringTable.of(all))
        .pre(pre)
        .types(allTypes)
        .merges(StringTable.of(List.of()));
  }
}
