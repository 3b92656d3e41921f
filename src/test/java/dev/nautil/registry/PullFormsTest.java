package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.Model;
import dev.nautil.ModelNotFoundException;
import dev.nautil.PullException;
import dev.nautil.StoredModel;
import dev.nautil.TestModels;
import dev.nautil.json.JsonValues;
import dev.nautil.registry.Artifacts.Descriptor;
import dev.nautil.registry.Artifacts.Pushed;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.api.io.TempDir;

/** Models in all the forms that registries have, pulled from Docker's registry. */
class PullFormsTest {
  @TempDir static Path folder;
  @RegisterExtension static final ProxiedRegistry server = new ProxiedRegistry();
  private static final FaultProxy proxy = server.proxy;
  private static final Artifacts artifacts = server.artifacts;

  private final TestStore store = new TestStore();

  @AfterEach
  void closeStore() {
    store.assertSound();
    store.close();
  }

  private static Path file(String name, int size) {
    return TestStore.random(folder.resolve(name), size, name.hashCode());
  }

  private static Path text(String name, String text) throws IOException {
    return Files.writeString(folder.resolve(name), text);
  }

  private static String hex(Descriptor descriptor) {
    return descriptor.digest().substring("sha256:".length());
  }

  private static String at(String reference) {
    return proxy.host() + "/" + reference;
  }

  @Test
  void aSmallModelRunsFromWhereItIsKept() throws IOException {
    Path file = TestModels.path("tiny-Q8_0.gguf");
    Pushed pushed = artifacts.push("ai/tiny", "latest", ModelArtifact.docker(file));
    StoredModel model = store.pull(at("ai/tiny"));
    assertEquals(pushed.manifest().digest(), model.id());
    assertEquals(List.of(at("ai/tiny:latest")), model.references());
    assertEquals("135 M", model.parameters());
    assertEquals("Q4_1", model.quantization());
    assertEquals("llama", model.architecture());
    assertEquals(2048, model.contextSize());
    assertEquals("2026-01-02T03:04:05Z", model.created());
    assertEquals(Files.size(file), model.bytes());
    assertEquals(List.of(), model.licenses());
    assertNull(model.chatTemplate());
    assertEquals(-1, Files.mismatch(file, model.file()));
    assertEquals(List.of(model), store.store().list());
    try (Model opened = Model.open(model.file())) {
      assertEquals("llama", opened.describe().architecture());
    }
  }

  private static Path[] splitModel() {
    Path[] parts = new Path[3];
    for (int i = 0; i < 3; i++) {
      parts[i] = TestModels.path("tiny-split-0000" + (i + 1) + "-of-00003.gguf");
    }
    return parts;
  }

  @Test
  void splitModelsInEachForm() throws IOException {
    Path[] parts = splitModel();
    ModelArtifact files = ModelArtifact.docker().configType(ModelArtifact.DOCKER_CONFIG_2);
    ModelArtifact weights = ModelArtifact.cncf();
    for (Path part : parts) {
      String name = part.getFileName().toString();
      files.layer(part, "application/vnd.docker.ai.model.file", name);
      weights.layer(part, ModelArtifact.CNCF_RAW, name);
    }
    Map<String, ModelArtifact> forms =
        Map.of(
            "docker", ModelArtifact.docker(parts),
            "docker-2", ModelArtifact.docker(parts).configType(ModelArtifact.DOCKER_CONFIG_2),
            "docker-2-files", files,
            "cncf", ModelArtifact.cncf(parts),
            "cncf-raw", weights);
    for (Map.Entry<String, ModelArtifact> form : forms.entrySet()) {
      artifacts.push("forms/" + form.getKey(), "latest", form.getValue());
      StoredModel model = store.pull(at("forms/" + form.getKey()));
      try (Model opened = Model.open(model.file())) {
        assertTrue(opened.countTokens("a b") > 0, form.getKey());
      }
    }
  }

  @Test
  void aSplitModelOpens() throws IOException {
    Path[] parts = splitModel();
    artifacts.pushByCurl("split", "latest", parts);
    StoredModel model = store.pull(at("split"));
    try (Model opened = Model.open(model.file())) {
      assertTrue(opened.countTokens("a b") > 0);
    }
    // Nothing is fetched or made anew.
    StoredModel again = store.pull(at("split"));
    assertEquals(model, again);
    for (Path part : parts) {
      assertEquals(1, proxy.exchanges("GET", ".*/blobs/" + ModelArtifact.digest(part)).size());
    }
    store.store().remove(at("split"));
    assertEquals(0, store.blobs().size());
    assertFalse(Files.exists(model.file()));
  }

  @Test
  void theConfigsVersionAndLayersOfText() throws IOException {
    Path license = text("LICENSE", "Do as you please.\n");
    Path template = text("t.jinja", "{{ 'ä' }}");
    Pushed pushed =
        artifacts.push(
            "ai/v2",
            "one",
            ModelArtifact.docker(file("v2.gguf", 300_000))
                .configType(ModelArtifact.DOCKER_CONFIG_2)
                .layer(license, ModelArtifact.DOCKER_LICENSE)
                .layer(template, ModelArtifact.DOCKER_TEMPLATE)
                .layer(file("mmproj.gguf", 100_000), ModelArtifact.DOCKER_MMPROJ));
    StoredModel model = store.pull(at("ai/v2:one"));
    assertEquals("{{ 'ä' }}", model.chatTemplate());
    assertEquals(List.of("Do as you please.\n"), model.licenses());
    assertEquals(300_000, model.bytes());
    Descriptor projector = pushed.layers().get(3);
    assertEquals(0, proxy.exchanges("GET", ".*/blobs/" + projector.digest()).size());
    assertFalse(store.blobs().contains(hex(projector)));
    assertEquals(4, store.blobs().size());
  }

  @Test
  void theCncfsForm() throws IOException {
    Path weights = file("c.gguf", 400_000);
    artifacts.push(
        "cncf",
        "latest",
        ModelArtifact.cncf()
            .layer(weights, ModelArtifact.CNCF_RAW, "weights/c.gguf")
            .layer(file("mmproj-c.gguf", 1000), ModelArtifact.CNCF_RAW, "weights/mmproj-c.gguf")
            .layer(text("x", "A template"), ModelArtifact.CNCF_RAW, "chat_template.jinja")
            .layer(text("y", "A licence"), "application/vnd.cncf.model.doc.v1.raw", "LICENSE.md")
            .layer(
                text("z", "{\"temperature\":0.5}"),
                "application/vnd.cncf.model.weight.config.v1.raw",
                "generation_config.json")
            .layer(file("tokenizer.json", 1000), ModelArtifact.CNCF_RAW, "tokenizer.json"));
    StoredModel model = store.pull(at("cncf"));
    assertEquals("135M", model.parameters());
    assertEquals("2026-01-02T03:04:05Z", model.created());
    assertEquals("A template", model.chatTemplate());
    assertEquals(List.of("A licence"), model.licenses());
    assertEquals("{\"temperature\":0.5}", model.parametersJson());
    assertEquals(-1, Files.mismatch(weights, model.file()));
    assertEquals(5, store.blobs().size());
  }

  @Test
  void anIndexLeadsToItsManifest() {
    Pushed pushed = artifacts.pushByCurl("indexed", "one", file("i.gguf", 1000));
    artifacts.pushIndex("indexed", "latest", pushed);
    assertEquals(pushed.manifest().digest(), store.pull(at("indexed")).id());
  }

  @Test
  void anIndexWithAnAttestationAndPlatforms() {
    Pushed other = artifacts.pushByCurl("platforms", "other", file("other.gguf", 1000));
    Pushed suits = artifacts.pushByCurl("platforms", "suits", file("suits.gguf", 1000));
    String here = System.getProperty("os.arch").equals("aarch64") ? "arm64" : "amd64";
    List<Map<String, Object>> entries =
        List.of(
            entry(
                other.manifest(),
                "unknown",
                Map.of("vnd.docker.reference.type", "attestation-manifest")),
            entry(other.manifest(), "s390x", Map.of()),
            entry(suits.manifest(), here, Map.of()),
            entry(other.manifest(), "riscv64", Map.of()));
    putIndex("platforms", entries);
    assertEquals(suits.manifest().digest(), store.pull(at("platforms")).id());
    putIndex("platforms", entries.subList(0, 1));
    String message = store.refusal(PullException.class, at("platforms"));
    assertTrue(message.contains("its index names no manifest"), message);
  }

  private static Map<String, Object> entry(
      Descriptor manifest, String architecture, Map<String, String> annotations) {
    return Map.of(
        "mediaType", manifest.mediaType(),
        "digest", manifest.digest(),
        "size", manifest.size(),
        "platform", Map.of("architecture", architecture, "os", "linux"),
        "annotations", annotations);
  }

  private static void putIndex(String repository, List<Map<String, Object>> entries) {
    String json =
        JsonValues.write(
            Map.of("schemaVersion", 2, "mediaType", Artifacts.INDEX, "manifests", entries));
    artifacts.pushManifest(
        repository, "latest", Artifacts.INDEX, json.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void byTagAndByDigest() {
    Pushed first = artifacts.pushByCurl("versions", "v", file("first.gguf", 1000));
    Pushed second = artifacts.pushByCurl("versions", "v", file("second.gguf", 1000));
    String digest = first.manifest().digest();
    assertEquals(digest, store.pull(at("versions@" + digest)).id());
    // The tag says nothing beside a digest.
    assertEquals(digest, store.pull(at("versions:v@" + digest)).id());
    assertEquals(second.manifest().digest(), store.pull(at("versions:v")).id());
    assertEquals(2, store.store().list().size());
    assertEquals(digest, store.store().find(digest.substring(0, 7 + 12)).orElseThrow().id());
    for (String reference :
        List.of(at("versions:none"), at("nothing"), at("versions@sha256:" + "0".repeat(64)))) {
      String message = store.refusal(ModelNotFoundException.class, reference);
      assertTrue(message.contains(proxy.host()), message);
    }
  }

  @Test
  void aTagThatMovesFreesWhatNothingElseNames() throws IOException {
    Path shared = file("shared.gguf", 600_000);
    Pushed old = artifacts.pushByCurl("moves", "latest", shared, file("old.gguf", 1000));
    store.pull(at("moves"));
    Pushed next = artifacts.pushByCurl("moves", "latest", shared, file("new.gguf", 1000));
    StoredModel model = store.pull(at("moves"));
    assertEquals(next.manifest().digest(), model.id());
    assertEquals(1, store.store().list().size());
    assertFalse(store.blobs().contains(hex(old.layers().get(1))));
    assertFalse(store.blobs().contains(hex(old.config())));
    // What both have was fetched once.
    assertEquals(600_000, proxy.bodyBytes("GET", ".*/blobs/" + old.layers().get(0).digest()));

    store.store().tag(at("moves"), "kept");
    artifacts.pushByCurl("moves", "latest", shared, file("newest.gguf", 1000));
    store.pull(at("moves"));
    assertEquals(2, store.store().list().size());
    assertEquals(model.id(), store.store().find("kept").orElseThrow().id());
    assertTrue(store.blobs().contains(hex(next.layers().get(1))));
    assertArrayEquals(
        Files.readAllBytes(shared), Files.readAllBytes(store.store().find("kept").get().file()));
  }

  @Test
  void whatTwoModelsHaveIsFetchedOnce() {
    Path weights = file("twice.gguf", 700_000);
    Pushed one = artifacts.pushByCurl("one", "latest", weights);
    artifacts.pushByCurl("two", "latest", weights);
    store.pull(at("one"));
    store.pull(at("two"));
    String digest = one.layers().get(0).digest();
    assertEquals(1, proxy.exchanges("GET", ".*/blobs/" + digest).size());
    store.store().remove(at("one"));
    assertTrue(store.blobs().contains(hex(one.layers().get(0))));
    store.store().remove(at("two"));
    assertEquals(0, store.blobs().size());
  }
}
