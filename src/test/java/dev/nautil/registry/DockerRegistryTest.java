package dev.nautil.registry;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.json.JsonValues;
import dev.nautil.registry.Artifacts.Descriptor;
import dev.nautil.registry.Artifacts.Pushed;
import dev.nautil.registry.ModelArtifact.Layer;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The registry of the tests and what they push to it, as curl and the JDK see them. */
class DockerRegistryTest {
  @TempDir static Path folder;
  private static DockerRegistry registry;
  private static Artifacts artifacts;

  @BeforeAll
  static void start() {
    registry = DockerRegistry.start();
    artifacts = Artifacts.in(registry);
  }

  @AfterAll
  static void stop() {
    registry.close();
  }

  private static Path file(String name, int size) throws IOException {
    byte[] bytes = new byte[size];
    new Random(name.hashCode()).nextBytes(bytes);
    return Files.write(folder.resolve(name), bytes);
  }

  private static byte[] get(String repository, String path) {
    String url = registry.url() + "/v2/" + repository + path;
    return Curl.run("-H", "Accept: " + Artifacts.MANIFEST, url).ok().body();
  }

  /** Reads all of it back, and returns the manifest. */
  private static JsonNode readBack(String repository, String tag, Pushed pushed) {
    byte[] manifest = get(repository, "/manifests/" + tag);
    assertEquals(pushed.manifest().digest(), ModelArtifact.digest(manifest));
    assertEquals(pushed.manifest().size(), manifest.length);
    List<Descriptor> blobs = new ArrayList<>(pushed.layers());
    blobs.add(pushed.config());
    for (Descriptor blob : blobs) {
      byte[] bytes = get(repository, "/blobs/" + blob.digest());
      assertEquals(blob.digest(), ModelArtifact.digest(bytes));
      assertEquals(blob.size(), bytes.length);
    }
    return JsonValues.parse(new String(manifest, StandardCharsets.UTF_8));
  }

  @Test
  void dockersForm() throws IOException {
    Path first = file("m-00001-of-00002.gguf", 100_000);
    Path second = file("m-00002-of-00002.gguf", 50_000);
    Pushed pushed = artifacts.push("ai/split", "Q4_1", ModelArtifact.docker(first, second));
    assertEquals(registry.host() + "/ai/split:Q4_1", pushed.reference());
    JsonNode manifest = readBack("ai/split", "Q4_1", pushed);
    assertEquals(Artifacts.MANIFEST, manifest.get("mediaType").textValue());
    assertEquals(ModelArtifact.DOCKER_CONFIG, manifest.at("/config/mediaType").textValue());
    assertEquals(2, manifest.get("layers").size());
    assertEquals(ModelArtifact.digest(first), manifest.at("/layers/0/digest").textValue());
    assertEquals(ModelArtifact.digest(second), manifest.at("/layers/1/digest").textValue());
    assertEquals(ModelArtifact.DOCKER_GGUF, manifest.at("/layers/1/mediaType").textValue());
    assertFalse(manifest.at("/layers/0").has("annotations"));
    assertFalse(manifest.has("annotations"));
  }

  @Test
  void theCncfsFormWithAnnotations() throws IOException {
    Path weights = file("m.gguf", 10_000);
    Path template = file("chat_template.jinja", 100);
    Pushed pushed =
        artifacts.push(
            "cncf",
            "latest",
            ModelArtifact.cncf(weights)
                .layer(template, ModelArtifact.CNCF_RAW, "a/chat_template.jinja")
                .annotation("org.opencontainers.image.title", "tiny"));
    JsonNode manifest = readBack("cncf", "latest", pushed);
    assertEquals(ModelArtifact.CNCF_CONFIG, manifest.at("/config/mediaType").textValue());
    assertEquals("m.gguf", path(manifest, 0));
    assertEquals("a/chat_template.jinja", path(manifest, 1));
    assertEquals("tiny", manifest.get("annotations").elements().next().textValue());
    assertEquals(Map.of(ModelArtifact.FILE_PATH, "m.gguf"), pushed.layers().get(0).annotations());
  }

  private static String path(JsonNode manifest, int layer) {
    return manifest.at("/layers/" + layer + "/annotations/" + ModelArtifact.FILE_PATH).textValue();
  }

  @Test
  void anIndexLeadsToManifests() throws IOException {
    Pushed pushed =
        artifacts.push(
            "indexed",
            "one",
            ModelArtifact.docker(file("i.gguf", 1000))
                .configType(ModelArtifact.DOCKER_CONFIG_2)
                .layer(file("LICENSE", 10), ModelArtifact.DOCKER_LICENSE)
                .layer(file("t.jinja", 20), ModelArtifact.DOCKER_TEMPLATE)
                .layer(file("mmproj.gguf", 30), ModelArtifact.DOCKER_MMPROJ));
    Descriptor index = artifacts.pushIndex("indexed", "latest", pushed);
    String url = registry.url() + "/v2/indexed/manifests/latest";
    Curl.Answer answer = Curl.run("-H", "Accept: " + Artifacts.INDEX, url).ok();
    assertEquals(Artifacts.INDEX, answer.header("Content-Type"));
    assertEquals(index.digest(), answer.header("Docker-Content-Digest"));
    JsonNode json = JsonValues.parse(answer.text());
    assertEquals(pushed.manifest().digest(), json.at("/manifests/0/digest").textValue());
    readBack("indexed", "one", pushed);
  }

  @Test
  void hostileManifests() throws IOException {
    Path weights = file("h.gguf", 1000);
    ModelArtifact artifact =
        ModelArtifact.docker()
            .layer(weights, ModelArtifact.CNCF_RAW, "../../etc/passwd")
            .layer(weights, ModelArtifact.CNCF_RAW, "/etc/passwd")
            .layer(weights, ModelArtifact.CNCF_RAW, "m.gguf\0.txt")
            .layer(weights, "application/x-unknown")
            .layer(new Layer(weights, ModelArtifact.DOCKER_GGUF, Map.of(), 999_999_999L))
            .annotation("padding", "x".repeat(3 << 20));
    Pushed pushed = artifacts.push("hostile", "latest", artifact);
    byte[] bytes = get("hostile", "/manifests/latest");
    assertEquals(pushed.manifest().digest(), ModelArtifact.digest(bytes));
    assertTrue(bytes.length > 3 << 20);
    JsonNode manifest = JsonValues.parse(new String(bytes, StandardCharsets.UTF_8));
    assertEquals("../../etc/passwd", path(manifest, 0));
    assertEquals("/etc/passwd", path(manifest, 1));
    assertEquals("m.gguf\0.txt", path(manifest, 2));
    assertEquals("application/x-unknown", manifest.at("/layers/3/mediaType").textValue());
    assertEquals(999_999_999, manifest.at("/layers/4/size").longValue());
  }

  @Test
  void whatCurlPushes() throws Exception {
    Path weights = file("c.gguf", 3_000_000);
    Descriptor layer = artifacts.pushBlob("by/curl", weights, ModelArtifact.DOCKER_GGUF);
    Descriptor config =
        artifacts.pushBlob("by/curl", file("c.json", 10), ModelArtifact.DOCKER_CONFIG);
    byte[] manifest = Artifacts.manifest(config, List.of(layer));
    Descriptor pushed = artifacts.pushManifest("by/curl", "v1", Artifacts.MANIFEST, manifest);
    assertArrayEquals(manifest, get("by/curl", "/manifests/" + pushed.digest()));

    String url = registry.url() + "/v2/by/curl/blobs/" + layer.digest();
    HttpRequest part =
        HttpRequest.newBuilder(URI.create(url)).header("Range", "bytes=1000000-").build();
    var answer = HttpClient.newHttpClient().send(part, BodyHandlers.ofByteArray());
    assertEquals(206, answer.statusCode());
    assertEquals(
        "bytes 1000000-2999999/3000000",
        answer.headers().firstValue("Content-Range").orElseThrow());

    // The registry serves what its store holds now, under the digest of what was pushed.
    Files.write(registry.blob(layer.digest()), new byte[] {1}, StandardOpenOption.WRITE);
    byte[] changed = get("by/curl", "/blobs/" + layer.digest());
    assertEquals(layer.size(), changed.length);
    assertNotEquals(layer.digest(), ModelArtifact.digest(changed));
  }

  @Test
  void deletes() throws IOException {
    Path weights = file("d.gguf", 10);
    Descriptor layer = artifacts.pushBlob("gone", weights, ModelArtifact.DOCKER_GGUF);
    String url = registry.url() + "/v2/gone/blobs/" + layer.digest();
    assertEquals(202, Curl.run("-X", "DELETE", url).status());
    assertEquals(404, Curl.run(url).status());
  }

  @Test
  void basicAuthentication() throws IOException {
    try (DockerRegistry closed = DockerRegistry.builder().basic("ada", "a:b c").start()) {
      Curl.Answer refusal = Curl.run(closed.url() + "/v2/");
      assertEquals(401, refusal.status());
      assertEquals("Basic realm=\"tests\"", refusal.header("WWW-Authenticate"));
      assertEquals(401, Curl.run("-u", "ada:wrong", closed.url() + "/v2/").status());
      assertEquals(200, Curl.run("-u", "ada:a:b c", closed.url() + "/v2/").status());

      Artifacts known = Artifacts.in(closed, "ada", "a:b c");
      Pushed pushed = known.push("m", "latest", ModelArtifact.docker(file("b.gguf", 10)));
      String url = closed.url() + "/v2/m/manifests/" + pushed.manifest().digest();
      assertEquals(401, Curl.run(url).status());
      known.curl("m", "-H", "Accept: " + Artifacts.MANIFEST, url).ok();
      AssertionError unknown =
          assertThrows(
              AssertionError.class,
              () ->
                  Artifacts.in(closed, "ada", "wrong")
                      .push("m", "latest", ModelArtifact.docker(file("b.gguf", 10))));
      assertTrue(unknown.getMessage().contains("UNAUTHORIZED"), unknown.getMessage());
    }
  }

  @Test
  void tls() throws IOException {
    try (Certificates certificates = Certificates.of();
        DockerRegistry secure = DockerRegistry.builder().tls(certificates).start()) {
      String url = secure.url() + "/v2/";
      assertTrue(url.startsWith("https://"), url);
      assertEquals(60, Curl.run(url).code());
      String authority = certificates.authority().toString();
      assertEquals(200, Curl.run("--cacert", authority, url).status());
      String byName = "https://localhost:" + secure.port() + "/v2/";
      assertEquals(200, Curl.run("--cacert", authority, byName).status());
      Pushed pushed =
          Artifacts.in(secure).push("m", "latest", ModelArtifact.docker(file("t.gguf", 10)));
      String blob = url + "m/blobs/" + pushed.layers().get(0).digest();
      byte[] bytes = Curl.run("--cacert", authority, blob).ok().body();
      assertEquals(pushed.layers().get(0).digest(), ModelArtifact.digest(bytes));
    }
  }

  @Test
  void nothingIsLeft() {
    DockerRegistry registered = DockerRegistry.start();
    Path log = registered.log();
    String url = registered.url() + "/v2/";
    Curl.run(url).ok();
    assertTrue(Files.exists(log));
    registered.close();
    registered.close();
    assertEquals(7, Curl.run(url).code());
    assertFalse(Files.exists(log.getParent()));
  }

  @Test
  void aFailedStartTellsWhatTheRegistrySaid() {
    Certificates gone = Certificates.of();
    gone.close();
    AssertionError error =
        assertThrows(AssertionError.class, () -> DockerRegistry.builder().tls(gone).start());
    assertTrue(error.getMessage().contains("no such file"), error.getMessage());
  }
}
