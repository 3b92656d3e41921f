package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.registry.Artifacts;
import dev.nautil.registry.Artifacts.Pushed;
import dev.nautil.registry.DockerRegistry;
import dev.nautil.registry.ModelArtifact;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Models that are opened by what names them in a registry, in processes with stores of their own.
 */
class ModelByNameTest {
  private static final Path MODEL = TestModels.smolLm2();

  @TempDir Path home;

  /** What the processes run: prints what is known of a model before and after it is opened. */
  static final class Opener {
    private Opener() {}

    public static void main(String[] arguments) {
      MemoryEstimate need = Model.estimate(arguments[0], Model.options().contextSize(256));
      System.out.println(need.weightBytes() + " " + need.kvCacheBytes());
      ModelOptions limited = Model.options().maxContextSize(3000);
      System.out.println(
          Model.estimate(arguments[0], Model.options()).contextSize()
              + " "
              + Model.estimate(arguments[0], limited).contextSize());
      List<Long> seen = new ArrayList<>();
      PullOptions pull = ModelStore.pullOptions().onProgress(p -> seen.add(p.done()));
      try (Model model = Model.open(arguments[0], Model.options().contextSize(256).pull(pull))) {
        System.out.println(seen.isEmpty() ? "here" : "pulled " + seen.get(seen.size() - 1));
        SessionOptions options = Session.options().raw().maxTokens(4).sampling(Sampling.greedy());
        System.out.println(model.newSession(options).send("Once upon").text());
      }
    }
  }

  private List<String> open(String reference) throws IOException, InterruptedException {
    ProcessBuilder builder = JavaProcess.of(List.of(Opener.class.getName(), reference));
    builder.environment().put("NAUTIL_HOME", home.toString());
    builder.environment().put("DOCKER_CONFIG", home.resolve("none").toString());
    Process process = builder.redirectError(ProcessBuilder.Redirect.INHERIT).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    return output.lines().toList();
  }

  @Test
  void pullsOnceAndThenNeedsNoRegistry() throws IOException, InterruptedException {
    List<String> asFile = open(MODEL.toString());
    assertEquals("8192 3000", asFile.get(1));
    assertEquals("here", asFile.get(2));
    String reference;
    try (DockerRegistry registry = DockerRegistry.start()) {
      Pushed pushed = Artifacts.in(registry).push("ai/smol", "v1", ModelArtifact.docker(MODEL));
      reference = pushed.reference();
      List<String> pulled = open(reference);
      assertEquals(asFile.get(0), pulled.get(0));
      // Its publisher says 2048, unless the options say something else.
      assertEquals("2048 3000", pulled.get(1));
      assertEquals("pulled " + (Files.size(MODEL) + pushed.config().size()), pulled.get(2));
      assertEquals(asFile.get(3), pulled.get(3));
    }
    List<String> kept = open(reference);
    assertEquals(List.of(asFile.get(0), "2048 3000", "here", asFile.get(3)), kept);
    assertTrue(Files.exists(home.resolve("blobs")));
  }
}
