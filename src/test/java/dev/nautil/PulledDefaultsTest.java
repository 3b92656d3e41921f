package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.registry.Artifacts;
import dev.nautil.registry.DockerRegistry;
import dev.nautil.registry.ModelArtifact;
import dev.nautil.registry.TestStore;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What a publisher puts beside the weights, as a program that uses the library gets it. */
class PulledDefaultsTest {
  private static final String CNCF_CONFIG_FILE = "application/vnd.cncf.model.weight.config.v1.raw";

  @TempDir Path folder;

  @Test
  void theTemplateTheContextAndTheSamplingOfAModelThatWasPulled() throws IOException {
    Path template =
        Files.writeString(
            folder.resolve("chat_template.jinja"),
            "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<reply>");
    Path parameters =
        Files.writeString(folder.resolve("generation_config.json"), "{\"do_sample\": false}");
    ModelArtifact artifact =
        ModelArtifact.docker(TestModels.smolLm2())
            .config(Map.of("config", Map.of("format", "gguf", "context_size", 512)))
            .layer(template, ModelArtifact.DOCKER_TEMPLATE)
            .layer(parameters, CNCF_CONFIG_FILE, "generation_config.json");
    try (TestStore home = new TestStore();
        DockerRegistry registry = DockerRegistry.start()) {
      Artifacts.in(registry).push("ai/dressed", "latest", artifact);
      StoredModel stored =
          ModelStore.open(home.environment()).pull(registry.host() + "/ai/dressed");
      assertEquals(Sampling.greedy(), stored.sampling());
      SessionOptions session = Session.options().maxTokens(12);
      try (Model model = Model.open(stored, Model.options())) {
        Reply reply = model.newSession(session).send("hi");
        assertEquals(model.countTokens("<user>hi<reply>"), reply.usage().promptTokens());
        for (int i = 0; i < 3; i++) {
          assertEquals(reply.text(), model.newSession(session).send("hi").text());
        }
        assertEquals(512, model.describe().contextSize());
      }
      // Who opens it says otherwise.
      ModelOptions options = Model.options().chatTemplate("no {{ messages[0].content }}");
      try (Model model = Model.open(stored, options.contextSize(256))) {
        Reply reply = model.newSession(session).send("hi");
        assertEquals(model.countTokens("no hi"), reply.usage().promptTokens());
        assertEquals(256, model.describe().contextSize());
      }
    }
  }

  private static Sampling read(String json) {
    return PublishedSampling.read(json, "the-model");
  }

  /** The files of models that many people run. */
  @Test
  void generationConfigsOfHuggingFace() {
    assertEquals(
        Sampling.defaults(),
        read(
            "{\"_from_model_config\": true, \"bos_token_id\": 1, \"eos_token_id\": 2,"
                + " \"transformers_version\": \"4.42.3\"}"));
    assertEquals(
        Sampling.defaults().withTemperature(0.6f).withTopP(0.9f),
        read(
            "{\"bos_token_id\": 128000, \"do_sample\": true, \"eos_token_id\": [128001, 128008],"
                + " \"temperature\": 0.6, \"top_p\": 0.9}"));
    assertEquals(
        Sampling.defaults()
            .withTemperature(0.7f)
            .withTopP(0.8f)
            .withTopK(20)
            .withMinP(0.05f)
            .withTypicalP(0.9f)
            .withPenalties(new Sampling.Penalties(1.1f, 0, 0, -1)),
        read(
            "{\"do_sample\": true, \"repetition_penalty\": 1.1, \"temperature\": 0.7,"
                + " \"top_p\": 0.8, \"top_k\": 20, \"min_p\": 0.05, \"typical_p\": 0.9}"));
    assertEquals(Sampling.greedy(), read("{\"do_sample\": false, \"temperature\": 0.6}"));
  }

  @Test
  void whatCannotBeUsed() {
    String[] texts = {"nonsense", "{", "{\"temperature\": -1}", "{\"top_p\": 1e999}"};
    for (String text : texts) {
      StoreException e = assertThrows(StoreException.class, () -> read(text), text);
      assertTrue(String.valueOf(e.getMessage()).startsWith("the-model has default parameters"));
    }
  }
}
