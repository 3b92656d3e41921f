package dev.nautil.tokenizer;

import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * What a GGUF file says of its tokenizer: the {@code tokenizer.ggml.*} keys.
 *
 * <p>A key that the file lacks is one that the builder is not told; {@link Builder#build} then puts
 * in what the kind of tokenizer implies. An id of −1 is a token that the model does not have.
 *
 * <p>Immutable and thread-safe. Arrays are kept, not copied (a vocabulary is megabytes): who gives
 * them away must not change them.
 */
public final class Vocabulary {
  /** Token types, as GGUF numbers them. */
  static final int NORMAL = 1;

  static final int UNKNOWN = 2;
  static final int CONTROL = 3;
  static final int USER_DEFINED = 4;
  static final int BYTE = 6;

  private final String model;
  private final String pre;
  private final StringTable tokens;
  private final int @Nullable [] types;
  private final float @Nullable [] scores;
  private final @Nullable StringTable merges;
  private final int bos;
  private final int eos;
  private final int eot;
  private final int unk;
  private final int padding;
  private final boolean addBos;
  private final boolean addEos;
  private final boolean addSpacePrefix;

  private Vocabulary(Builder b) {
    model = b.model;
    pre = b.pre;
    tokens = b.tokens;
    types = b.types;
    scores = b.scores;
    merges = b.merges;
    // Llama's own ids, which the oldest files of its kind rely on.
    boolean llama = model.equals("llama");
    bos = b.id("bos", b.bos, llama ? 1 : -1);
    eos = b.id("eos", b.eos, llama ? 2 : -1);
    unk = b.id("unk", b.unk, llama ? 0 : -1);
    eot = b.id("eot", b.eot, -1);
    padding = b.id("padding", b.padding, -1);
    boolean wantsBos = b.addBos != null ? b.addBos : llama || PreTokenizers.addsBos(pre);
    addBos = wantsBos && bos >= 0;
    addEos = Boolean.TRUE.equals(b.addEos) && eos >= 0;
    addSpacePrefix = b.addSpacePrefix != null ? b.addSpacePrefix : llama;
  }

  /**
   * Starts a vocabulary.
   *
   * @param model {@code tokenizer.ggml.model}: "gpt2" or "llama"
   * @param tokens {@code tokenizer.ggml.tokens}: UTF-8, by id
   */
  public static Builder builder(String model, StringTable tokens) {
    return new Builder(model, tokens);
  }

  /** {@code tokenizer.ggml.model}. */
  public String model() {
    return model;
  }

  /** {@code tokenizer.ggml.pre}, or "default" where the file does not say. */
  public String pre() {
    return pre;
  }

  /** The tokens' strings by id: UTF-8, in which a "gpt2" model has its stand-ins for bytes. */
  public StringTable tokens() {
    return tokens;
  }

  /** Number of tokens. */
  public int size() {
    return tokens.size();
  }

  /** GGUF's type of a token: 1 normal, 2 unknown, 3 control, 4 user-defined, 5 unused, 6 byte. */
  public int type(int id) {
    return types == null ? NORMAL : types[id];
  }

  /** The score of a token in a "llama" model: the higher merges first. */
  public float score(int id) {
    return scores == null ? 0 : scores[id];
  }

  /** {@code tokenizer.ggml.merges}: "left right" in order of rank; null where there are none. */
  public @Nullable StringTable merges() {
    return merges;
  }

  /** The token that begins a text, or −1. */
  public int bos() {
    return bos;
  }

  /** The token that ends a text, or −1. */
  public int eos() {
    return eos;
  }

  /** The token that ends a turn, where the file names one, or −1. */
  public int eot() {
    return eot;
  }

  /** The token for what cannot be encoded, or −1. */
  public int unk() {
    return unk;
  }

  /** The token that fills up, or −1. */
  public int padding() {
    return padding;
  }

  /** Whether a text starts with {@link #bos}; never where there is none. */
  public boolean addBos() {
    return addBos;
  }

  /** Whether a text ends with {@link #eos}; never where there is none. */
  public boolean addEos() {
    return addEos;
  }

  /** Whether a "llama" model's text gets a space put before it. */
  public boolean addSpacePrefix() {
    return addSpacePrefix;
  }

  /** Collects the keys that a file has. Not thread-safe. */
  public static final class Builder {
    private final String model;
    private final StringTable tokens;
    private String pre = "default";
    private int @Nullable [] types;
    private float @Nullable [] scores;
    private @Nullable StringTable merges;
    private @Nullable Integer bos;
    private @Nullable Integer eos;
    private @Nullable Integer eot;
    private @Nullable Integer unk;
    private @Nullable Integer padding;
    private @Nullable Boolean addBos;
    private @Nullable Boolean addEos;
    private @Nullable Boolean addSpacePrefix;

    private Builder(String model, StringTable tokens) {
      this.model = Objects.requireNonNull(model, "model");
      this.tokens = Objects.requireNonNull(tokens, "tokens");
      if (tokens.size() == 0) {
        throw new IllegalArgumentException("a vocabulary without tokens");
      }
    }

    /** {@code tokenizer.ggml.pre}. */
    public Builder pre(String pre) {
      this.pre = Objects.requireNonNull(pre, "pre");
      return this;
    }

    /**
     * {@code tokenizer.ggml.token_type}, by id.
     *
     * @throws IllegalArgumentException if there are fewer than tokens
     */
    public Builder types(int[] types) {
      this.types = types;
      return checkCount("types", types.length);
    }

    /**
     * {@code tokenizer.ggml.scores}, by id.
     *
     * @throws IllegalArgumentException if there are fewer than tokens
     */
    public Builder scores(float[] scores) {
      this.scores = scores;
      return checkCount("scores", scores.length);
    }

    /** {@code tokenizer.ggml.merges}. */
    public Builder merges(StringTable merges) {
      this.merges = merges;
      return this;
    }

    /** {@code tokenizer.ggml.bos_token_id}. */
    public Builder bos(int id) {
      bos = id;
      return this;
    }

    /** {@code tokenizer.ggml.eos_token_id}. */
    public Builder eos(int id) {
      eos = id;
      return this;
    }

    /** {@code tokenizer.ggml.eot_token_id}. */
    public Builder eot(int id) {
      eot = id;
      return this;
    }

    /** {@code tokenizer.ggml.unknown_token_id}. */
    public Builder unk(int id) {
      unk = id;
      return this;
    }

    /** {@code tokenizer.ggml.padding_token_id}. */
    public Builder padding(int id) {
      padding = id;
      return this;
    }

    /** {@code tokenizer.ggml.add_bos_token}. */
    public Builder addBos(boolean add) {
      addBos = add;
      return this;
    }

    /** {@code tokenizer.ggml.add_eos_token}. */
    public Builder addEos(boolean add) {
      addEos = add;
      return this;
    }

    /** {@code tokenizer.ggml.add_space_prefix}. */
    public Builder addSpacePrefix(boolean add) {
      addSpacePrefix = add;
      return this;
    }

    /**
     * The vocabulary.
     *
     * @throws IllegalArgumentException if an id is no token's
     */
    public Vocabulary build() {
      return new Vocabulary(this);
    }

    private int id(String name, @Nullable Integer id, int whereMissing) {
      if (id == null) {
        return whereMissing < tokens.size() ? whereMissing : -1;
      }
      if (id < -1 || id >= tokens.size()) {
        throw new IllegalArgumentException(
            name + " token id " + id + " in a vocabulary of " + tokens.size() + " tokens");
      }
      return id;
    }

    private Builder checkCount(String name, int count) {
      if (count < tokens.size()) {
        throw new IllegalArgumentException(
            count + " " + name + " for " + tokens.size() + " tokens");
      }
      return this;
    }
  }
}
