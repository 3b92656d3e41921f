package dev.nautil.store;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.ModelNotFoundException;
import dev.nautil.ModelStore;
import dev.nautil.PullException;
import dev.nautil.RegistryAccessException;
import dev.nautil.StoredModel;
import dev.nautil.registry.Fault;
import dev.nautil.registry.FaultProxy;
import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Models of Hugging Face, from a server that behaves like it. */
class HuggingFaceTest {
  private static final String MODEL = "hf.co/org/repo-GGUF";

  @TempDir Path folder;
  private final FakeHub hub = new FakeHub("org/repo-GGUF");
  private final Map<String, String> environment = new HashMap<>();

  private static byte[] bytes(int seed, int size) {
    byte[] bytes = new byte[size];
    new Random(seed).nextBytes(bytes);
    return bytes;
  }

  @BeforeEach
  void begin() {
    String nothing = folder.resolve("nothing").toString();
    environment.put("NAUTIL_HOME", folder.resolve("home").toString());
    environment.put("MODELS_PATH", nothing);
    environment.put("HF_HOME", nothing);
    environment.put("DOCKER_CONFIG", nothing);
    environment.put("HF_ENDPOINT", hub.url());
  }

  @AfterEach
  void end() {
    hub.close();
  }

  private ModelStore store() {
    return ModelStore.open(environment);
  }

  private void requireContent(int seed, int size, String reference) throws IOException {
    assertArrayEquals(
        bytes(seed, size), Files.readAllBytes(store().pull(reference).file()), reference);
  }

  @Test
  void theQuantisationDecides() throws IOException {
    hub.add("repo-Q2_K.gguf", bytes(1, 3000))
        .add("repo-Q4_K_M.gguf", bytes(2, 300_000))
        .add("repo-Q4_K_S.gguf", bytes(3, 3000))
        .add("other/repo-IQ2_XXS.gguf", bytes(4, 3000))
        .add("repo-Q8_0.gguf", bytes(5, 3000))
        .add("mmproj-repo-Q4_K_M.gguf", bytes(6, 3000));
    requireContent(2, 300_000, MODEL);
    requireContent(1, 3000, MODEL + ":Q2_K");
    requireContent(3, 3000, MODEL + ":q4_k_s");
    requireContent(4, 3000, MODEL + ":IQ2_XXS");
    requireContent(5, 3000, MODEL + "/repo-Q8_0.gguf");
    requireContent(4, 3000, MODEL + "/other/repo-IQ2_XXS.gguf");
    StoredModel found = store().find(MODEL).orElseThrow();
    assertEquals("Q4_K_M", found.quantization());
    assertEquals("llama", found.architecture());
    assertEquals("12.25 B", found.parameters());
    new StoreCheck(folder.resolve("home")).requireValid(Map.of());
    Exception none = assertThrows(PullException.class, () -> store().pull(MODEL + ":Q6_K"));
    assertTrue(none instanceof ModelNotFoundException, none::toString);
    assertTrue(none.getMessage().contains("repo-Q8_0.gguf"), none.getMessage());
  }

  @Test
  void withoutTheUsualQuantisationItIsTheOneThereIs() throws IOException {
    hub.add("repo-BF16.gguf", bytes(1, 3000));
    requireContent(1, 3000, MODEL);
  }

  @Test
  void thePartsOfASplitModelComeInTheirOrder() throws IOException {
    hub.add("Q4_K_M/m-Q4_K_M-00003-of-00003.gguf", bytes(3, 3000))
        .add("Q4_K_M/m-Q4_K_M-00001-of-00003.gguf", bytes(1, 300_000))
        .add("Q4_K_M/m-Q4_K_M-00002-of-00003.gguf", bytes(2, 3000));
    Path first = store().pull(MODEL).file();
    assertEquals("model-00001-of-00003.gguf", first.getFileName().toString());
    assertArrayEquals(bytes(1, 300_000), Files.readAllBytes(first));
    for (int i = 2; i <= 3; i++) {
      Path part = first.resolveSibling("model-0000" + i + "-of-00003.gguf");
      assertArrayEquals(bytes(i, 3000), Files.readAllBytes(part));
    }
  }

  @Test
  void aPartIsMissing() {
    hub.add("m-Q4_K_M-00001-of-00003.gguf", bytes(1, 3000))
        .add("m-Q4_K_M-00002-of-00003.gguf", bytes(2, 3000));
    PullException missing = assertThrows(PullException.class, () -> store().pull(MODEL));
    assertTrue(missing.getMessage().contains("2 of 00003 parts"), missing.getMessage());
  }

  @Test
  void whatComesBesideAModelIsNone() throws IOException {
    hub.add("repository-BF16.gguf", bytes(1, 3000))
        .add("mmproj.gguf", bytes(2, 3000))
        .add("imatrix.gguf", bytes(3, 3000))
        .add("a.imatrix.gguf", bytes(4, 3000));
    requireContent(1, 3000, MODEL);
  }

  @Test
  void anErrorDoesNotListThousandsOfFiles() {
    for (int i = 0; i < 150; i++) {
      hub.add("repo-" + i + ".gguf", bytes(1, 10));
    }
    hub.add("\\u001b[2J.gguf", bytes(1, 10));
    PullException none = assertThrows(PullException.class, () -> store().pull(MODEL + ":Q6_K"));
    String message = none.getMessage();
    assertTrue(message.length() < 2000, () -> message.length() + " characters");
    assertFalse(message.matches("(?s).*\\p{Cc}.*"), message);
  }

  @Test
  void anEndpointThatIsNoAddress() {
    for (String endpoint : List.of("hub.example", "http:", "https://ada:secret@x y", "ftp://x")) {
      environment.put("HF_ENDPOINT", endpoint);
      PullException failure = assertThrows(PullException.class, () -> store().pull(MODEL));
      String message = failure.getMessage();
      assertTrue(message.contains("HF_ENDPOINT"), message);
      assertFalse(message.contains("secret"), message);
    }
  }

  @Test
  void faultsOnTheWay() throws IOException {
    hub.add("repo-Q4_K_M.gguf", bytes(1, 3000));
    String description = "/api/models/org/repo-GGUF";
    try (FaultProxy proxy = FaultProxy.to(URI.create(hub.url()))) {
      environment.put("HF_ENDPOINT", proxy.url().toString());
      environment.put("NAUTIL_TIMEOUT", "4");
      proxy.add(
          Fault.on("GET", description).times(1).status(429).retryAfter(Duration.ofSeconds(1)));
      proxy.add(Fault.on("GET", ".*/tree/.*").times(1).drop());
      proxy.add(Fault.on("GET", ".*/resolve/.*").times(1).status(503));
      requireContent(1, 3000, MODEL);
      var asked = proxy.exchanges("GET", description);
      assertTrue(asked.get(1).time().isAfter(asked.get(0).time().plusMillis(999)));

      proxy.reset();
      proxy.add(
          Fault.on("GET", description)
              .answer(200, "application/json", new byte[33 << 20])
              .header("Content-Length", null));
      PullException endless = assertThrows(PullException.class, () -> store().pull(MODEL));
      assertTrue(endless.getMessage().contains("sends more than"), endless.getMessage());
    }
  }

  /** Nor does the token go there. */
  @Test
  void pagesOfAnotherHostAreNotAskedFor() {
    hub.add("repo-Q4_K_M.gguf", bytes(1, 10));
    environment.put("HF_TOKEN", "hf_secret");
    String tree = "/api/models/org/repo-GGUF/tree/" + FakeHub.COMMIT;
    try (FaultProxy proxy = FaultProxy.to(URI.create(hub.url()))) {
      proxy.add(
          Fault.on("GET", tree)
              .header("Link", "<" + hub.url() + tree + "?cursor=2>; rel=\"next\""));
      environment.put("HF_ENDPOINT", proxy.url().toString());
      assertThrows(ModelNotFoundException.class, () -> store().pull(MODEL));
      assertEquals(proxy.exchanges().size(), hub.requests().size());
    }
  }

  @Test
  void noModelAtAll() {
    hub.add("model.safetensors", bytes(1, 3000));
    assertThrows(ModelNotFoundException.class, () -> store().pull(MODEL));
    assertThrows(ModelNotFoundException.class, () -> store().pull("hf.co/org/other"));
  }

  @Test
  void theTokenGoesToHuggingFaceAlone() throws IOException {
    hub.add("repo-Q4_K_M.gguf", bytes(1, 300_000)).requireToken("hf_secret");
    RegistryAccessException without =
        assertThrows(RegistryAccessException.class, () -> store().pull(MODEL));
    assertTrue(without.getMessage().contains("set HF_TOKEN"), without.getMessage());
    environment.put("HF_TOKEN", "hf_wrong");
    RegistryAccessException wrong =
        assertThrows(RegistryAccessException.class, () -> store().pull(MODEL));
    assertTrue(wrong.getMessage().contains("HF_TOKEN"), wrong.getMessage());
    environment.put("HF_TOKEN", "hf_secret");
    requireContent(1, 300_000, MODEL);
    assertEquals(List.of(), hub.contentTokens());
  }

  @Test
  void theTermsHaveNotBeenAccepted() {
    hub.add("repo-Q4_K_M.gguf", bytes(1, 3000)).gate();
    environment.put("HF_TOKEN", "hf_secret");
    RegistryAccessException gated =
        assertThrows(RegistryAccessException.class, () -> store().pull(MODEL));
    assertTrue(gated.getMessage().contains("terms"), gated.getMessage());
    assertTrue(gated.getMessage().indexOf("hf_secret") < 0);
  }

  @Test
  void whatIsSentIsNotWhatWasSaid() throws IOException {
    hub.add("repo-Q4_K_M.gguf", bytes(1, 300_000));
    hub.falsify("repo-Q4_K_M.gguf", bytes(2, 300_000));
    assertThrows(PullException.class, () -> store().pull(MODEL));
    assertEquals(List.of(), store().list());
    new StoreCheck(folder.resolve("home")).requireValid(Map.of());
    hub.falsify("repo-Q4_K_M.gguf", bytes(1, 300_000));
    requireContent(1, 300_000, MODEL);
  }

  @Test
  void whatIsHereIsNotAskedFor() throws IOException {
    hub.add("repo-Q4_K_M.gguf", bytes(1, 3000));
    String id = store().pull(MODEL).id();
    hub.requests().clear();
    assertEquals(id, store().get(MODEL, ModelStore.pullOptions()).id());
    assertEquals(List.of(), hub.requests());
    assertEquals(id, store().pull(MODEL).id());
    assertTrue(hub.requests().stream().noneMatch(each -> each.contains("/resolve/")));
  }

  @Test
  void aNameWithWhatAddressesEscape() throws IOException {
    hub.add("a folder/repo é-Q4_K_M.gguf", bytes(1, 3000));
    requireContent(1, 3000, MODEL);
  }
}
