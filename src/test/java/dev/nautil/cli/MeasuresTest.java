package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.TestModels;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** {@code perplexity} and {@code bench}. */
class MeasuresTest {
  private static final Path MODEL = TestModels.smolLm2();

  @Test
  void perplexityAgreesWithComplete(@TempDir Path folder) throws IOException {
    Path file =
        Files.writeString(folder.resolve("text"), "one two three four five six seven eight nine");
    JsonNode result = Cli.run("perplexity", MODEL, "-f", file, "-c", "8", "--json").json();
    assertEquals(9, result.get("tokens").intValue());
    assertEquals(1, result.get("windows").intValue());
    assertEquals(8, result.get("n_ctx").intValue());
    // Positions 4, 5 and 6 predict the tokens 5, 6 and 7.
    JsonNode ids =
        Cli.runOn("{\"text\": \"" + Files.readString(file) + "\"}", "tokenize", MODEL)
            .json()
            .get("ids");
    StringBuilder prompt = new StringBuilder();
    for (int i = 0; i < 5; i++) {
      prompt.append(i == 0 ? "" : ",").append(ids.get(i));
    }
    String force = ids.get(5) + "," + ids.get(6) + "," + ids.get(7);
    JsonNode steps =
        Cli.run("complete", MODEL, "--tokens", prompt.toString(), "--force", force, "--json")
            .json()
            .get("steps");
    double nll = 0;
    for (JsonNode step : steps) {
      nll -= step.get("logprob").doubleValue() / 3;
    }
    // Within what the chunking of a prefill may change.
    assertEquals(nll, result.get("nll").doubleValue(), 0.02);
    assertEquals(
        Math.exp(result.get("nll").doubleValue()), result.get("perplexity").doubleValue(), 1e-9);
  }

  @Test
  void perplexityRefuses(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("text"), "short");
    Cli.run("perplexity", MODEL, "-f", file).assertRefused(1, "text", "512");
    Cli.run("perplexity", MODEL, "-f", folder.resolve("absent")).assertRefused(1, "absent");
    Cli.run("perplexity", MODEL, "-f", file, "-c", "3").assertRefused(2, "--ctx-size");
    Cli.run("perplexity", MODEL).assertRefused(2, "--file");
  }

  @Test
  void perplexityWarnsOfWindowsBeyondTheModels(@TempDir Path folder) throws IOException {
    Path file = Files.writeString(folder.resolve("text"), "0 ".repeat(4100));
    Path model = TestModels.path("tiny-Q4_0.gguf");
    String err = Cli.run("perplexity", model, "-f", file, "-c", "4097").err();
    assertTrue(err.startsWith("(--ctx-size 4097 is beyond the 4096 tokens"), err);
  }

  @Test
  void benchGivesARowForEachTest() throws IOException {
    JsonNode result =
        Cli.run(
                "bench", MODEL, "-p", "8", "-n", "2", "-b", "1,2", "-d", "0,70", "-r", "2", "-t",
                "1", "--json")
            .json();
    String[] expected = {
      "prefill 8 1 0",
      "decode 2 1 0",
      "decode 2 2 0",
      "prefill 8 1 70",
      "decode 2 1 70",
      "decode 2 2 70"
    };
    assertEquals(expected.length, result.get("rows").size());
    for (int i = 0; i < expected.length; i++) {
      JsonNode row = result.get("rows").get(i);
      String what =
          row.get("test").textValue()
              + " "
              + row.get("tokens")
              + " "
              + row.get("batch")
              + " "
              + row.get("depth");
      assertEquals(expected[i], what);
      assertTrue(row.get("tok_per_s").doubleValue() > 0);
      assertTrue(row.get("limit_fraction").doubleValue() > 0);
    }
    assertTrue(result.get("open_ms").doubleValue() > 0);
    assertTrue(result.get("anonymous_bytes").longValue() > result.get("kv_bytes").longValue());
    Cli.run("bench", MODEL, "-b", "0").assertRefused(2, "-b");
    Cli.run("bench", MODEL, "-p", "0", "-n", "0").assertRefused(2, "nothing");
    Cli.run("bench", MODEL, "-d", "0,8180").assertRefused(1, "8180", "256", "context of 8192");
  }

  @Test
  void profileIsATableOfOperations() {
    String out =
        Cli.run("bench", MODEL, "-p", "8", "-n", "2", "-r", "1", "-t", "1", "--profile").ok();
    assertTrue(out.contains("GMAC/s"), out);
    for (String operation : List.of("q k v", "attention", "gate up", "down", "logits")) {
      assertTrue(out.matches("(?s).*\n" + operation + " +\\d.*"), out);
    }
    var run = Cli.run("run", MODEL, "--raw", "--max-tokens", "2", "--profile", "a b");
    assertTrue(run.err().contains("gate up"), run.err());
    assertFalse(run.ok().contains("gate up"));
  }

  @Test
  void benchCountsContextsThatSequencesHoldOnTheirOwn() throws IOException {
    // No whole number of the cache's pages, which hold 64 tokens.
    String[] test = {
      "bench", MODEL.toString(), "-p", "0", "-n", "2", "-b", "3", "-d", "70", "-r", "2"
    };
    JsonNode shared = Cli.run(with(test, "--json")).json();
    JsonNode own = Cli.run(with(test, "--json", "--own-context")).json();
    for (JsonNode result : List.of(shared, own)) {
      assertEquals(1, result.get("rows").size());
      assertEquals("decode", result.get("rows").get(0).get("test").textValue());
    }
    // Shared: two pages of the sequence that all begin with, and of each the page that it goes on
    // in.
    // On their own: two pages of each.
    long page = 64L * 2 * 2 * 30 * 3 * 64;
    assertEquals(5 * page, shared.get("kv_bytes").longValue());
    assertEquals(6 * page, own.get("kv_bytes").longValue());
  }

  private static Object[] with(String[] arguments, String... more) {
    return Stream.concat(Stream.of(arguments), Stream.of(more)).toArray();
  }

  @Test
  void benchExplainsWhatIsAboveItsLimit() {
    Bench.Row below = new Bench.Row("decode", 8, 1, 0, 100, 10, 0.9);
    Bench.Row above = new Bench.Row("decode", 8, 1, 0, 100, 10, 1.2);
    assertEquals("", BenchCommand.note(List.of(below)));
    assertTrue(BenchCommand.note(List.of(below, above)).contains("caches"));
    assertTrue(Cli.run("bench", "--help").ok().contains("above 100 %"));
  }

  @Test
  void workIsWhatMustBeReadAndMultiplied() {
    // Mistral Nemo in Q4_K_M: 40 layers of GQA 8 × 128 in F16 are 163,840 bytes a token.
    Work.Costs nemo = new Work.Costs(7_090_000_000L, 10_905_000_000L, 671_088_640L, 163_840, 512);
    Work prefill = nemo.prefill(1024, 100);
    assertEquals(2 * 7.09e9 + 163_840 * (100 + 612), prefill.bytes());
    assertEquals(1024 * 10.905e9 + 671_088_640, prefill.multiplyAdds());
    Work decode = nemo.decode(3, 4, 100, false);
    // Steps begin with 100, 101 and 102 tokens in each of the four sequences.
    assertEquals(3 * 7.09e9 + 163_840.0 * 4 * (100 + 101 + 102), decode.bytes());
    assertEquals(12, decode.tokens());
    Work shared = nemo.decode(3, 4, 100, true);
    assertEquals(3 * 7.09e9 + 163_840.0 * (3 * 100 + 4 * (0 + 1 + 2)), shared.bytes());
    Work.Limits limits = new Work.Limits(33.3e9, 450e9);
    assertEquals(33.3 / 7.09, limits.tokensPerSecond(nemo.decode(1, 1, 0, true)), 1e-6);
    assertEquals(450 / 10.908, limits.tokensPerSecond(nemo.prefill(256, 0)), 0.01);
  }
}
