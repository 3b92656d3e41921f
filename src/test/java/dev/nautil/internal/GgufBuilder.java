package dev.nautil.internal;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Random;

/** Writes GGUF version 3 files for tests, F32 tensors only. */
public final class GgufBuilder {
  private static final int ALIGNMENT = 32;

  /** Bytes under construction, little-endian. */
  private static final class Out {
    final ByteArrayOutputStream bytes = new ByteArrayOutputStream();

    Out put(int size, long value) {
      byte[] b = ByteBuffer.allocate(8).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
      bytes.write(b, 0, size);
      return this;
    }

    Out string(String text) {
      byte[] utf8 = text.getBytes(StandardCharsets.UTF_8);
      put(8, utf8.length);
      bytes.writeBytes(utf8);
      return this;
    }
  }

  private final Out metadata = new Out();
  private final Out tensors = new Out();
  private final Out data = new Out();
  private long metadataCount;
  private long tensorCount;

  /** A value of a scalar type, given by its bits. */
  public GgufBuilder scalar(String key, int type, int size, long bits) {
    key(key, type).put(size, bits);
    return this;
  }

  public GgufBuilder uint32(String key, int value) {
    return scalar(key, 4, 4, value);
  }

  public GgufBuilder string(String key, String value) {
    key(key, 8).string(value);
    return this;
  }

  public GgufBuilder strings(String key, String... values) {
    Out out = key(key, 9).put(4, 8).put(8, values.length);
    for (String value : values) {
      out.string(value);
    }
    return this;
  }

  /** An array of a scalar type. */
  public GgufBuilder array(String key, int type, int size, long... bits) {
    Out out = key(key, 9).put(4, type).put(8, bits.length);
    for (long value : bits) {
      out.put(size, value);
    }
    return this;
  }

  /** An array of arrays of INT32. */
  public GgufBuilder nested(String key, int[]... arrays) {
    Out out = key(key, 9).put(4, 9).put(8, arrays.length);
    for (int[] array : arrays) {
      out.put(4, 5).put(8, array.length);
      for (int value : array) {
        out.put(4, value);
      }
    }
    return this;
  }

  /** A tensor of {@code (rows, columns)}, or of one dimension where rows is 0. */
  public GgufBuilder tensor(String name, int rows, int columns, float[] values) {
    while (data.bytes.size() % ALIGNMENT != 0) {
      data.put(1, 0);
    }
    tensors.string(name).put(4, rows == 0 ? 1 : 2).put(8, columns);
    if (rows != 0) {
      tensors.put(8, rows);
    }
    tensors.put(4, 0).put(8, data.bytes.size());
    for (float value : values) {
      data.put(4, Float.floatToRawIntBits(value));
    }
    tensorCount++;
    return this;
  }

  /** A llama model with random weights: 2 layers, 2 heads of 16, embedding 32. */
  public static GgufBuilder llama(int vocabulary, int contextLength) {
    Random random = new Random(1);
    GgufBuilder gguf =
        new GgufBuilder()
            .string("general.architecture", "llama")
            .uint32("llama.embedding_length", 32)
            .uint32("llama.block_count", 2)
            .uint32("llama.attention.head_count", 2)
            .uint32("llama.attention.head_count_kv", 1)
            .uint32("llama.feed_forward_length", 64)
            .scalar("llama.attention.layer_norm_rms_epsilon", 6, 4, Float.floatToIntBits(1e-5f))
            .uint32("llama.context_length", contextLength);
    gguf.random(random, "token_embd.weight", vocabulary, 32);
    gguf.random(random, "output_norm.weight", 0, 32);
    for (int i = 0; i < 2; i++) {
      String block = "blk." + i + ".";
      gguf.random(random, block + "attn_norm.weight", 0, 32);
      gguf.random(random, block + "attn_q.weight", 32, 32);
      gguf.random(random, block + "attn_k.weight", 16, 32);
      gguf.random(random, block + "attn_v.weight", 16, 32);
      gguf.random(random, block + "attn_output.weight", 32, 32);
      gguf.random(random, block + "ffn_norm.weight", 0, 32);
      gguf.random(random, block + "ffn_gate.weight", 64, 32);
      gguf.random(random, block + "ffn_up.weight", 64, 32);
      gguf.random(random, block + "ffn_down.weight", 32, 64);
    }
    return gguf;
  }

  public byte[] build() {
    Out out = new Out();
    out.bytes.writeBytes("GGUF".getBytes(StandardCharsets.US_ASCII));
    out.put(4, 3).put(8, tensorCount).put(8, metadataCount);
    out.bytes.writeBytes(metadata.bytes.toByteArray());
    out.bytes.writeBytes(tensors.bytes.toByteArray());
    while (out.bytes.size() % ALIGNMENT != 0) {
      out.put(1, 0);
    }
    out.bytes.writeBytes(data.bytes.toByteArray());
    return out.bytes.toByteArray();
  }

  public Path write(Path path) throws IOException {
    return Files.write(path, build());
  }

  private void random(Random random, String name, int rows, int columns) {
    float[] values = new float[Math.max(rows, 1) * columns];
    for (int i = 0; i < values.length; i++) {
      values[i] = (float) random.nextGaussian();
    }
    tensor(name, rows, columns, values);
  }

  private Out key(String key, int type) {
    metadataCount++;
    return metadata.string(key).put(4, type);
  }
}
