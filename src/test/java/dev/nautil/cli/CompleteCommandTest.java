package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.TestModels;
import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CompleteCommandTest {
  private static final Path MODEL = TestModels.smolLm2();

  @Test
  void continuesGreedily() throws IOException {
    JsonNode answer =
        Cli.run(
                "complete",
                MODEL,
                "--prompt",
                "The capital of France is",
                "--n-predict",
                "3",
                "--top",
                "2",
                "--json")
            .json();
    assertEquals(" Paris.\n", answer.get("text").textValue());
    assertEquals(3, answer.get("steps").size());
    for (int i = 0; i < 3; i++) {
      JsonNode step = answer.get("steps").get(i);
      assertEquals(answer.get("tokens").get(i), step.get("id"));
      assertEquals(2, step.get("top").size());
      assertEquals(step.get("id"), step.get("top").get(0).get(0));
      assertEquals(step.get("logprob"), step.get("top").get(0).get(1));
      assertTrue(step.get("logprob").doubleValue() < 0);
    }
  }

  @Test
  void answersLinesAsItAnswersOptions() throws IOException {
    // Of the model's choices 7042, 30, 198 the second is replaced, and what follows changes.
    String[] options = {"--n-predict", "3", "--top", "2", "--json"};
    JsonNode forced =
        Cli.run(
                "complete",
                MODEL,
                "--tokens",
                "504,3575,282,4649,314",
                "--force",
                "7042,28",
                options[0],
                options[1],
                options[2],
                options[3],
                options[4])
            .json();
    assertEquals("[7042,28", forced.get("tokens").toString().substring(0, 8));
    assertTrue(
        forced.get("steps").get(1).get("logprob").doubleValue()
            < forced.get("steps").get(1).get("top").get(0).get(1).doubleValue());
    String request =
        "{\"tokens\": [504, 3575, 282, 4649, 314], \"force\": [7042, 28], \"n_predict\": 3,"
            + " \"top\": 2}\n";
    JsonNode[] lines =
        Cli.runOn(
                request + "\n" + request + "{\"prompt\": \"hé\"}",
                "complete",
                MODEL,
                "--jsonl",
                "--n-predict",
                "1")
            .jsonLines();
    assertEquals(3, lines.length);
    assertEquals(forced, lines[0]);
    assertEquals(forced, lines[1]);
    assertEquals(1, lines[2].get("tokens").size());
    assertEquals(20, lines[2].get("steps").get(0).get("top").size());
  }

  @Test
  void goesOnAfterTheEnd() throws IOException {
    // <|im_end|> is fed, and the model goes on.
    JsonNode answer =
        Cli.run("complete", MODEL, "--prompt", "Hi", "--force", "2", "--n-predict", "3", "--json")
            .json();
    assertEquals(2, answer.get("tokens").get(0).intValue());
    assertEquals(3, answer.get("tokens").size());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "2 | --prompt x --tokens 1 | --jsonl",
        "2 | --json | --prompt",
        "2 | --tokens 1,x | \"x\"",
        "2 | --tokens 1 --n-predict many | many",
        "2 | --tokens 1 --n-predict -1 | 0 or more",
        "2 | --tokens 1 --threads 9999 | 1024",
        "2 | --tokens 1 --no-such-option | --no-such-option",
        "1 | --tokens 1,-1 | vocabulary of 49152",
        "1 | --tokens 49152 | 49152 is not in",
        "1 | --tokens 1 --force 49152 | 49152 is not in",
        "1 | --tokens 1 --n-predict 8193 | context of 8192",
      })
  void refuses(int code, String options, String reason) {
    String[] arguments = ("complete " + MODEL + " " + options).split(" ");
    Cli.run((Object[]) arguments).assertRefused(code, reason);
  }

  @Test
  void goesOnAfterWrongLines() throws IOException {
    String[] wrong = {"{\"tokens\": 3}", "{\"tokens\": ", "[1]", "{\"tokens\": [49152]}"};
    String[] reasons = {"tokens", "JSON", "JSON", "49152 is not in"};
    JsonNode[] lines =
        Cli.runOn(
                String.join("\n", wrong) + "\n{\"tokens\": [1], \"n_predict\": 1}",
                "complete",
                MODEL,
                "--jsonl")
            .jsonLines();
    assertEquals(wrong.length + 1, lines.length);
    for (int i = 0; i < wrong.length; i++) {
      String error = lines[i].get("error").textValue();
      assertTrue(error.contains(reasons[i]), error);
    }
    assertEquals(1, lines[wrong.length].get("tokens").size());
  }
}
