package dev.nautil.internal;

import dev.nautil.internal.bindings.Nautil;
import dev.nautil.tokenizer.StringTable;
import java.math.BigInteger;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Reads metadata values as GGUF encodes them. The core has checked their lengths already; a buffer
 * checks them again.
 */
final class MetadataReader {
  private final ByteBuffer data;

  /**
   * @param data little-endian, at the start of a value
   */
  MetadataReader(ByteBuffer data) {
    this.data = data;
  }

  Object value(int type) {
    return switch (type) {
      case Nautil.NT_KV_UINT8 -> Byte.toUnsignedInt(data.get());
      case Nautil.NT_KV_INT8 -> (int) data.get();
      case Nautil.NT_KV_UINT16 -> Short.toUnsignedInt(data.getShort());
      case Nautil.NT_KV_INT16 -> (int) data.getShort();
      case Nautil.NT_KV_UINT32 -> Integer.toUnsignedLong(data.getInt());
      case Nautil.NT_KV_INT32 -> data.getInt();
      case Nautil.NT_KV_UINT64 -> unsigned(data.getLong());
      case Nautil.NT_KV_INT64 -> data.getLong();
      case Nautil.NT_KV_FLOAT32 -> data.getFloat();
      case Nautil.NT_KV_FLOAT64 -> data.getDouble();
      case Nautil.NT_KV_BOOL -> data.get() != 0;
      case Nautil.NT_KV_STRING -> string();
      case Nautil.NT_KV_ARRAY -> {
        int elementType = data.getInt();
        yield array(elementType, data.getLong());
      }
      default -> throw new IllegalArgumentException("metadata type " + type);
    };
  }

  Object array(int elementType, long count) {
    int n = Math.toIntExact(count);
    return switch (elementType) {
      case Nautil.NT_KV_UINT8,
          Nautil.NT_KV_INT8,
          Nautil.NT_KV_UINT16,
          Nautil.NT_KV_INT16,
          Nautil.NT_KV_INT32 ->
          ints(elementType, n);
      case Nautil.NT_KV_UINT32, Nautil.NT_KV_INT64 -> longs(elementType, n);
      case Nautil.NT_KV_FLOAT32 -> floats(n);
      case Nautil.NT_KV_FLOAT64 -> doubles(n);
      case Nautil.NT_KV_BOOL -> booleans(n);
      case Nautil.NT_KV_STRING -> strings(n);
      default -> list(elementType, n);
    };
  }

  private String string() {
    byte[] bytes = new byte[Math.toIntExact(data.getLong())];
    data.get(bytes);
    return new String(bytes, StandardCharsets.UTF_8);
  }

  private static Number unsigned(long bits) {
    return bits >= 0 ? (Number) bits : new BigInteger(Long.toUnsignedString(bits));
  }

  private int[] ints(int type, int n) {
    int[] values = new int[n];
    for (int i = 0; i < n; i++) {
      values[i] = (Integer) value(type);
    }
    return values;
  }

  private long[] longs(int type, int n) {
    long[] values = new long[n];
    for (int i = 0; i < n; i++) {
      values[i] = (Long) value(type);
    }
    return values;
  }

  private float[] floats(int n) {
    float[] values = new float[n];
    data.asFloatBuffer().get(values);
    data.position(data.position() + n * Float.BYTES);
    return values;
  }

  private double[] doubles(int n) {
    double[] values = new double[n];
    data.asDoubleBuffer().get(values);
    data.position(data.position() + n * Double.BYTES);
    return values;
  }

  private boolean[] booleans(int n) {
    boolean[] values = new boolean[n];
    for (int i = 0; i < n; i++) {
      values[i] = data.get() != 0;
    }
    return values;
  }

  private StringTable strings(int n) {
    int[] offsets = new int[n + 1];
    byte[] bytes = new byte[data.remaining()];
    for (int i = 0; i < n; i++) {
      int length = Math.toIntExact(data.getLong());
      data.get(bytes, offsets[i], length);
      offsets[i + 1] = offsets[i] + length;
    }
    return new StringTable(Arrays.copyOf(bytes, offsets[n]), offsets);
  }

  private List<Object> list(int elementType, int n) {
    List<Object> values = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      values.add(value(elementType));
    }
    return List.copyOf(values);
  }
}
