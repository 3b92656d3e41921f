package dev.nautil.internal;

import org.bytedeco.javacpp.Loader;
import org.bytedeco.javacpp.Pointer;
import org.bytedeco.openblas.global.openblas_nolapack;
import org.jspecify.annotations.Nullable;

/**
 * OpenBLAS, where an application has it on its class or module path. It is loaded when first asked
 * for, and bounded to one thread of its own for the whole process: the core calls it from all the
 * threads of a pool.
 */
final class Blas {
  private Blas() {}

  private static final class Library {
    static final @Nullable Pointer SGEMM = tryToLoad();

    private static @Nullable Pointer tryToLoad() {
      try {
        Loader.load(openblas_nolapack.class);
        org.bytedeco.openblas.presets.openblas_nolapack.blas_set_num_threads(1);
        return Loader.addressof("cblas_sgemm");
      } catch (LinkageError | RuntimeException e) {
        return null;
      } catch (OutOfMemoryError e) {
        // JavaCPP's, which counts the process's memory: bounding the threads allocates a few bytes.
        return null;
      }
    }
  }

  /** The address of {@code cblas_sgemm}, or null where there is no OpenBLAS for this platform. */
  static @Nullable Pointer sgemm() {
    return Library.SGEMM;
  }
}
