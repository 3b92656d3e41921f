package dev.nautil.cli;

import dev.nautil.Model;
import dev.nautil.ModelNotFoundException;
import dev.nautil.ModelOptions;
import dev.nautil.ModelStore;
import dev.nautil.NautilException;
import dev.nautil.Sampling;
import dev.nautil.StoredModel;
import dev.nautil.registry.ModelReference;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * What a MODEL names: a GGUF file, or a model of the store, which is pulled if it is not there.
 *
 * @param path the file; of a split model, its first part
 * @param stored null if it is just a file
 */
record ModelArgument(Path path, @Nullable StoredModel stored) {
  /**
   * The model that a text names.
   *
   * @throws Failure if it names a file that is not there
   * @throws NautilException if it names a model that cannot be pulled
   */
  static ModelArgument resolve(Io io, String text) {
    ModelArgument file = file(text);
    if (file != null) {
      return file;
    }
    try (PullView view = new PullView(io, text)) {
      return of(
          ModelStore.open(io.environment()).get(text, ModelStore.pullOptions().onProgress(view)));
    }
  }

  /**
   * The same, but a model that is not on this machine is not pulled.
   *
   * @throws ModelNotFoundException if it is not
   */
  static ModelArgument here(Io io, String text) {
    ModelArgument file = file(text);
    return file != null
        ? file
        : of(
            ModelStore.open(io.environment())
                .find(text)
                .orElseThrow(
                    () ->
                        new ModelNotFoundException(
                            "there is no model "
                                + text
                                + " on this machine; nautil pull fetches it, and nautil inspect"
                                + " --remote looks at it where it is",
                            null)));
  }

  /** A model of the store. */
  static ModelArgument of(StoredModel stored) {
    return new ModelArgument(stored.file(), stored);
  }

  /** The file that a text names, if it does; null if it names a model of the store. */
  static @Nullable ModelArgument file(String text) {
    // Or what cannot be a path in this locale would be told to be no reference.
    path(text);
    Path path = path(text, () -> ModelReference.fileOf(text));
    if (path == null) {
      return null;
    }
    if (Files.isDirectory(path)) {
      throw new Failure(text + " is a folder; MODEL is a .gguf file or a reference");
    }
    if (!Files.exists(path)) {
      throw new Failure(text + ": there is no such file");
    }
    return new ModelArgument(path, null);
  }

  /**
   * The same where {@link #isModel} took the argument for a model: a prompt can look like a
   * reference.
   *
   * @throws Failure if it names none, with how to pass a prompt
   */
  static ModelArgument resolveGuessed(Io io, String argument) {
    try {
      return resolve(io, argument);
    } catch (NautilException | IllegalArgumentException e) {
      // Not a Failure: what is none of these can only be a file.
      throw new Failure(
          e.getMessage()
              + ". It was taken for a model's reference, since it has a / or : and no space; if it"
              + " is the prompt, name the model too: nautil run -m MODEL PROMPT",
          e);
    }
  }

  Model open(ModelOptions options) {
    return stored == null ? Model.open(path, options) : Model.open(stored, options);
  }

  /** How tokens are chosen if nobody says. */
  Sampling sampling() {
    Sampling own = stored == null ? null : stored.sampling();
    return own != null ? own : Sampling.defaults();
  }

  /** Tokens that the model's publisher chose for a conversation at most. */
  int contextLimit() {
    Integer own = stored == null ? null : stored.contextSize();
    return own != null ? own : Integer.MAX_VALUE;
  }

  /** The template that takes the place of the file's own; null: none does. */
  @Nullable String chatTemplate() {
    return stored == null ? null : stored.chatTemplate();
  }

  /** A path, or a failure that says why a text cannot be one. */
  static Path path(String text) {
    return Objects.requireNonNull(path(text, () -> Path.of(text)));
  }

  private static @Nullable Path path(String text, Supplier<@Nullable Path> path) {
    try {
      return path.get();
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

  private static boolean isFile(String text) {
    try {
      return Files.isRegularFile(Path.of(text));
    } catch (InvalidPathException e) {
      return false;
    }
  }
}
