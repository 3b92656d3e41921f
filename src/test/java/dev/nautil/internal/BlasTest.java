package dev.nautil.internal;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;

import dev.nautil.KvCacheType;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import org.bytedeco.openblas.presets.openblas_nolapack;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class BlasTest {
  @TempDir Path folder;

  @Test
  void openBlasIsFoundAndBoundToOneThread() {
    assertNotNull(Blas.sgemm());
    assertEquals(1, openblas_nolapack.blas_get_num_threads());
  }

  /** Enough columns that the core gives the products to the BLAS. */
  @Test
  void logitsAreTheSameWithAndWithoutIt() throws IOException {
    Path path = GgufBuilder.llama(100, 512).write(folder.resolve("llama.gguf"));
    try (NativeFile file = NativeFile.open(path, false);
        NativeModel model = new NativeModel(file);
        NativePool pool = new NativePool(2)) {
      float[] expected = logits(model, pool, false);
      // Another order of additions flips the last bit of some F16 keys and values, 2^-10 of
      // themselves; the logits are about 8.
      assertArrayEquals(expected, logits(model, pool, true), 8 * 0x1p-10f);
    }
  }

  private static float[] logits(NativeModel model, NativePool pool, boolean blas) {
    try (NativeContext context =
        new NativeContext(
            model, pool, new ContextParams(512, 1, 0, false, false, KvCacheType.F16, blas))) {
      int n = 256;
      int[] tokens = new int[n];
      int[] positions = new int[n];
      Arrays.setAll(tokens, i -> i * 7 % 100);
      Arrays.setAll(positions, i -> i);
      byte[] want = new byte[n];
      want[n - 1] = 1;
      context.decode(tokens, new int[n], positions, want, null);
      return context.logits(0);
    }
  }
}
