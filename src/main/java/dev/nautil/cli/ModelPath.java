package dev.nautil.cli;

import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;

/** What MODEL may be: for now the path of a GGUF file. */
final class ModelPath {
  private ModelPath() {}

  /**
   * The file that a MODEL names.
   *
   * @throws Failure if there is none
   */
  static Path resolve(String model) {
    Path path = path(model);
    if (Files.isDirectory(path)) {
      throw new Failure(model + " is a folder; MODEL is the path of a .gguf file");
    }
    if (Files.exists(path)) {
      return path;
    }
    if (isPath(model)) {
      throw new Failure(model + ": there is no such file");
    }
    throw new Failure(
        model
            + ": there is no such file, and models cannot be pulled from a registry yet: give the"
            + " path of a GGUF file, such as ./model.gguf");
  }

  /**
   * The same where {@link #isModel} took the argument for a model: a prompt can look like a
   * reference.
   *
   * @throws Failure if there is none, with how to pass a prompt
   */
  static Path resolveGuessed(String argument) {
    try {
      return resolve(argument);
    } catch (Failure e) {
      if (isPath(argument)) {
        throw e;
      }
      throw new Failure(
          e.getMessage()
              + ". It was taken for a model's reference, since it has a / or : and no space; if it"
              + " is the prompt, name the model too: nautil run -m MODEL PROMPT",
          e);
    }
  }

  /** A path, or a failure that says why a text cannot be one. */
  static Path path(String text) {
    try {
      return Path.of(text);
    } catch (InvalidPathException e) {
      throw new Failure(
          text
              + " cannot be a path here ("
              + e.getReason()
              + "); for characters beyond ASCII set LC_ALL=C.UTF-8",
          e);
    }
  }

  /** Whether a lone argument of {@code run} is a model, not a prompt. */
  static boolean isModel(String argument) {
    boolean spaced = argument.chars().anyMatch(c -> Character.isWhitespace(c) || c == 0xA0);
    boolean reference = !spaced && (argument.indexOf('/') >= 0 || argument.indexOf(':') >= 0);
    return reference || argument.endsWith(".gguf") || isFile(argument);
  }

  private static boolean isPath(String model) {
    return model.endsWith(".gguf") || model.startsWith(".") || path(model).isAbsolute();
  }

  private static boolean isFile(String text) {
    try {
      return Files.isRegularFile(Path.of(text));
    } catch (InvalidPathException e) {
      return false;
    }
  }
}
