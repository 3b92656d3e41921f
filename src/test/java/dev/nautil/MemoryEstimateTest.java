package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.engine.ModelFile;
import dev.nautil.internal.IncompleteHeaderException;
import dev.nautil.internal.NativeFile;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What is measured of a full context, scripts/oracle/test_memory.py compares. */
class MemoryEstimateTest {
  private static final Path MODEL = TestModels.smolLm2();

  @TempDir Path folder;

  @Test
  void countsWhatAContextTakes() {
    MemoryEstimate own = Model.estimate(MODEL);
    assertEquals(8192, own.contextSize());
    assertTrue(own.fits());
    assertEquals(own.totalBytes(), own.weightBytes() + own.kvCacheBytes() + own.workingBytes());
    assertTrue(0 < own.availableBytes() && own.availableBytes() <= own.physicalBytes());
    assertTrue(own.largestContext() >= 8192);

    ModelOptions options = Model.options().contextSize(100).kvCacheType(KvCacheType.Q8_0);
    MemoryEstimate small = Model.estimate(MODEL, options);
    assertEquals(100, small.contextSize());
    assertEquals(KvCacheType.Q8_0, small.kvCacheType());
    // Two pages of 64 tokens; 2 · 30 layers · 3 heads · 64 values, 34 bytes for 32.
    assertEquals(128 * 2 * 30 * 3 * 64 / 32 * 34, small.kvCacheBytes());
    assertEquals(own.weightBytes(), small.weightBytes());

    ModelOptions limited = Model.options().maxContextSize(300);
    assertEquals(300, Model.estimate(MODEL, limited).contextSize());
    assertEquals(400, Model.estimate(MODEL, limited.contextSize(400)).contextSize());
    assertEquals(8192, Model.estimate(MODEL, limited.maxContextSize(9000)).contextSize());

    MemoryEstimate large = Model.estimate(MODEL, Model.options().contextSize(1 << 30));
    assertFalse(large.fits());
    assertFalse(
        Model.estimate(MODEL, Model.options().contextSize(1 << 30).allowOvercommit()).fits());
  }

  @Test
  void sizesAreThoseOfTheOpenModel() {
    try (Model model = Model.open(MODEL)) {
      MemoryEstimate estimate = Model.estimate(MODEL);
      ModelDescription description = model.describe();
      assertEquals(
          description.kvBytesPerToken() * description.contextSize(), estimate.kvCacheBytes());
    }
  }

  /** As the first bytes of a file elsewhere are fetched, and more where they do not suffice. */
  @Test
  void needsTheHeaderAlone() throws IOException {
    Path prefix = folder.resolve("prefix.gguf");
    int rounds = 0;
    for (long bytes = 1000; ; rounds++) {
      cut(prefix, bytes);
      try (NativeFile header = NativeFile.openHeader(prefix);
          NativeFile whole = NativeFile.open(MODEL, false)) {
        assertEquals(ModelFile.name(whole), ModelFile.name(header));
        assertEquals("llama", ModelFile.architecture(header));
        assertEquals("Q4_1", ModelFile.quantization(header));
        assertEquals(134_515_008, ModelFile.parameters(header));
        assertEquals(8192L, header.get("llama.context_length"));
        assertEquals(whole.info().tensorBytes(), header.info().tensorBytes());
        assertEquals(Files.size(MODEL), header.info().fileBytes());
        assertThrows(IllegalArgumentException.class, () -> header.decodeRows(0, 0, 1));
        break;
      } catch (IncompleteHeaderException e) {
        assertTrue(e.neededBytes() > bytes && e.neededBytes() < Files.size(MODEL), e.getMessage());
        assertThrows(GgufException.class, () -> Model.estimate(prefix));
        bytes = Math.max(2 * bytes, e.neededBytes());
      }
    }
    assertTrue(rounds > 1);
    MemoryEstimate ofPrefix = Model.estimate(prefix);
    MemoryEstimate ofWhole = Model.estimate(MODEL);
    assertEquals(ofWhole.totalBytes(), ofPrefix.totalBytes());
    assertThrows(GgufException.class, () -> Model.open(prefix));
  }

  private static void cut(Path file, long bytes) throws IOException {
    try (InputStream in = Files.newInputStream(MODEL)) {
      Files.write(file, in.readNBytes(Math.toIntExact(bytes)));
    }
  }

  @Test
  void refusesWhatItCannotEstimate() {
    assertThrows(
        UnsupportedModelException.class,
        () -> Model.estimate(TestModels.path("bad-architecture.gguf")));
    assertThrows(ModelFileException.class, () -> Model.estimate(folder.resolve("missing.gguf")));
  }
}
