package dev.nautil.tokenizer;

import dev.nautil.TestModels;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;

/**
 * Reads the vocabulary of a GGUF file (or of one cut off after its metadata) for tests, so that
 * they need no native code.
 */
final class GgufVocabulary {
  private static final int FLOAT32 = 6;
  private static final int BOOL = 7;
  private static final int STRING = 8;
  private static final int ARRAY = 9;
  private static final int[] SIZES = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

  private final ByteBuffer in;

  private GgufVocabulary(ByteBuffer in) {
    this.in = in;
  }

  /** The vocabulary of a file in the folder of test models; the message says how to make it. */
  static Vocabulary model(String file) {
    Path path = TestModels.path(file);
    try (FileChannel channel = FileChannel.open(path)) {
      return read(channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size()));
    } catch (IOException e) {
      throw new AssertionError("cannot read " + path, e);
    }
  }

  static Vocabulary read(ByteBuffer file) {
    return new GgufVocabulary(file.order(ByteOrder.LITTLE_ENDIAN)).vocabulary();
  }

  private Vocabulary vocabulary() {
    in.position(16); // magic, version, number of tensors
    long count = in.getLong();
    Map<String, Object> keys = new HashMap<>();
    for (long i = 0; i < count; i++) {
      String key = string();
      int type = in.getInt();
      Object value = value(type);
      if (key.startsWith("tokenizer.ggml.")) {
        keys.put(key.substring("tokenizer.ggml.".length()), value);
      }
    }
    Vocabulary.Builder b =
        Vocabulary.builder((String) keys.get("model"), (StringTable) keys.get("tokens"));
    keys.forEach((key, value) -> set(b, key, value));
    return b.build();
  }

  private static void set(Vocabulary.Builder b, String key, Object value) {
    switch (key) {
      case "pre" -> b.pre((String) value);
      case "token_type" -> b.types((int[]) value);
      case "scores" -> b.scores((float[]) value);
      case "merges" -> b.merges((StringTable) value);
      case "bos_token_id" -> b.bos((int) value);
      case "eos_token_id" -> b.eos((int) value);
      case "eot_token_id" -> b.eot((int) value);
      case "unknown_token_id" -> b.unk((int) value);
      case "padding_token_id" -> b.padding((int) value);
      case "add_bos_token" -> b.addBos((boolean) value);
      case "add_eos_token" -> b.addEos((boolean) value);
      case "add_space_prefix" -> b.addSpacePrefix((boolean) value);
      default -> {}
    }
  }

  private Object value(int type) {
    if (type == STRING) {
      return string();
    }
    if (type == ARRAY) {
      int element = in.getInt();
      int n = Math.toIntExact(in.getLong());
      return element == STRING ? strings(n) : element == FLOAT32 ? floats(n) : ints(element, n);
    }
    if (type == BOOL) {
      return in.get() != 0;
    }
    return ints(type, 1)[0];
  }

  private StringTable strings(int n) {
    int start = in.position();
    int[] offsets = new int[n + 1];
    for (int i = 0; i < n; i++) {
      int length = Math.toIntExact(in.getLong());
      offsets[i + 1] = offsets[i] + length;
      in.position(in.position() + length);
    }
    byte[] bytes = new byte[offsets[n]];
    in.position(start);
    for (int i = 0; i < n; i++) {
      in.getLong();
      in.get(bytes, offsets[i], offsets[i + 1] - offsets[i]);
    }
    return new StringTable(bytes, offsets);
  }

  private float[] floats(int n) {
    float[] values = new float[n];
    for (int i = 0; i < n; i++) {
      values[i] = in.getFloat();
    }
    return values;
  }

  /** Values of four bytes as they are; others, which no test asks for, are passed over. */
  private int[] ints(int type, int n) {
    int[] values = new int[n];
    for (int i = 0; i < n; i++) {
      if (SIZES[type] == 4) {
        values[i] = in.getInt();
      } else {
        in.position(in.position() + SIZES[type]);
      }
    }
    return values;
  }

  private String string() {
    byte[] bytes = new byte[Math.toIntExact(in.getLong())];
    in.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
