package dev.nautil.internal;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;

/** Memory of C structs and strings, in direct buffers that the pointers over them keep alive. */
final class Struct {
  private Struct() {}

  /** Zeroed memory for {@code count} structs; wrap it in the type's pointer constructor. */
  static Pointer allocate(Class<? extends Pointer> type, int count) {
    return new Pointer(buffer(Math.multiplyExact(count, size(type))));
  }

  static int size(Class<? extends Pointer> type) {
    Native.load();
    return Loader.sizeof(type);
  }

  /** Bytes from the start of a struct to one of its fields, as the C++ compiler laid them out. */
  static int offset(Class<? extends Pointer> type, String field) {
    Native.load();
    return Loader.offsetof(type, field);
  }

  /** NUL-terminated UTF-8. */
  static BytePointer string(String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    ByteBuffer buffer = buffer(bytes.length + 1);
    buffer.put(0, bytes);
    return new BytePointer(buffer);
  }

  /** The memory behind a pointer of the core; valid as long as what owns it. */
  static ByteBuffer view(BytePointer pointer, long bytes) {
    if (bytes == 0) {
      return ByteBuffer.allocate(0).order(ByteOrder.LITTLE_ENDIAN);
    }
    return pointer
        .capacity(Math.toIntExact(bytes))
        .asByteBuffer()
        .asReadOnlyBuffer()
        .order(ByteOrder.LITTLE_ENDIAN);
  }

  static String utf8(BytePointer pointer, long bytes) {
    return StandardCharsets.UTF_8.decode(view(pointer, bytes)).toString();
  }

  static ByteBuffer buffer(int bytes) {
    return ByteBuffer.allocateDirect(bytes).order(ByteOrder.nativeOrder());
  }
}
