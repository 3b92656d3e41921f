package dev.nautil.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.nautil.registry.Descriptor;
import dev.nautil.registry.Digest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** Blobs that arrive in pieces lie in large pages of memory, where the file system has them. */
@EnabledOnOs(OS.LINUX)
class LargePagesTest {
  private static final int PAGE = 2 << 20;

  // The last page is not a whole one, and neither is the last piece.
  private static final byte[] CONTENT = new byte[16 * PAGE + 300_001];

  static {
    new Random(1).nextBytes(CONTENT);
  }

  @TempDir Path folder;

  /** Bytes of a file's cache that a map of it shows in large pages. */
  private static long inLargePages(Path file) throws IOException {
    try (FileChannel channel = FileChannel.open(file)) {
      MappedByteBuffer map = channel.map(FileChannel.MapMode.READ_ONLY, 0, channel.size());
      map.load();
      long bytes = 0;
      boolean isOurs = false;
      for (String line : Files.readAllLines(Path.of("/proc/self/smaps"))) {
        if (line.matches("[0-9a-f]+-[0-9a-f]+ .*")) {
          isOurs = line.endsWith(file.toString());
        } else if (isOurs && line.startsWith("FilePmdMapped:")) {
          bytes += Long.parseLong(line.replaceAll("[^0-9]", "")) << 10;
        }
      }
      // Until here it is mapped.
      assertEquals(CONTENT[0], map.get(0));
      return bytes;
    }
  }

  private Path writtenInPages() throws IOException {
    Path file = folder.resolve("pages");
    try (FileChannel channel =
        FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
      ByteBuffer bytes = ByteBuffer.allocateDirect(CONTENT.length).put(CONTENT).flip();
      for (int at = 0; at < CONTENT.length; at += PAGE) {
        channel.write(bytes.limit(Math.min(CONTENT.length, at + PAGE)).position(at), at);
      }
    }
    return file;
  }

  private Path arrived() throws Exception {
    Digest digest = Digest.sha256(CONTENT);
    StoreFolder store = new StoreFolder(folder.resolve("store"));
    Path file = store.blob(digest);
    Descriptor descriptor =
        new Descriptor("application/octet-stream", digest, CONTENT.length, Map.of());
    try (PartialBlob blob = new PartialBlob(store, descriptor)) {
      byte[] buffer = new byte[Journal.PIECE];
      for (PartialBlob.Segment segment = blob.take(2); segment != null; segment = blob.take(2)) {
        for (int piece = segment.first(); piece < segment.last(); piece++) {
          int start = (int) Journal.start(piece);
          System.arraycopy(CONTENT, start, buffer, 0, blob.length(piece));
          blob.makeRoom(segment, piece);
          assertTrue(blob.write(piece, buffer));
        }
        blob.release(segment);
      }
      assertEquals(digest, blob.hash());
      blob.keep(file);
    }
    return file;
  }

  @Test
  void arriveInLargePages() throws Exception {
    long possible = inLargePages(writtenInPages());
    assumeTrue(possible > 0, "the file system has no large pages");
    Path file = arrived();
    assertTrue(Arrays.equals(CONTENT, Files.readAllBytes(file)));
    long found = inLargePages(file);
    assertTrue(found >= possible / 2, found + " bytes, and " + possible + " if written so");
  }
}
