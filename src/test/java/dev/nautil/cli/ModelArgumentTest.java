package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelArgumentTest {
  private static final Io IO =
      new Io(
          InputStream.nullInputStream(),
          Io.print(OutputStream.nullOutputStream()),
          new PrintStream(OutputStream.nullOutputStream()),
          Io.Terminals.NONE,
          Map.of("NAUTIL_HOME", "/nonexistent"));

  @ParameterizedTest
  @CsvSource({
    "model.gguf, true",
    "no such model.gguf, true",
    "ai/mistral-nemo, true",
    "mistral-nemo:latest, true",
    "hello, false",
    "What is 1/2?, false",
    "Bonjour : ça va ?, false",
    "'', false",
  })
  void tellsModelsFromPrompts(String argument, boolean model) {
    assertEquals(model, ModelArgument.isModel(argument));
  }

  @Test
  void takesAFileForAModel(@TempDir Path folder) throws IOException {
    Path file = Files.createFile(folder.resolve("a model"));
    assertTrue(ModelArgument.isModel(file.toString()));
    assertEquals(file, ModelArgument.resolve(IO, file.toString()).path());
    assertEquals(file, ModelArgument.resolve(IO, file.toUri().toString()).path());
  }

  @Test
  void tellsHowToPassAPromptThatLooksLikeAModel() {
    Failure guessed =
        assertThrows(Failure.class, () -> ModelArgument.resolveGuessed(IO, "localhost:1/or"));
    assertTrue(guessed.getMessage().contains("taken for a model"), guessed.getMessage());
    assertTrue(guessed.getMessage().contains("-m MODEL PROMPT"), guessed.getMessage());
    Failure path =
        assertThrows(Failure.class, () -> ModelArgument.resolveGuessed(IO, "./absent.gguf"));
    assertTrue(path.getMessage().endsWith("no such file"), path.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "localhost:1/mistral-nemo, takes no connection",
    "Mistral/Nemo, upper-case",
    "absent.gguf, no such file",
    "./absent, no such file",
    "file:///absent, no such file",
    "~/absent, no such file",
    "., folder",
  })
  void saysWhatIsMissing(String model, String reason) {
    RuntimeException failure =
        assertThrows(RuntimeException.class, () -> ModelArgument.resolve(IO, model));
    assertTrue(failure.getMessage().contains(reason), failure.getMessage());
    assertTrue(failure.getMessage().contains(model), failure.getMessage());
  }
}
