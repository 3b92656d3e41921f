package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.TestModels;
import dev.nautil.registry.Artifacts;
import dev.nautil.registry.Artifacts.Pushed;
import dev.nautil.registry.DockerRegistry;
import dev.nautil.registry.FaultProxy;
import dev.nautil.registry.ModelArtifact;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The commands around the store of models, against Docker's registry. */
class StoreCommandsTest {
  private static final Path MODEL = TestModels.smolLm2();
  private static final String LICENSE = "Permissive Licence\n\nDo what you want.\n";

  @TempDir static Path shared;
  private static DockerRegistry registry;
  private static FaultProxy counting;
  private static Pushed plain;

  @TempDir Path home;

  @BeforeAll
  static void start() throws IOException {
    registry = DockerRegistry.start();
    counting = FaultProxy.to(registry.url());
    Artifacts artifacts = Artifacts.in(registry);
    Path license = Files.writeString(shared.resolve("LICENSE"), LICENSE);
    plain =
        artifacts.push(
            "ai/plain",
            "latest",
            ModelArtifact.docker(MODEL).layer(license, ModelArtifact.DOCKER_LICENSE));
    Path template =
        Files.writeString(
            shared.resolve("chat_template.jinja"),
            "{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<reply>");
    Path parameters =
        Files.writeString(
            shared.resolve("generation_config.json"), "{\"do_sample\": false, \"top_k\": 50}");
    artifacts.push(
        "ai/dressed",
        "v1",
        ModelArtifact.docker(MODEL)
            .config(
                Map.of(
                    "config",
                    Map.of("format", "gguf", "quantization", "Q4_1", "context_size", 512)))
            .layer(template, ModelArtifact.DOCKER_TEMPLATE)
            .layer(
                parameters,
                "application/vnd.cncf.model.weight.config.v1.raw",
                "generation_config.json"));
  }

  @AfterAll
  static void stop() {
    counting.close();
    registry.close();
  }

  @BeforeEach
  void forget() {
    counting.reset();
  }

  private Cli.Result run(Object... arguments) {
    return Cli.run("", Io.Terminals.NONE, environment(), arguments);
  }

  private Map<String, String> environment() {
    return Map.of("NAUTIL_HOME", home.toString(), "DOCKER_CONFIG", home.resolve("none").toString());
  }

  private static String reference(String name) {
    return counting.host() + "/" + name;
  }

  private List<Path> blobs() throws IOException {
    try (Stream<Path> files = Files.list(home.resolve("blobs/sha256"))) {
      return files.toList();
    }
  }

  @Test
  void pullsListsTagsAndRemoves() throws IOException {
    String id = plain.manifest().digest();
    assertEquals(id + "\n", run("pull", reference("ai/plain")).ok());
    String[] lines = run("ls").ok().split("\n");
    assertEquals(2, lines.length);
    String gap = "\\s{2,}";
    assertEquals(
        List.of(
            "MODEL NAME",
            "PARAMETERS",
            "QUANTIZATION",
            "ARCHITECTURE",
            "MODEL ID",
            "CREATED",
            "CONTEXT",
            "SIZE"),
        List.of(lines[0].split(gap)));
    assertTrue(lines[1].startsWith(reference("ai/plain") + "  "), lines[1]);
    assertTrue(lines[1].contains(id.substring(7, 19)), lines[1]);
    assertTrue(lines[1].endsWith("93.8 MiB"), lines[1]);
    assertEquals(id.substring(7, 19) + "\n", run("ls", "-q").ok());

    run("tag", reference("ai/plain"), "mine:v2").ok();
    JsonNode model = run("list", "--json").json().get(0);
    assertEquals(id, model.get("id").asText());
    assertEquals(
        List.of(reference("ai/plain:latest"), "docker.io/ai/mine:v2"),
        List.of(model.get("tags").get(0).asText(), model.get("tags").get(1).asText()));
    assertEquals(LICENSE, model.get("licenses").get(0).asText());
    assertTrue(run("ls").ok().contains("ai/mine:v2"));

    run("rm", id.substring(7, 19)).assertRefused(1, "several names", "mine:v2");
    assertEquals("Removed: mine:v2\n", run("rm", "mine:v2").ok());
    assertEquals(3, blobs().size());
    run("rm", "-f", "sha256:" + id.substring(7)).ok();
    assertEquals(List.of(), blobs());
    run("rm", reference("ai/plain")).assertRefused(1, "no model", "ai/plain");
    assertEquals("", run("rm", "-f", reference("ai/plain")).ok());
  }

  @Test
  void runPullsOnceAndThenAsksNobody() {
    String answer =
        run("run", reference("ai/plain"), "hi", "--temp", "0", "--max-tokens", "5").ok();
    assertEquals(Cli.run("run", MODEL, "hi", "--temp", "0", "--max-tokens", "5").ok(), answer);
    int requests = counting.exchanges().size();
    assertEquals(
        answer, run("run", reference("ai/plain"), "hi", "--temp", "0", "--max-tokens", "5").ok());
    assertEquals(requests, counting.exchanges().size());
  }

  @Test
  void honoursWhatComesBesideTheFile() throws IOException {
    String dressed = reference("ai/dressed:v1");
    run("pull", dressed).ok();
    String chat = "{\"messages\": [{\"role\": \"user\", \"content\": \"hi\"}]}";
    JsonNode ids =
        Cli.run(chat, Io.Terminals.NONE, environment(), "tokenize", dressed, "--chat").json();
    JsonNode expected = Cli.runOn("{\"text\": \"<user>hi<reply>\"}", "tokenize", MODEL).json();
    assertEquals(expected.get("tokens"), ids.get("tokens"), ids.toString());

    // Greedy, and 512 tokens at most, as its publisher says, unless the user says something else.
    String once = run("run", dressed, "--raw", "Once upon", "--max-tokens", "12").ok();
    assertEquals(once, run("run", dressed, "--raw", "Once upon", "--max-tokens", "12").ok());
    assertEquals(
        once,
        Cli.run("run", MODEL, "--raw", "Once upon", "--temp", "0", "--max-tokens", "12").ok());
    Cli.Result verbose = run("run", dressed, "--raw", "x", "--max-tokens", "1", "-v");
    assertTrue(verbose.err().contains("context 512 of 8192 tokens"), verbose.err());
    assertFalse(verbose.err().contains("memory"), verbose.err());
    verbose = run("run", dressed, "--raw", "x", "--max-tokens", "1", "-v", "--ctx-size", "1024");
    assertTrue(verbose.err().contains("context 1024 of 8192 tokens"), verbose.err());
    String text = run("inspect", dressed).ok();
    assertTrue(text.contains("its sampling    {\"do_sample\": false"), text);
    assertEquals(512, contextOf("inspect", dressed));
    assertEquals(512, contextOf("inspect", "--remote", dressed));
    assertEquals(1024, contextOf("inspect", "--ctx-size", "1024", dressed));
  }

  /** That memory is told for. */
  private int contextOf(String... inspect) throws IOException {
    List<Object> arguments = new ArrayList<>(List.of(inspect));
    arguments.add("--json");
    return run(arguments.toArray()).json().at("/memory/context_size").intValue();
  }

  @Test
  void aWrongUsageOfRunIsToldBeforeAPull() {
    run("run", reference("ai/plain"), "hi", "--temp", "-1").assertRefused(2, "--temp");
    run("run", reference("ai/plain"), "hi", "--max-tokens", "-1").assertRefused(2, "--max-tokens");
    assertEquals(List.of(), counting.exchanges());
  }

  @Test
  void inspectsWithoutTheWeights() throws IOException {
    String name = reference("ai/plain");
    run("inspect", name).assertRefused(1, "no model", "--remote");
    JsonNode remote = run("inspect", "--remote", "--json", name).json();
    long fetched = counting.bodyBytes();
    assertTrue(fetched < 6 << 20, fetched + " bytes");
    assertFalse(Files.exists(home.resolve("blobs")));

    JsonNode local = Cli.run("inspect", "--json", MODEL).json();
    assertEquals(plain.manifest().digest(), remote.get("id").asText());
    assertEquals(LICENSE, remote.get("licenses").get(0).asText());
    assertEquals(local.get("metadata"), remote.get("metadata"));
    assertEquals(local.get("tensors"), remote.get("tensors"));
    assertEquals(local.get("memory").get("weight_bytes"), remote.get("memory").get("weight_bytes"));

    run("pull", name).ok();
    JsonNode stored = run("inspect", "--json", name).json();
    assertEquals(local.get("metadata"), stored.get("metadata"));
    assertEquals(remote.get("id"), stored.get("id"));
    String text = run("inspect", name).ok();
    assertTrue(text.contains("licence         Permissive Licence\n"), text);
    run("inspect", "--remote", "--tensor", "x", name).assertRefused(2, "--tensor");
  }

  @Test
  void tellsWhatTheDiskHas() throws IOException {
    assertEquals(0, run("df", "--json").json().get("models").asInt());
    run("pull", reference("ai/plain")).ok();
    JsonNode usage = run("df", "--json").json();
    assertEquals(1, usage.get("models").asInt());
    long size = 0;
    for (Path blob : blobs()) {
      size += Files.size(blob);
    }
    assertEquals(size, usage.get("model_bytes").asLong());
    assertEquals(0, usage.get("partial_bytes").asLong());
    assertTrue(run("df").ok().contains("93.8 MiB"));
  }

  @Test
  void verifiesAndMends() throws IOException {
    run("pull", reference("ai/plain")).ok();
    assertEquals("all models are whole\n", run("verify").ok());
    Path weights = home.resolve("blobs/sha256/" + plain.layers().get(0).digest().substring(7));
    byte[] content = Files.readAllBytes(weights);
    content[content.length / 2] ^= 1;
    Files.write(weights, content);
    Cli.Result damaged = run("verify");
    assertEquals(1, damaged.code());
    // With the name by which it can be pulled again.
    assertEquals(
        reference("ai/plain:latest") + ": " + plain.layers().get(0).digest() + " is damaged\n",
        damaged.out());
    assertTrue(damaged.err().contains("nautil pull"), damaged.err());
    run("pull", reference("ai/plain")).ok();
    assertEquals("all models are whole\n", run("verify").ok());
  }

  @Test
  void whatAPublisherSaysCommandsNoTerminal() throws IOException {
    Artifacts.in(registry)
        .push(
            "ai/odd",
            "latest",
            ModelArtifact.docker(TestModels.path("tiny-Q4_0.gguf"))
                .config(
                    Map.of(
                        "config",
                        Map.of(
                            "quantization", "Q4\033[31m\u202e",
                            "parameters", "7".repeat(10_000),
                            "architecture", "a\nb"),
                        "descriptor",
                        Map.of("created", "now\u2028")))
                .layer(
                    Files.writeString(shared.resolve("ODD"), "free\u009b2J " + "x".repeat(10_000)),
                    ModelArtifact.DOCKER_LICENSE));
    run("pull", reference("ai/odd")).ok();
    for (String text : List.of(run("ls").ok(), run("inspect", reference("ai/odd")).ok())) {
      assertFalse(text.matches("(?s).*[\\p{Cc}\\p{Cf}\u2028&&[^\n]].*"), text);
      assertTrue(text.lines().allMatch(line -> line.length() < 240), text);
    }
    String row = run("ls").ok().lines().toList().get(1);
    assertTrue(row.contains("Q4\\x1b[31m\\u202e  a\\nb  "), row);
    assertTrue(row.contains("7".repeat(50) + "…") || row.contains("7".repeat(60) + "…"), row);
  }

  @Test
  void refusesWrongUsage() {
    run("pull", "--connections", "0", reference("ai/plain"))
        .assertRefused(2, "--connections", "between 1 and 64");
    run("pull", "--connections", "65", reference("ai/plain")).assertRefused(2, "--connections");
    assertEquals(List.of(), counting.exchanges());
    run("pull", reference("ai/plain")).ok();
    // Or the name would say what the model is not.
    String digest = "sha256:" + "0".repeat(64);
    run("tag", reference("ai/plain"), "mine@" + digest).assertRefused(1, "NAME:TAG");
    run("tag", reference("ai/plain"), "mine:v1@" + digest).assertRefused(1, "NAME:TAG");
    run("tag", reference("ai/plain"), "./mine.gguf").assertRefused(1, "NAME:TAG");
    assertEquals(1, run("ls", "-q").ok().lines().count());
  }

  @Test
  void tellsWhyTheStoreCannotBeUsed() throws IOException {
    Path file = Files.writeString(shared.resolve("no-folder-" + home.getFileName()), "");
    Map<String, String> environment = Map.of("NAUTIL_HOME", file.toString());
    Cli.run("", Io.Terminals.NONE, environment, "pull", reference("ai/plain"))
        .assertRefused(1, file.toString(), "another file is in its place", "NAUTIL_HOME");
    Cli.run("", Io.Terminals.NONE, environment, "ls")
        .assertRefused(1, file.toString(), "it is no folder", "NAUTIL_HOME");
  }

  @Test
  void showsHowFarAPullIs() {
    Cli.Result bars =
        Cli.run(
            "", new Io.Terminals(false, false, true), environment(), "pull", reference("ai/plain"));
    String digest = plain.layers().get(0).digest().substring(7, 19);
    assertTrue(bars.err().contains(digest + " ["), bars.err());
    assertTrue(bars.err().endsWith("\033[J"), bars.err());
    assertEquals("", run("pull", reference("ai/plain")).err());
  }

  @Test
  void completesInBash() throws IOException, InterruptedException {
    Files.writeString(home.resolve("completion"), run("completion").ok());
    Files.writeString(home.resolve("a model.gguf"), "");
    // On a terminal, where it asks for completions.
    Process bash =
        new ProcessBuilder("script", "-qec", "bash --norc --noprofile -i", "/dev/null")
            .directory(home.toFile())
            .redirectErrorStream(true)
            .start();
    bash.getOutputStream()
        .write(
            """
            source ./completion; nautil() { printf '<%s>' "$@"; echo; }
            nautil pul\t--conn\t
            nautil run --kv-t\tQ\t-m a\thi
            nautil inspect ./a\t--j\t
            exit
            """
                .getBytes(StandardCharsets.UTF_8));
    bash.getOutputStream().close();
    String output = new String(bash.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertTrue(output.contains("<pull><--connections>"), output);
    assertTrue(output.contains("<run><--kv-type><Q8_0><-m><a model.gguf><hi>"), output);
    assertTrue(output.contains("<inspect><./a model.gguf><--json>"), output);
    assertEquals(0, bash.waitFor());
  }
}
