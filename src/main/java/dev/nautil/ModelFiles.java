package dev.nautil;

import dev.nautil.registry.ModelReference;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** What a text that names a model stands for, and what came with the model. */
final class ModelFiles {
  private ModelFiles() {}

  /** The file that a text names, if there is one, or if it can be nothing else; else null. */
  static @Nullable Path fileOf(String text) {
    try {
      Path path = Path.of(text);
      if (!text.isEmpty() && Files.exists(path)) {
        return path;
      }
    } catch (InvalidPathException e) {
      // A reference, or told by the parser.
    }
    return ModelReference.parse(text) instanceof ModelReference.File file ? file.toPath() : null;
  }

  /** Options with what the publisher says where they say nothing. */
  static ModelOptions withDefaults(StoredModel model, ModelOptions options) {
    ModelOptions all = options;
    String template = model.chatTemplate();
    if (template != null && options.chatTemplate() == null) {
      all = all.chatTemplate(template);
    }
    Integer context = model.contextSize();
    if (context != null && options.contextSize() == 0) {
      all = all.maxContextSize(context);
    }
    Sampling sampling = model.sampling();
    return sampling == null || options.sampling() != null ? all : all.sampling(sampling);
  }
}
