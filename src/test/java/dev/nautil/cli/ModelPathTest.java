package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class ModelPathTest {
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
    assertEquals(model, ModelPath.isModel(argument));
  }

  @Test
  void takesAFileForAModel(@TempDir Path folder) throws IOException {
    Path file = Files.createFile(folder.resolve("a model"));
    assertTrue(ModelPath.isModel(file.toString()));
    assertEquals(file, ModelPath.resolve(file.toString()));
  }

  @Test
  void tellsHowToPassAPromptThatLooksLikeAModel() {
    Failure guessed = assertThrows(Failure.class, () -> ModelPath.resolveGuessed("and/or"));
    assertTrue(guessed.getMessage().contains("taken for a model"), guessed.getMessage());
    assertTrue(guessed.getMessage().contains("-m MODEL PROMPT"), guessed.getMessage());
    Failure path = assertThrows(Failure.class, () -> ModelPath.resolveGuessed("./absent.gguf"));
    assertTrue(path.getMessage().endsWith("no such file"), path.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "ai/mistral-nemo, registry",
    "absent.gguf, no such file",
    "./absent, no such file",
    "., folder",
  })
  void saysWhatIsMissing(String model, String reason) {
    Failure failure = assertThrows(Failure.class, () -> ModelPath.resolve(model));
    assertTrue(failure.getMessage().contains(reason), failure.getMessage());
    assertTrue(failure.getMessage().contains(model), failure.getMessage());
  }
}
