package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.TestModels;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;

class EmbedCommandTest {
  private static final Path MODEL = TestModels.smolLm2();

  @Test
  void answersLineByLine() throws IOException {
    String lines =
        String.join(
            "\n",
            "{\"text\": \"a b\"}",
            "{\"texts\": [\"c\", \"a b\"]}",
            "{\"texts\": []}",
            "{\"text\": \"\"}",
            "{\"texts\": [\"a\", \"\"]}",
            "{\"texts\": [1]}",
            "{\"txt\": \"a\"}");
    JsonNode[] answers = Cli.runOn(lines, "embed", MODEL).jsonLines();
    assertEquals(7, answers.length);
    JsonNode vector = answers[0].get("embedding");
    assertEquals(576, vector.size());
    assertEquals(vector, answers[1].at("/embeddings/1"));
    assertNotEquals(vector, answers[1].at("/embeddings/0"));
    assertEquals(0, answers[2].get("embeddings").size());
    assertEquals("the text is empty", answers[3].get("error").textValue());
    assertEquals("text 1 is empty", answers[4].get("error").textValue());
    assertEquals("\"texts\" is no list of strings: [1]", answers[5].get("error").textValue());
    assertTrue(answers[6].get("error").textValue().contains("\"text\" (a string)"));
  }

  @Test
  void optionsChangeTheVector() throws IOException {
    String line = "{\"text\": \"Hello world\"}";
    String mean = Cli.runOn(line, "embed", MODEL, "--pooling", "mean").ok();
    assertEquals(mean, Cli.runOn(line, "embed", MODEL).ok());
    for (String[] options :
        new String[][] {{"--pooling", "first"}, {"--pooling", "last"}, {"--no-normalize"}}) {
      Object[] arguments = new Object[options.length + 2];
      arguments[0] = "embed";
      arguments[1] = MODEL;
      System.arraycopy(options, 0, arguments, 2, options.length);
      assertNotEquals(mean, Cli.runOn(line, arguments).ok());
    }
    Cli.runOn(line, "embed", MODEL, "--pooling", "rank").assertRefused(2, "--pooling", "rank");
  }
}
