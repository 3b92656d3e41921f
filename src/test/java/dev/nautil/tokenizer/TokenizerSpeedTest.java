package dev.nautil.tokenizer;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Bounds that a slow machine meets too; the best of several runs counts, for machines with company.
 */
class TokenizerSpeedTest {
  private static final double MEGABYTES_A_SECOND = 5;
  private static final int MILLION = 1_000_000;

  @ParameterizedTest
  @ValueSource(strings = {"tekken", "smollm2", "llama-bpe", "qwen2", "gpt-2", "llama"})
  void encodesOrdinaryText(String name) throws IOException {
    Tokenizer tokenizer = TestVocabularies.tokenizer(name);
    String once;
    try (Stream<Path> files = Files.walk(Path.of("src/main/java/dev/nautil/tokenizer"))) {
      List<Path> sources = files.filter(Files::isRegularFile).sorted().toList();
      once =
          Files.readString(Path.of("LICENSE"))
              + sources.stream().map(this::read).collect(Collectors.joining());
    }
    String text = once.repeat(MILLION / once.length() + 1);
    double megabytes = text.getBytes(StandardCharsets.UTF_8).length / 1e6;
    double seconds = Double.MAX_VALUE;
    for (int run = 0; run < 20 && megabytes / seconds < 4 * MEGABYTES_A_SECOND; run++) {
      seconds = Math.min(seconds, seconds(tokenizer, text));
    }
    double speed = megabytes / seconds;
    System.out.printf("%s: %.1f MB/s%n", name, speed);
    assertTrue(speed >= MEGABYTES_A_SECOND, name + ": " + speed + " MB/s");
  }

  private String read(Path file) {
    try {
      return Files.readString(file);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"tekken", "smollm2", "llama-bpe", "qwen2", "gpt-2", "llama"})
  void encodesOneCharacterAMillionTimes(String name) {
    Tokenizer tokenizer = TestVocabularies.tokenizer(name);
    for (String character : List.of("a", " ", "\n", "1", "!", "é", "中", "\u0301", "🤖", "\ud800")) {
      double once = Double.MAX_VALUE;
      double twice = Double.MAX_VALUE;
      // The least of several: the collector and the other core's traffic lengthen some of them.
      for (int run = 0; run < 30 && (once >= 1 || twice > 2.5 * once); run++) {
        once = Math.min(once, seconds(tokenizer, character.repeat(MILLION)));
        twice = Math.min(twice, seconds(tokenizer, character.repeat(2 * MILLION)));
      }
      String figures =
          name + " '" + character + "': " + once + " s, twice the text " + twice + " s";
      assertTrue(once < 1 && twice <= 2.5 * once, figures);
    }
  }

  /** Of this thread's processor time, which other work on the machine does not lengthen. */
  private static double seconds(Tokenizer tokenizer, String text) {
    ThreadMXBean threads = ManagementFactory.getThreadMXBean();
    long start = threads.getCurrentThreadCpuTime();
    tokenizer.encode(text);
    return (threads.getCurrentThreadCpuTime() - start) / 1e9;
  }
}
