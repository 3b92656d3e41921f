package dev.nautil.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.nautil.TestModels;
import dev.nautil.engine.Vocabularies;
import dev.nautil.internal.NativeFile;
import java.io.IOException;
import java.net.URI;
import java.net.URL;
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
    Path path =
        switch (name) {
          case "tekken" -> TestModels.path("tekken-tiny.gguf");
          case "smollm2" -> TestModels.smolLm2();
          default -> resource(name + ".vocab");
        };
    try (NativeFile file = NativeFile.open(path, false)) {
      return Vocabularies.vocabulary(file);
    }
  }

  static List<Case> cases(String name) throws IOException {
    return cases(resource(name + ".jsonl"));
  }

  static List<Case> cases(Path file) throws IOException {
    ObjectMapper mapper = new ObjectMapper();
    List<Case> cases = new ArrayList<>();
    for (String line : Files.readAllLines(file)) {
      JsonNode node = mapper.readTree(line);
      cases.add(
          new Case(node.get("text").asText(), mapper.treeToValue(node.get("ids"), int[].class)));
    }
    return cases;
  }

  private static Path resource(String name) {
    URL url = TestVocabularies.class.getResource(name);
    if (url == null) {
      throw new AssertionError(name + ": scripts/fixtures/tokenizer_cases.py makes it");
    }
    return Path.of(URI.create(url.toString()));
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
