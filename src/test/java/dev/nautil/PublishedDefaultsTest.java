package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What comes beside a model's file is honoured where the options say nothing else. */
class PublishedDefaultsTest {
  private static final Path MODEL = TestModels.smolLm2();
  private static final String TEMPLATE =
      "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<reply>";
  private static final String OTHER = "{% for m in messages %}{{ m.content }}{% endfor %} and then";

  private static StoredModel stored(@Nullable String parameters) {
    return new StoredModel(
        "sha256:" + "0".repeat(64),
        List.of("docker.io/ai/model:latest"),
        null,
        null,
        null,
        512,
        null,
        1,
        MODEL,
        TEMPLATE,
        List.of(),
        parameters);
  }

  /** With a draw that is as random as can be where nobody says anything else. */
  private static Reply reply(Model model) {
    return model.newSession(Session.options().maxTokens(24)).send("Once");
  }

  @Test
  void theyAreHonoured() {
    try (Model model = Model.open(stored("{\"do_sample\": false}"), Model.options());
        Model file = Model.open(MODEL)) {
      assertEquals(512, model.describe().contextSize());
      assertEquals(8192, file.describe().contextSize());
      Reply reply = reply(model);
      assertEquals(file.countTokens("<user>Once<reply>"), reply.usage().promptTokens());
      String greedy =
          file.newSession(Session.options().raw().sampling(Sampling.greedy()).maxTokens(24))
              .send("<user>Once<reply>")
              .text();
      assertEquals(greedy, reply.text());
      assertEquals(greedy, reply(model).text());
    }
  }

  @Test
  void optionsSaySomethingElse() {
    ModelOptions options =
        Model.options().maxContextSize(300).chatTemplate(OTHER).sampling(Sampling.greedy());
    // What is not used need not be of use.
    StoredModel stored = stored("{\"top_p\": 7}");
    assertTrue(
        assertThrows(StoreException.class, () -> Model.open(stored, Model.options()))
            .getMessage()
            .contains("default parameters that cannot be used"));
    try (Model model = Model.open(stored, options)) {
      assertEquals(300, model.describe().contextSize());
      assertEquals(model.countTokens("Once and then"), reply(model).usage().promptTokens());
      assertEquals(reply(model).text(), reply(model).text());
    }
    try (Model model = Model.open(stored, options.contextSize(200))) {
      assertEquals(200, model.describe().contextSize());
    }
  }

  private static Sampling sampling(String parameters) {
    return Objects.requireNonNull(stored(parameters).sampling());
  }

  @Test
  void parametersAreThoseOfHuggingFace() {
    assertNull(stored(null).sampling());
    Sampling some = sampling("{\"temperature\": 0.5, \"top_k\": 7, \"min_p\": null, \"x\": 1}");
    assertEquals(0.5f, some.temperature());
    assertEquals(7, some.topK());
    assertEquals(Sampling.defaults().topP(), some.topP());
    assertEquals(Sampling.defaults().minP(), some.minP());
    Sampling others = sampling("{\"top_p\": 0.75, \"min_p\": 0.125, \"typical_p\": 0.5}");
    assertEquals(Sampling.defaults().temperature(), others.temperature());
    assertEquals(0.75f, others.topP());
    assertEquals(0.125f, others.minP());
    assertEquals(0.5f, others.typicalP());
    assertEquals(0, sampling("{\"do_sample\": false, \"temperature\": 3}").temperature());
    assertEquals(3, sampling("{\"do_sample\": true, \"temperature\": 3}").temperature());
    assertEquals(
        new Sampling.Penalties(1.25f, 0, 0, -1),
        sampling("{\"repetition_penalty\": 1.25}").penalties().orElseThrow());
    for (String bad : List.of("{", "{\"temperature\": -1}", "{\"top_k\": -5}")) {
      assertThrows(StoreException.class, () -> stored(bad).sampling(), bad);
    }
  }
}
