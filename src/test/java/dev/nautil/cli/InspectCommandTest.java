package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.TestModels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InspectCommandTest {
  private static final Path MODEL = TestModels.smolLm2();

  @Test
  void tellsAllOfAFile() throws IOException {
    JsonNode file = Cli.run("inspect", MODEL, "--json").json();
    assertEquals("llama", file.at("/metadata/general.architecture").textValue());
    assertEquals(8192, file.at("/metadata/llama.context_length").intValue());
    assertEquals(
        (double) 1e-5f, file.at("/metadata/llama.attention.layer_norm_rms_epsilon").asDouble());
    assertEquals(49152, file.at("/metadata/tokenizer.ggml.tokens").size());
    assertEquals("Ġ t", file.at("/metadata/tokenizer.ggml.merges/0").textValue());
    assertEquals("{\"F32\":61,\"Q4_1\":210,\"Q8_0\":1}", file.get("tensor_types").toString());
    assertEquals(134_515_008, file.get("parameters").longValue());
    assertEquals(Files.size(MODEL), file.get("file_bytes").longValue());
    assertEquals(272, file.get("tensors").size());
    assertTrue(file.get("tensor") == null);
  }

  @Test
  void decodesRows() throws IOException {
    JsonNode tensor =
        Cli.run("inspect", MODEL, "--json", "--tensor", "output_norm.weight", "--rows", "0:1")
            .json()
            .get("tensor");
    assertEquals("F32", tensor.get("type").textValue());
    assertEquals("[576]", tensor.get("shape").toString());
    assertEquals(576, tensor.get("values").get(0).size());
    JsonNode rows =
        Cli.run("inspect", MODEL, "--json", "--tensor", "token_embd.weight", "--rows", "49150:")
            .json()
            .at("/tensor/values");
    assertEquals(2, rows.size());
  }

  @Test
  void refusesWhatIsNotThere() {
    Cli.run("inspect", MODEL, "--tensor", "no.weight").assertRefused(1, "no.weight");
    Cli.run("inspect", MODEL, "--tensor", "output_norm.weight", "--rows", "0:2")
        .assertRefused(1, "0:1");
    Cli.run("inspect", MODEL, "--tensor", "x", "--rows", "3:1").assertRefused(2, "3:1");
    Cli.run("inspect", MODEL, "--rows", "0:1").assertRefused(2, "--tensor");
    Cli.run("inspect").assertRefused(2, "MODEL");
  }

  @Test
  void summarises() {
    String text = Cli.run("inspect", MODEL).ok();
    assertTrue(text.contains("quantization    Q4_1\n"), text);
    assertTrue(text.contains("chat template   yes\n"), text);
    assertTrue(text.lines().noneMatch(line -> line.length() > 120), text);
  }

  @Test
  void tellsWhatMemoryAModelTakes() throws IOException {
    JsonNode memory =
        Cli.run("inspect", MODEL, "--json", "--ctx-size", "4096", "--kv-type", "q8_0")
            .json()
            .get("memory");
    assertEquals(4096, memory.get("context_size").intValue());
    assertEquals("q8_0", memory.get("kv_type").textValue());
    assertEquals(4096 * 30 * 3 * 2 * 64 / 32 * 34, memory.get("kv_bytes").longValue());
    assertTrue(memory.get("working_bytes").longValue() > 0);
    assertTrue(memory.get("fits").booleanValue());
    String text =
        Cli.run("inspect", MODEL, "--ctx-size", "1073741824").ok().replaceAll(" {2,}", " ");
    assertTrue(text.contains("1,073,741,824 tokens take"), text);
    assertTrue(text.contains("\nweights 92.1 MiB\nKV cache, f16 23040.00 GiB\n"), text);
    assertTrue(text.contains("\nIt does not fit; "), text);
    assertTrue(Cli.run("inspect", MODEL).ok().contains("\nIt fits.\n"));
    assertTrue(
        Cli.run("inspect", TestModels.path("bad-architecture.gguf"), "--json")
            .json()
            .get("memory")
            .isNull());
    Cli.run("inspect", MODEL, "--ctx-size", "-1").assertRefused(2, "--ctx-size");
  }

  @Test
  void survivesAnyMetadata(@TempDir Path folder) throws IOException {
    Path path = folder.resolve("odd.gguf");
    Files.write(path, oddFile());
    JsonNode metadata = Cli.run("inspect", path, "--json").json().get("metadata");
    assertEquals("a\ufffdb", metadata.get("bytes").textValue());
    assertEquals("18446744073709551615", metadata.get("large").toString());
    assertEquals("NaN", metadata.get("nan").textValue());
    String text = Cli.run("inspect", path).ok();
    assertFalse(text.contains("\u001b"), "a file must not command the terminal");
    assertTrue(text.contains("red\\x1b[31m"), text);
    assertTrue(text.contains("key\\x1b[1A  "), text);
    String error = Cli.run("inspect", path, "--tensor", "a\033[1A").err();
    assertTrue(error.contains("there is no tensor a\\x1b[1A"), error);
  }

  /** A file without tensors, of an architecture that does not exist. */
  private static byte[] oddFile() {
    ByteBuffer file = ByteBuffer.allocate(1024).order(ByteOrder.LITTLE_ENDIAN);
    file.put("GGUF".getBytes(StandardCharsets.US_ASCII)).putInt(3).putLong(0).putLong(6);
    key(file, "general.architecture", 8);
    string(file, "odd".getBytes(StandardCharsets.US_ASCII));
    key(file, "bytes", 8);
    string(file, new byte[] {'a', (byte) 0xFF, 'b'});
    key(file, "large", 10).putLong(-1);
    key(file, "nan", 6).putFloat(Float.NaN);
    key(file, "key\033[1A", 8);
    string(file, new byte[] {'x'});
    key(file, "colour", 8);
    string(file, "red\033[31m".getBytes(StandardCharsets.US_ASCII));
    return file.array();
  }

  private static ByteBuffer key(ByteBuffer file, String name, int type) {
    string(file, name.getBytes(StandardCharsets.US_ASCII));
    return file.putInt(type);
  }

  private static void string(ByteBuffer file, byte[] bytes) {
    file.putLong(bytes.length).put(bytes);
  }
}
