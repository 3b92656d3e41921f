package dev.nautil.internal;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.JavaProcess;
import dev.nautil.NautilException;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import org.junit.jupiter.api.Test;

public class NativeTest {
  @Test
  void theCoreDescribesTheProcess() {
    List<String> levels =
        List.of(
            "scalar",
            "avx2",
            "avx_vnni",
            "avx512_vnni",
            "avx512_vbmi",
            "amx_int8",
            "neon",
            "neon_dotprod",
            "neon_i8mm");
    assertTrue(levels.contains(Native.isa()), Native.isa());
    assertTrue(Native.defaultThreads() >= 1);
    assertTrue(Native.availableMemory() > 0);
    assertEquals("Q4_K", Native.typeName(12));
    assertNull(Native.typeName(9999));
  }

  /** In a process of its own, since a library is loaded once. */
  @Test
  void aPlatformWithoutALibraryIsNamed() throws IOException, InterruptedException {
    Process process =
        JavaProcess.of(
                List.of(
                    "-Dorg.bytedeco.javacpp.platform=linux-mips64el",
                    WithoutLibrary.class.getName()))
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    process.waitFor();
    assertTrue(output.startsWith("Nautil's native library for linux-mips64el cannot be"), output);
  }

  public static final class WithoutLibrary {
    public static void main(String[] args) {
      try {
        new NativePool(1).close();
        System.out.println("no exception");
      } catch (NautilException e) {
        assertNotNull(e.getCause());
        System.out.println(e.getMessage());
      }
    }
  }
}
