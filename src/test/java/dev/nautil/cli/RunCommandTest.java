package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.TestModels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class RunCommandTest {
  private static final Path MODEL = TestModels.smolLm2();
  private static final Map<String, String> DEFAULT =
      Map.of("NAUTIL_DEFAULT_MODEL", MODEL.toString());

  private static String ask(String input, Object... arguments) {
    return Cli.run(input, Io.Terminals.NONE, DEFAULT, with(arguments)).ok();
  }

  private static Object[] with(Object... arguments) {
    Object[] all = new Object[arguments.length + 5];
    all[0] = "run";
    all[1] = "--temp";
    all[2] = "0";
    all[3] = "--max-tokens";
    all[4] = "6";
    System.arraycopy(arguments, 0, all, 5, arguments.length);
    return all;
  }

  @Test
  void takesModelAndPromptInEveryWay() {
    String expected = ask("", MODEL, "Say hello.");
    assertTrue(expected.endsWith("\n"));
    assertEquals(expected, ask("", "-m", MODEL, "Say hello."));
    assertEquals(expected, ask("", "Say hello."));
    assertEquals(expected, ask("Say hello.\n", MODEL));
    assertEquals(expected, ask("Say hello.\n"));
  }

  @Test
  void endsBeforeAStopString() {
    String whole = ask("", "Say hello.").strip();
    String stop = whole.substring(2, 5);
    assertEquals(
        whole.substring(0, whole.indexOf(stop)) + "\n",
        ask("", "--stop", "never said", "--stop", stop, "Say hello."));
  }

  @Test
  void appendsPipedInput() {
    assertEquals(ask("", "Shout this:\n\nna\u00efve"), ask("na\u00efve\n\n", "Shout this:"));
    assertEquals(ask("", "--raw", "Once upon a"), ask(" upon a", "--raw", "Once"));
    assertEquals(ask("", "--raw", "Once upon a"), ask("\ufeff upon a", "--raw", "Once"));
  }

  @Test
  void isReproducibleBySeed() {
    Object[] sampled = {"run", MODEL, "Tell a story.", "--max-tokens", "12", "--temp", "1.5"};
    Object[] seeded = java.util.Arrays.copyOf(sampled, sampled.length + 2);
    seeded[sampled.length] = "--seed";
    seeded[sampled.length + 1] = "7";
    String first = Cli.run(seeded).ok();
    assertEquals(first, Cli.run(seeded).ok());
    seeded[sampled.length + 1] = "8";
    assertNotEquals(first, Cli.run(seeded).ok());
  }

  @Test
  void playsAChatFromItsLines() {
    Cli.Result result =
        Cli.run(
            "My name is Bob.\n\"\"\"\nWhat\nis it?\n\"\"\"\n/what\n/?\n/clear\nHi\n/bye\nmore",
            Io.Terminals.NONE,
            DEFAULT,
            with("-v"));
    assertEquals(0, result.code());
    String[] told =
        result.err().lines().filter(line -> line.startsWith("prompt ")).toArray(String[]::new);
    assertEquals(3, told.length, result.err());
    assertTrue(told[0].contains("(0 cached)"), told[0]);
    assertFalse(told[1].contains("(0 cached)"), "the conversation goes on: " + told[1]);
    assertTrue(result.err().contains("no command /what"));
    assertTrue(result.err().contains("Ctrl-C"));
  }

  @Test
  void tellsNothingThatWasNotAskedFor() {
    assertEquals("", Cli.run("", Io.Terminals.NONE, DEFAULT, with("hi")).err());
    String err =
        Cli.run("", Io.Terminals.NONE, DEFAULT, with("hi", "-v", "--ctx-size", "256")).err();
    assertTrue(err.contains("context 256 of 8192 tokens"), err);
    assertFalse(err.contains("memory"), err);
  }

  @Test
  void warnsOfAContextBeyondTheModels() {
    String err = Cli.run("", Io.Terminals.NONE, DEFAULT, with("hi", "--ctx-size", "8193")).err();
    assertTrue(err.startsWith("(--ctx-size 8193 is beyond the 8192 tokens"), err);
    assertEquals(1, err.lines().count(), err);
    assertEquals(
        "", Cli.run("", Io.Terminals.NONE, DEFAULT, with("hi", "--ctx-size", "8192")).err());
  }

  @Test
  void tellsThatMemoryBoundsTheContext(@TempDir Path folder) throws IOException {
    // Its KV cache takes a KiB a token.
    Path model = folder.resolve("long.gguf");
    Files.write(model, withContext(Files.readAllBytes(TestModels.path("tiny-Q4_0.gguf")), 1 << 30));
    String bound = "context \\d+ of 1073741824 tokens, as memory allows";
    Object[] arguments = {"run", model, "--raw", "--max-tokens", "1"};
    String err = Cli.runOn("hi", arguments).err();
    assertTrue(err.matches("\\(" + bound + "\\)\n"), err);
    Io.Terminals terminal = new Io.Terminals(true, false, false);
    err = Cli.run("hi\n", terminal, Map.of(), arguments).err();
    assertTrue(err.matches("[^\n]*, " + bound + ": /\\? for help[^\n]*\n"), err);
  }

  private static byte[] withContext(byte[] file, int tokens) {
    String key = "llama.context_length";
    int start = new String(file, StandardCharsets.ISO_8859_1).indexOf(key);
    ByteBuffer bytes = ByteBuffer.wrap(file).order(ByteOrder.LITTLE_ENDIAN);
    // Behind the key stands the value's type.
    bytes.putInt(start + key.length() + Integer.BYTES, tokens);
    return file;
  }

  @Test
  void greetsWithTheContext() {
    Io.Terminals terminal = new Io.Terminals(true, false, false);
    String err = Cli.run("", terminal, DEFAULT, with()).err();
    assertTrue(err.contains(", context 8192 tokens: /? for help"), err);
  }

  @Test
  void theNameInAFileCommandsNoTerminal(@TempDir Path folder) throws IOException {
    byte[] bytes = Files.readAllBytes(TestModels.path("tiny-Q4_0.gguf"));
    int name = new String(bytes, 0, 1000, StandardCharsets.ISO_8859_1).indexOf("tiny-Q4_0");
    bytes[name + 4] = 0x1b;
    Path file = Files.write(folder.resolve("odd.gguf"), bytes);
    String err = Cli.run("run", "-m", file, "--raw", "x", "--max-tokens", "1", "-v").err();
    assertTrue(err.startsWith("tiny\\x1bQ4_0: context"), err);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "2 | --temp -1 hi | --temp",
        "2 | --top-p 0 hi | --top-p",
        "2 | --min-p 2 hi | --min-p",
        "2 | --top-k -1 hi | --top-k",
        "2 | --seed x hi | --seed",
        "2 | --samplers top_k;beam hi | there is no sampler",
        "2 | --samplers top_k;top_k hi | each once",
        "2 | --mirostat 1 hi | must be 0 (off) or 2",
        "2 | --mirostat 2 --top-k 40 hi | mirostat itself decides",
        "2 | --top-p 0.9 --mirostat 2 hi | topP",
        "2 | --mirostat 2 --temp 0 hi | must be above 0",
        "2 | --mirostat 2 --mirostat-ent -1 hi | tau",
        "2 | --dry-multiplier 1 --dry-base 0.5 hi | base is 0.5",
        "2 | --repeat-penalty 0 hi | --repeat-penalty",
        "2 | --repeat-last-n -2 hi | --repeat-last-n",
        "2 | --xtc-probability 2 hi | XTC",
        "2 | --typical 0 hi | --typical",
        "2 | --top-nsigma -1 hi | --top-nsigma",
        "2 | --dynatemp-range -1 hi | --dynatemp",
        "2 | --dynatemp-range 1 --temp 0 hi | --dynatemp",
        "2 | --logit-bias 5 hi | --logit-bias",
        "2 | --logit-bias 5+nan hi | --logit-bias",
        "1 | --logit-bias 123456789+1 hi | token 123456789",
        "2 | --max-tokens -1 hi | --max-tokens",
        "2 | --ctx-size -1 hi | --ctx-size",
        "2 | --kv-type q5_0 hi | q8_0",
        "2 | --stop= hi | --stop",
        "2 | --raw --system x hi | --raw",
        "2 | one two three | quotes",
        "2 | -m m.gguf one two | quotes",
        "1 | localhost:1/mistral-nemo hi | takes no connection",
        "1 | localhost:1/or | -m MODEL PROMPT",
        "1 | absent.gguf hi | absent.gguf",
        "1 | --ctx-size 8 hi | context",
        "1 | --ctx-size 1073741824 hi | --overcommit",
      })
  void refuses(int code, String options, String reason) {
    Object[] arguments = ("run " + options).split(" ");
    Cli.run("", Io.Terminals.NONE, DEFAULT, arguments).assertRefused(code, reason);
  }

  @Test
  void tellsThatTheContextIsFull() {
    Cli.Result result = Cli.run("run", MODEL, "hi", "--raw", "--temp", "0", "--ctx-size", "1");
    assertEquals(0, result.code());
    // The last token of an answer needs no place in the context.
    assertTrue(result.err().startsWith("(the context is full after 2 tokens"), result.err());
  }

  @Test
  void needsAModelAndAPrompt() {
    Cli.run("run", "hi").assertRefused(1, "default model", "NAUTIL_DEFAULT_MODEL");
    Cli.run("run", MODEL).assertRefused(2, "standard input is empty");
  }

  @Test
  void coloursOnlyOnATerminal() {
    Io.Terminals terminal = new Io.Terminals(false, false, true);
    Object[] wrong = {"run", "absent.gguf", "hi"};
    assertTrue(Cli.run("", terminal, Map.of(), wrong).err().startsWith("\033[31m"));
    for (Map<String, String> plain :
        java.util.List.of(Map.of("NO_COLOR", "1"), Map.of("TERM", "dumb"))) {
      assertTrue(Cli.run("", terminal, plain, wrong).err().startsWith("nautil: "));
    }
    assertTrue(Cli.run(wrong).err().startsWith("nautil: "));
  }

  @Test
  void showsAStackTraceOnlyOnDemand() {
    assertFalse(Cli.run("run", "absent.gguf", "hi").err().contains("\tat "));
    assertTrue(Cli.run("run", "absent.gguf", "hi", "--stacktrace").err().contains("\tat "));
  }
}
