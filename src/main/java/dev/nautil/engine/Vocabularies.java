package dev.nautil.engine;

import dev.nautil.UnsupportedModelException;
import dev.nautil.internal.NativeFile;
import dev.nautil.tokenizer.StringTable;
import dev.nautil.tokenizer.Tokenizer;
import dev.nautil.tokenizer.Vocabulary;
import java.util.function.Consumer;
import java.util.function.IntConsumer;

/** Reads a file's {@code tokenizer.ggml.*} keys. */
public final class Vocabularies {
  private static final String PREFIX = "tokenizer.ggml.";

  private Vocabularies() {}

  /**
   * The tokenizer that a file describes.
   *
   * @throws UnsupportedModelException if there is none, or one of an unknown kind
   */
  public static Tokenizer tokenizer(NativeFile file) {
    try {
      return Tokenizer.of(vocabulary(file));
    } catch (IllegalArgumentException e) {
      throw new UnsupportedModelException(file.path() + ": " + e.getMessage());
    }
  }

  /**
   * The vocabulary that a file holds.
   *
   * @throws IllegalArgumentException if there is none, or a key of it has the wrong type
   */
  public static Vocabulary vocabulary(NativeFile file) {
    if (!(file.get(PREFIX + "model") instanceof String model)
        || !(file.get(PREFIX + "tokens") instanceof StringTable tokens)) {
      throw new IllegalArgumentException(
          "the file has no tokenizer (tokenizer.ggml.model and tokenizer.ggml.tokens)");
    }
    Vocabulary.Builder builder = Vocabulary.builder(model, tokens);
    set(file, "pre", String.class, builder::pre);
    set(file, "token_type", int[].class, builder::types);
    set(file, "scores", float[].class, builder::scores);
    set(file, "merges", StringTable.class, builder::merges);
    setId(file, "bos_token_id", builder::bos);
    setId(file, "eos_token_id", builder::eos);
    setId(file, "eot_token_id", builder::eot);
    setId(file, "unknown_token_id", builder::unk);
    setId(file, "padding_token_id", builder::padding);
    set(file, "add_bos_token", Boolean.class, builder::addBos);
    set(file, "add_eos_token", Boolean.class, builder::addEos);
    set(file, "add_space_prefix", Boolean.class, builder::addSpacePrefix);
    return builder.build();
  }

  private static <T> void set(NativeFile file, String key, Class<T> type, Consumer<T> setter) {
    Object value = file.get(PREFIX + key);
    if (value == null) {
      return;
    }
    if (!type.isInstance(value)) {
      throw new IllegalArgumentException(
          PREFIX
              + key
              + " is a "
              + value.getClass().getSimpleName()
              + ", not a "
              + type.getSimpleName());
    }
    setter.accept(type.cast(value));
  }

  private static void setId(NativeFile file, String key, IntConsumer setter) {
    set(file, key, Number.class, id -> setter.accept(Math.toIntExact(id.longValue())));
  }
}
