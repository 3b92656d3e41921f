package dev.nautil.store;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.Model;
import dev.nautil.ModelStore;
import dev.nautil.ModelStore.Damage;
import dev.nautil.StoredModel;
import dev.nautil.TestModels;
import dev.nautil.registry.ModelArtifact;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What verify says of files that are not what they were, and how the next pull mends them. */
class DamageTest {
  private static final int LICENSE_SIZE = 700_000;

  @TempDir static Path folder;
  private static Origin origin;
  private static Origin.Source model;
  private static Origin.Source other;
  private static int homes;

  private Path home;
  private ModelStore store;
  private StoreCheck check;

  @BeforeAll
  static void start() throws IOException {
    origin = new Origin(folder);
    Path license = origin.file(LICENSE_SIZE);
    model =
        origin.push(
            "damaged",
            ModelArtifact.docker(TestModels.path("tiny-Q4_0.gguf"))
                .layer(license, ModelArtifact.DOCKER_LICENSE));
    other = origin.push("sound", ModelArtifact.docker(origin.file(100_000)));
  }

  @AfterAll
  static void stop() {
    origin.close();
  }

  @BeforeEach
  void pull() {
    home = folder.resolve("home-" + homes++);
    store = origin.store(home);
    check = new StoreCheck(home);
    store.pull(model.reference());
    store.pull(other.reference());
    assertEquals(List.of(), store.verify(progress -> {}));
    origin.proxy.reset();
  }

  private Path blob(int layer) {
    String digest = model.layers().get(layer).digest();
    return home.resolve("blobs/sha256").resolve(digest.substring(7));
  }

  private Path reference() {
    return home.resolve("references")
        .resolve(StoreCheck.sha256(model.reference().getBytes(StandardCharsets.UTF_8)));
  }

  private static void flip(Path file, int position) throws IOException {
    byte[] bytes = Files.readAllBytes(file);
    bytes[position] ^= 1;
    Files.write(file, bytes);
  }

  /**
   * Verify reports one thing; then, and after a removal of something else, a pull fetches so much.
   */
  private void requireMended(String reason, boolean isListed, long fetched) throws IOException {
    assertEquals(isListed ? 2 : 1, store.list().size());
    store.diskUsage();
    List<Damage> damages = store.verify(progress -> {});
    assertEquals(1, damages.size(), damages::toString);
    assertTrue(damages.get(0).reason().contains(reason), damages::toString);
    assertEquals(1, store.list().size());
    store.pull(model.reference());
    long sent = 0;
    for (var each : model.layers()) {
      sent += origin.sent(each.digest());
    }
    assertEquals(fetched, sent);
    assertEquals(2, check.requireValid(origin.sources()).size());
    check.requireNoWaste();
    assertEquals(List.of(), store.verify(progress -> {}));
  }

  @Test
  void aFlippedBit() throws IOException {
    flip(blob(1), 300_000);
    requireMended("is damaged", true, LICENSE_SIZE);
  }

  @Test
  void aBlobThatIsTooShort() throws IOException {
    Files.write(blob(1), new byte[1000]);
    requireMended("is damaged", false, LICENSE_SIZE);
  }

  @Test
  void aBlobThatIsTooShortIsFetchedWithoutVerify() throws IOException {
    Files.write(blob(1), new byte[1000]);
    store.pull(model.reference());
    assertEquals(LICENSE_SIZE, origin.sent(model.layers().get(1).digest()));
    assertEquals(0, origin.sent(model.weights()));
    check.requireValid(origin.sources());
  }

  @Test
  void aMissingBlob() throws IOException {
    Files.delete(blob(1));
    requireMended("is missing", false, LICENSE_SIZE);
  }

  @Test
  void aMissingBlobIsFetchedWhenTheModelIsOpened() throws IOException {
    Files.delete(blob(0));
    StoredModel found = store.get(model.reference(), ModelStore.pullOptions());
    assertEquals(model.layers().get(0).size(), origin.sent(model.weights()));
    try (Model opened = Model.open(found.file())) {
      assertEquals("llama", opened.describe().architecture());
    }
  }

  @Test
  void aDamagedConfig() throws IOException {
    for (Path each : blobs()) {
      if (Files.readString(each, StandardCharsets.ISO_8859_1).contains("rootfs")
          && Files.readString(each, StandardCharsets.ISO_8859_1).contains("Q4_1")) {
        flip(each, 0);
      }
    }
    assertEquals(0, store.list().size());
    // Both were: what a model is needs no verify to be fetched anew.
    store.pull(other.reference());
    store.pull(model.reference());
    assertEquals(2, check.requireValid(origin.sources()).size());
  }

  private List<Path> blobs() throws IOException {
    try (Stream<Path> all = Files.list(home.resolve("blobs/sha256"))) {
      return all.toList();
    }
  }

  @Test
  void aDamagedManifest() throws IOException {
    flip(home.resolve("manifests/sha256").resolve(model.digest().substring(7)), 40);
    requireMended("manifest", false, 0);
  }

  @Test
  void aMissingManifest() throws IOException {
    Files.delete(home.resolve("manifests/sha256").resolve(model.digest().substring(7)));
    requireMended("manifest", false, 0);
  }

  @Test
  void whatADamagedManifestNamedSurvivesOtherRemovals() throws IOException {
    flip(home.resolve("manifests/sha256").resolve(model.digest().substring(7)), 40);
    store.remove(other.reference());
    store.pull(model.reference());
    assertEquals(0, origin.sent(model.weights()));
    check.requireValid(origin.sources());
    check.requireNoWaste();
  }

  @Test
  void anEmptyReference() throws IOException {
    Files.write(reference(), new byte[0]);
    requireMended("name is damaged", false, 0);
  }

  @Test
  void aReferenceThatIsNoText() throws IOException {
    Files.write(reference(), new byte[] {(byte) 0xC3, 0x28, 0x0A, (byte) 0xFF});
    requireMended("name is damaged", false, 0);
  }

  @Test
  void aFlippedBitOfAReference() throws IOException {
    flip(reference(), 3);
    requireMended("name is damaged", false, 0);
  }

  @Test
  void aDamagedReferenceCanBeRemoved() throws IOException {
    Files.write(reference(), new byte[0]);
    store.remove(model.reference());
    assertEquals(List.of(), store.verify(progress -> {}));
    check.requireNoWaste();
  }

  @Test
  void whatTheSystemPutsThereIsInTheWayOfNothing() throws IOException {
    // Of a Finder, of NFS, and of whoever made a folder a file system of its own.
    for (String each :
        List.of("references", "manifests/sha256", "blobs/sha256", "pulls", "parts")) {
      Path place = Files.createDirectories(home.resolve(each));
      Files.write(place.resolve(".DS_Store"), new byte[100]);
      Path lost = Files.createDirectories(place.resolve("lost+found"));
      Files.write(lost.resolve("something"), new byte[100]);
    }
    assertEquals(List.of(), store.verify(progress -> {}));
    assertEquals(2, store.list().size());
    store.remove(other.reference());
    assertFalse(check.hasBlob(other.weights()));
    assertTrue(store.diskUsage().modelBytes() > 0);
    store.pull(model.reference());
    assertTrue(Files.exists(home.resolve("blobs/sha256/lost+found/something")));
  }

  @Test
  void whatIsInTheWayOfNothing() throws IOException {
    // Of processes that died before they gave these their names.
    for (String each : List.of("references", "manifests/sha256", "blobs/sha256", "pulls")) {
      Path file = home.resolve(each).resolve(".nautil-0.tmp");
      Files.createDirectories(file.getParent());
      Files.copy(reference(), file);
    }
    assertEquals(2, store.list().size());
    store.list().forEach(each -> assertEquals(1, each.references().size()));
    store.remove(other.reference());
    check.requireNoWaste();
  }
}
