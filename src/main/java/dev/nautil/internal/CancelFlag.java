package dev.nautil.internal;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.IntBuffer;

/** A flag in native memory, which the core reads while it works. Thread-safe. */
public final class CancelFlag {
  private static final VarHandle INT =
      MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.nativeOrder());

  private final ByteBuffer memory =
      ByteBuffer.allocateDirect(Integer.BYTES).order(ByteOrder.nativeOrder());
  private final IntBuffer ints = memory.asIntBuffer();

  /** Makes the calls that were given this flag end soon with a {@code CancelledException}. */
  public void cancel() {
    INT.setVolatile(memory, 0, 1);
  }

  public boolean isCancelled() {
    return (int) INT.getVolatile(memory, 0) != 0;
  }

  /** Makes the flag fit for another call. */
  public void reset() {
    INT.setVolatile(memory, 0, 0);
  }

  IntBuffer buffer() {
    return ints;
  }
}
