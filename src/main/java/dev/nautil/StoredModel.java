package dev.nautil;

import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A model of the store. What its publisher did not say is null.
 *
 * @param id {@code sha256:} and the SHA-256 of its manifest
 * @param references what names it, such as {@code docker.io/ai/mistral-nemo:latest}
 * @param parameters such as "12.25 B"
 * @param quantization such as "Q4_K_M"
 * @param architecture such as "llama"
 * @param contextSize tokens that its publisher chose for a conversation
 * @param created such as "2025-03-20T14:07:31Z"
 * @param bytes of its weights
 * @param file the GGUF file; of a split model, the first part
 * @param chatTemplate that came beside the file; null: the file's own
 * @param licenses texts
 * @param parametersJson defaults for sampling, as a {@code generation_config.json} has them
 */
public record StoredModel(
    String id,
    List<String> references,
    @Nullable String parameters,
    @Nullable String quantization,
    @Nullable String architecture,
    @Nullable Integer contextSize,
    @Nullable String created,
    long bytes,
    Path file,
    @Nullable String chatTemplate,
    List<String> licenses,
    @Nullable String parametersJson) {
  public StoredModel {
    references = List.copyOf(references);
    licenses = List.copyOf(licenses);
  }

  /**
   * How its publisher wants tokens chosen; null if that is not said.
   *
   * @throws StoreException if it is said in a way that cannot be used
   */
  public @Nullable Sampling sampling() {
    return parametersJson == null ? null : PublishedSampling.read(parametersJson, id);
  }
}
