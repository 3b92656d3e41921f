package dev.nautil.internal;

import dev.nautil.NautilException;
import dev.nautil.internal.bindings.Nautil;
import java.nio.charset.StandardCharsets;
import org.bytedeco.javacpp.BytePointer;
import org.bytedeco.javacpp.Loader;
import org.jspecify.annotations.Nullable;

/** The native library itself, and what the core says about this process. Thread-safe. */
public final class Native {
  private Native() {}

  /** Holds the loading, so that it happens once, and so that its failure can be told each time. */
  private static final class Library {
    static final @Nullable Throwable FAILURE = tryToLoad();

    private static @Nullable Throwable tryToLoad() {
      try {
        Loader.load(Nautil.class);
        return null;
      } catch (LinkageError | RuntimeException e) {
        return e;
      }
    }
  }

  /**
   * Loads the native library; does nothing the second time.
   *
   * @throws NautilException if there is none for this platform, or it cannot be loaded
   */
  public static void load() {
    Throwable failure = Library.FAILURE;
    if (failure != null) {
      throw new NautilException(
          "Nautil's native library for "
              + Loader.getPlatform()
              + " cannot be loaded ("
              + failure.getMessage()
              + "): use a build of Nautil for this platform, and let a cache be written below the"
              + " home or temporary folder, or below the system property"
              + " org.bytedeco.javacpp.cachedir",
          failure);
    }
  }

  public static String version() {
    load();
    return ascii(Nautil.nt_version());
  }

  /** The instruction set level that the kernels run at, such as "avx2". */
  public static String isa() {
    load();
    return ascii(Nautil.nt_isa());
  }

  /** How many threads the process may run at once. */
  public static int defaultThreads() {
    load();
    return Nautil.nt_default_threads();
  }

  /** Bytes that the process could still allocate without swapping. */
  public static long availableMemory() {
    load();
    return Nautil.nt_available_memory();
  }

  /** Resident anonymous memory of the process in bytes, or -1 where the system does not say. */
  public static long anonymousMemory() {
    load();
    return Nautil.nt_anonymous_memory();
  }

  /** The name of a tensor type, such as "Q4_K" for 12, or null if the core does not decode it. */
  public static @Nullable String typeName(int type) {
    load();
    BytePointer name = Nautil.nt_type_name(type);
    return name == null ? null : ascii(name);
  }

  private static String ascii(BytePointer text) {
    return text.getString(StandardCharsets.US_ASCII);
  }
}
