package dev.nautil.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.json.JsonMapper;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Whether a store's folder is as package-info promises, by the files alone: nothing of this is
 * shared with the code that writes them.
 */
final class StoreCheck {
  private static final int PIECE = 256 << 10;
  private static final int JOURNAL_HEAD = 24;
  private static final JsonMapper MAPPER = new JsonMapper();

  private final Path root;

  StoreCheck(Path root) {
    this.root = root;
  }

  /**
   * Fails unless all that has its final name is whole.
   *
   * @param sources what the blobs are to hold, by digest, to which what a journal says is compared
   * @return the references, and what they name
   */
  Map<String, String> requireValid(Map<String, Path> sources) throws IOException {
    for (Path file : files("blobs/sha256")) {
      String name = file.getFileName().toString();
      if (isHash(name)) {
        assertEquals(name, sha256(Files.readAllBytes(file)), "the content of a blob");
      } else if (name.endsWith(".journal")) {
        requireTrue(file, sources);
      } else {
        assertTrue(name.matches("[0-9a-f]{64}\\.(incomplete|link)|\\.nautil-.*\\.tmp"), name);
      }
    }
    for (Path file : files("manifests/sha256")) {
      String name = file.getFileName().toString();
      assertTrue(isTemporary(name) || name.equals(sha256(Files.readAllBytes(file))), name);
    }
    Map<String, String> references = new TreeMap<>();
    for (Path file : files("references")) {
      if (isTemporary(file.getFileName().toString())) {
        continue;
      }
      String[] lines = Files.readString(file).split("\n", -1);
      assertEquals(2, lines.length, "lines of a reference");
      assertEquals(
          file.getFileName().toString(), sha256(lines[0].getBytes(StandardCharsets.UTF_8)));
      requireWhole(lines[1]);
      references.put(lines[0], lines[1]);
    }
    return references;
  }

  /** Fails unless nothing is there that no reference, and no pull that goes on, names. */
  void requireNoWaste() throws IOException {
    Set<String> blobs = new TreeSet<>();
    Set<String> manifests = new TreeSet<>();
    for (Path file : files("references")) {
      String id = Files.readString(file).split("\n")[1].substring(7);
      manifests.add(id);
      blobs.addAll(blobsOf(Files.readAllBytes(root.resolve("manifests/sha256").resolve(id))));
    }
    assertEquals(manifests, names("manifests/sha256"));
    assertEquals(Set.of(), names("pulls"));
    assertEquals(blobs, names("blobs/sha256"));
    assertTrue(manifests.containsAll(names("parts")), "links of models that are gone");
  }

  private void requireWhole(String id) throws IOException {
    byte[] manifest =
        Files.readAllBytes(
            root.resolve("manifests/sha256").resolve(id.substring("sha256:".length())));
    for (String blob : blobsOf(manifest)) {
      assertTrue(
          Files.isRegularFile(root.resolve("blobs/sha256").resolve(blob)),
          "the model lacks " + blob);
    }
  }

  private static Set<String> blobsOf(byte[] manifest) throws IOException {
    JsonNode json = MAPPER.readTree(manifest);
    Set<String> all = new TreeSet<>();
    all.add(json.at("/config/digest").textValue().substring(7));
    json.get("layers").forEach(layer -> all.add(layer.get("digest").textValue().substring(7)));
    return all;
  }

  private void requireTrue(Path journal, Map<String, Path> sources) throws IOException {
    String hash = journal.getFileName().toString().replace(".journal", "");
    Path incomplete = journal.resolveSibling(hash + ".incomplete");
    Path source = sources.get("sha256:" + hash);
    if (source == null || !Files.exists(incomplete)) {
      return;
    }
    byte[] wanted = Files.readAllBytes(source);
    byte[] there = Files.readAllBytes(incomplete);
    BitSet pieces = pieces("sha256:" + hash);
    for (int i = pieces.nextSetBit(0); i >= 0; i = pieces.nextSetBit(i + 1)) {
      int from = i * PIECE;
      int to = Math.min(wanted.length, from + PIECE);
      assertTrue(to <= there.length, "piece " + i + " is behind the end");
      assertTrue(Arrays.equals(wanted, from, to, there, from, to), "piece " + i + " is another");
    }
  }

  /** The pieces of a blob that its journal says are there; none without one. */
  BitSet pieces(String digest) throws IOException {
    BitSet pieces = new BitSet();
    byte[] content;
    try {
      content =
          Files.readAllBytes(
              root.resolve("blobs/sha256").resolve(digest.substring(7) + ".journal"));
    } catch (NoSuchFileException e) {
      return pieces;
    }
    if (content.length > JOURNAL_HEAD) {
      assertEquals(PIECE, ByteBuffer.wrap(content).getLong(16));
    }
    for (int i = JOURNAL_HEAD; i < content.length; i++) {
      pieces.set(i - JOURNAL_HEAD, content[i] == 1);
    }
    return pieces;
  }

  boolean hasBlob(String digest) {
    return Files.exists(root.resolve("blobs/sha256").resolve(digest.substring(7)));
  }

  private Set<String> names(String folder) throws IOException {
    Set<String> all = new TreeSet<>();
    files(folder).forEach(file -> all.add(file.getFileName().toString()));
    return all;
  }

  private List<Path> files(String folder) throws IOException {
    List<Path> all = new ArrayList<>();
    try (DirectoryStream<Path> stream = Files.newDirectoryStream(root.resolve(folder))) {
      stream.forEach(all::add);
    } catch (NoSuchFileException e) {
      // Nothing has been put there yet.
    }
    return all;
  }

  private static boolean isTemporary(String name) {
    return name.startsWith(".nautil-");
  }

  private static boolean isHash(String name) {
    return name.matches("[0-9a-f]{64}");
  }

  static String sha256(byte[] bytes) {
    try {
      return HexFormat.of().formatHex(MessageDigest.getInstance("SHA-256").digest(bytes));
    } catch (NoSuchAlgorithmException e) {
      throw new AssertionError(e);
    }
  }
}
