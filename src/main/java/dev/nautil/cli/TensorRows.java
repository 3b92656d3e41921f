package dev.nautil.cli;

import dev.nautil.internal.NativeFile;
import dev.nautil.internal.TensorInfo;
import java.io.IOException;

/** Rows of a tensor from {@code first} up to, not including, {@code last}. */
record TensorRows(NativeFile file, int index, TensorInfo info, long first, long last) {
  /** Values decoded at once, so that a large tensor does not fill the heap. */
  private static final int CHUNK = 1 << 20;

  /** Takes a row. */
  @FunctionalInterface
  interface Row {
    void accept(float[] values, int from, int to) throws IOException;
  }

  void forEach(Row row) throws IOException {
    int length = Math.toIntExact(info.shape()[0]);
    int rows = Math.max(1, CHUNK / Math.max(1, length));
    for (long start = first; start < last; start += rows) {
      int count = (int) Math.min(rows, last - start);
      float[] values = file.decodeRows(index, start, count);
      for (int i = 0; i < count; i++) {
        row.accept(values, i * length, (i + 1) * length);
      }
    }
  }
}
