package dev.nautil.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.GgufException;
import dev.nautil.ModelFileException;
import dev.nautil.tokenizer.StringTable;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class NativeFileTest {
  @TempDir Path folder;

  private NativeFile open(GgufBuilder gguf) throws IOException {
    return NativeFile.open(gguf.write(folder.resolve("é ü.gguf")), false);
  }

  @Test
  void scalarsBecomeJavaValues() throws IOException {
    GgufBuilder gguf =
        new GgufBuilder()
            .scalar("uint8", 0, 1, 0xff)
            .scalar("int8", 1, 1, -2)
            .scalar("uint16", 2, 2, 0xffff)
            .scalar("int16", 3, 2, -3)
            .scalar("uint32", 4, 4, 0xffffffffL)
            .scalar("int32", 5, 4, -4)
            .scalar("float32", 6, 4, Float.floatToIntBits(1.5f))
            .scalar("bool", 7, 1, 1)
            .scalar("uint64", 10, 8, -1)
            .scalar("int64", 11, 8, Long.MIN_VALUE)
            .scalar("float64", 12, 8, Double.doubleToLongBits(2.25))
            .string("string", "naïve 🙂");
    try (NativeFile file = open(gguf)) {
      assertEquals(255, file.get("uint8"));
      assertEquals(-2, file.get("int8"));
      assertEquals(65535, file.get("uint16"));
      assertEquals(-3, file.get("int16"));
      assertEquals(4294967295L, file.get("uint32"));
      assertEquals(-4, file.get("int32"));
      assertEquals(1.5f, file.get("float32"));
      assertEquals(true, file.get("bool"));
      assertEquals(new BigInteger("18446744073709551615"), file.get("uint64"));
      assertEquals(Long.MIN_VALUE, file.get("int64"));
      assertEquals(2.25, file.get("float64"));
      assertEquals("naïve 🙂", file.get("string"));
      assertNull(file.get("missing"));
      assertEquals("uint8", file.keys().iterator().next());
      assertEquals(12, file.info().metadataCount());
    }
  }

  @Test
  void arraysBecomeJavaArrays() throws IOException {
    GgufBuilder gguf =
        new GgufBuilder()
            .array("uint8", 0, 1, 1, 0xff)
            .array("int32", 5, 4, -1, 2, 3)
            .array("uint32", 4, 4, 0xffffffffL)
            .array("int64", 11, 8, Long.MAX_VALUE)
            .array("float32", 6, 4, Float.floatToIntBits(0.5f), Float.floatToIntBits(-2))
            .array("float64", 12, 8, Double.doubleToLongBits(0.125))
            .array("bool", 7, 1, 1, 0)
            .array("empty", 5, 4)
            .strings("strings", "a", "", "épée")
            .strings("no strings")
            .nested("nested", new int[] {1, 2}, new int[] {}, new int[] {-3});
    try (NativeFile file = open(gguf)) {
      assertArrayEquals(new int[] {1, 255}, (int[]) file.get("uint8"));
      assertArrayEquals(new int[] {-1, 2, 3}, (int[]) file.get("int32"));
      assertArrayEquals(new long[] {4294967295L}, (long[]) file.get("uint32"));
      assertArrayEquals(new long[] {Long.MAX_VALUE}, (long[]) file.get("int64"));
      assertArrayEquals(new float[] {0.5f, -2}, (float[]) file.get("float32"));
      assertArrayEquals(new double[] {0.125}, (double[]) file.get("float64"));
      assertArrayEquals(new boolean[] {true, false}, (boolean[]) file.get("bool"));
      assertArrayEquals(new int[0], (int[]) file.get("empty"));
      StringTable strings = (StringTable) file.get("strings");
      assertEquals(3, strings.size());
      assertEquals("a", strings.string(0));
      assertEquals("", strings.string(1));
      assertEquals("épée", strings.string(2));
      assertEquals(0, ((StringTable) file.get("no strings")).size());
      List<?> nested = (List<?>) file.get("nested");
      assertEquals(3, nested.size());
      assertArrayEquals(new int[] {1, 2}, (int[]) nested.get(0));
      assertArrayEquals(new int[0], (int[]) nested.get(1));
      assertArrayEquals(new int[] {-3}, (int[]) nested.get(2));
    }
  }

  @Test
  void tensorsAreListedAndDecoded() throws IOException {
    GgufBuilder gguf = new GgufBuilder().tensor("t", 3, 2, new float[] {1, 2, 3, 4, 5, 6});
    try (NativeFile file = open(gguf)) {
      TensorInfo tensor = file.tensors().get(0);
      assertEquals("t", tensor.name());
      assertArrayEquals(new long[] {2, 3}, tensor.shape());
      assertEquals("F32", Native.typeName(tensor.type()));
      assertEquals(24, tensor.bytes());
      assertArrayEquals(new float[] {3, 4, 5, 6}, file.decodeRows(0, 1, 2));
      assertThrows(IllegalArgumentException.class, () -> file.decodeRows(0, 2, 2));
      assertThrows(IllegalArgumentException.class, () -> file.decodeRows(1, 0, 1));
      file.touch(0, Long.MAX_VALUE);
    }
  }

  @Test
  void aMalformedFileSaysWhere() throws IOException {
    Path path = folder.resolve("cut.gguf");
    byte[] whole = new GgufBuilder().string("general.architecture", "llama").build();
    Files.write(path, Arrays.copyOf(whole, 40));
    GgufException e = assertThrows(GgufException.class, () -> NativeFile.open(path, false));
    assertEquals(path, e.file());
    assertTrue(e.offset() >= 0 && e.offset() <= 40, e.getMessage());
    assertTrue(e.getMessage().startsWith(path + " at byte " + e.offset() + ": " + e.reason()));
  }

  @Test
  void aMissingFileIsNamed() {
    Path path = folder.resolve("missing.gguf");
    ModelFileException e =
        assertThrows(ModelFileException.class, () -> NativeFile.open(path, false));
    assertTrue(e.getMessage().contains("missing.gguf"), e.getMessage());
  }

  @Test
  void aCopyDoesNotNeedTheFile() throws IOException {
    Path path =
        new GgufBuilder().tensor("t", 1, 2, new float[] {7, 8}).write(folder.resolve("c.gguf"));
    try (NativeFile file = NativeFile.open(path, true)) {
      Files.write(path, new byte[0]);
      assertArrayEquals(new float[] {7, 8}, file.decodeRows(0, 0, 1));
    }
  }

  @Test
  void aClosedFileRefuses() throws IOException {
    NativeFile file = open(new GgufBuilder().string("k", "v"));
    file.close();
    file.close();
    assertThrows(IllegalStateException.class, () -> file.get("k"));
  }
}
