package dev.nautil.tokenizer;

import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * What each {@code tokenizer.ggml.pre} name means. The names are llama.cpp's, which the writers of
 * GGUF files follow (llama-vocab.cpp); those here are of models whose pre-tokenizer is one of
 * {@link PreTokenizer}'s.
 */
final class PreTokenizers {
  /**
   * How one name's text is encoded.
   *
   * @param wholePieces whether a piece that is itself a token is taken as it is, before any merge
   * @param addsBos whether a text starts with BOS where the file does not say
   */
  record Entry(PreTokenizer scanner, boolean wholePieces, boolean addsBos) {}

  private static final Map<String, Entry> ENTRIES = new TreeMap<>();

  private PreTokenizers() {}

  static {
    put(new Entry(PreTokenizer.TEKKEN, true, true), "tekken");
    put(
        new Entry(PreTokenizer.LLAMA_BPE, true, true),
        "llama3",
        "llama-v3",
        "llama-bpe",
        "falcon3",
        "falcon-h1",
        "lfm2",
        "midm-2.0",
        "pixtral");
    put(
        new Entry(PreTokenizer.LLAMA_BPE, false, false),
        "chatglm-bpe",
        "dbrx",
        "glm4",
        "smaug-bpe");
    put(
        new Entry(PreTokenizer.QWEN2, false, false),
        "qwen2",
        "deepseek-r1-qwen",
        "hunyuan",
        "kormo",
        "megrez",
        "solar-open",
        "stablelm2");
    put(
        new Entry(PreTokenizer.SMOLLM, false, false),
        "smollm",
        "codeshell",
        "command-r",
        "exaone",
        "mellum2",
        "minerva-7b",
        "refact",
        "starcoder");
    put(
        new Entry(PreTokenizer.GPT2, false, false),
        "gpt-2",
        "a.x-4.0",
        "exaone4",
        "gigachat",
        "granite-docling",
        "jais",
        "mellum",
        "mpt",
        "olmo",
        "phi-2",
        "trillion");
    put(new Entry(PreTokenizer.DEFAULT, false, false), "default");
  }

  private static void put(Entry entry, String... names) {
    for (String name : names) {
      ENTRIES.put(name, entry);
    }
  }

  /**
   * The meaning of a name.
   *
   * @throws IllegalArgumentException if it is not known; names those that are
   */
  static Entry of(String name) {
    @Nullable Entry entry = ENTRIES.get(name);
    if (entry == null) {
      throw new IllegalArgumentException(
          "unknown pre-tokenizer \"" + name + "\"; supported are " + ENTRIES.keySet());
    }
    return entry;
  }

  static boolean addsBos(String name) {
    @Nullable Entry entry = ENTRIES.get(name);
    return entry != null && entry.addsBos();
  }
}
