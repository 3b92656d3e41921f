package dev.nautil;

import java.util.Objects;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** How a model is opened. Immutable: each method gives a changed copy. */
public final class ModelOptions {
  static final ModelOptions DEFAULTS = new ModelOptions(new Settings());

  private final int contextSize;
  private final int maxContextSize;
  private final int threads;
  private final boolean copyIntoMemory;
  private final boolean overcommit;
  private final KvCacheType kvCacheType;
  private final int maxWaiting;
  private final @Nullable Consumer<LoadProgress> onProgress;
  private final @Nullable String chatTemplate;
  private final @Nullable Sampling sampling;
  private final PullOptions pull;

  /** What a copy is made from. */
  private static final class Settings {
    int contextSize;
    int maxContextSize;
    int threads;
    boolean copyIntoMemory;
    boolean overcommit;
    KvCacheType kvCacheType = KvCacheType.F16;
    int maxWaiting = 1024;
    @Nullable Consumer<LoadProgress> onProgress;
    @Nullable String chatTemplate;
    @Nullable Sampling sampling;
    PullOptions pull = PullOptions.DEFAULTS;

    Settings() {}

    Settings(ModelOptions options) {
      contextSize = options.contextSize;
      maxContextSize = options.maxContextSize;
      threads = options.threads;
      copyIntoMemory = options.copyIntoMemory;
      overcommit = options.overcommit;
      kvCacheType = options.kvCacheType;
      maxWaiting = options.maxWaiting;
      onProgress = options.onProgress;
      chatTemplate = options.chatTemplate;
      sampling = options.sampling;
      pull = options.pull;
    }
  }

  private ModelOptions(Settings settings) {
    contextSize = settings.contextSize;
    maxContextSize = settings.maxContextSize;
    threads = settings.threads;
    copyIntoMemory = settings.copyIntoMemory;
    overcommit = settings.overcommit;
    kvCacheType = Objects.requireNonNull(settings.kvCacheType, "type");
    maxWaiting = settings.maxWaiting;
    onProgress = settings.onProgress;
    chatTemplate = settings.chatTemplate;
    sampling = settings.sampling;
    pull = Objects.requireNonNull(settings.pull, "options");
  }

  private ModelOptions with(Consumer<Settings> change) {
    Settings settings = new Settings(this);
    change.accept(settings);
    return new ModelOptions(settings);
  }

  /**
   * How far the opening of a model is.
   *
   * @param done bytes of the file that are in memory
   * @param total bytes of the file
   */
  public record LoadProgress(long done, long total) {}

  /**
   * Tokens that a conversation can have. 0, the default: the model's own limit, as far as the
   * memory that is free now allows; {@link Model#describe} tells what came of it. A long context
   * costs memory only as it fills, but opening fails with {@link NotEnoughMemoryException} if a
   * full one would not fit; {@link Model#estimate(java.nio.file.Path, ModelOptions)} tells
   * beforehand.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public ModelOptions contextSize(int tokens) {
    if (tokens < 0) {
      throw new IllegalArgumentException(
          "contextSize is " + tokens + "; it must be 0 (the model's own) or more");
    }
    return with(s -> s.contextSize = tokens);
  }

  /**
   * The most tokens that a conversation can have where {@link #contextSize} is 0. 0, the default:
   * as many as the model's publisher says, or the model's own limit.
   *
   * @throws IllegalArgumentException if it is negative
   */
  public ModelOptions maxContextSize(int tokens) {
    if (tokens < 0) {
      throw new IllegalArgumentException(
          "maxContextSize is " + tokens + "; it must be 0 (the model's own) or more");
    }
    return with(s -> s.maxContextSize = tokens);
  }

  /**
   * Threads that compute. 0, the default: as many as the process may run at once.
   *
   * @throws IllegalArgumentException if it is negative or above 1024
   */
  public ModelOptions threads(int threads) {
    if (threads < 0 || threads > 1024) {
      throw new IllegalArgumentException(
          "threads is " + threads + "; it must be 0 (as many as there are) to 1024");
    }
    return with(s -> s.threads = threads);
  }

  /**
   * Reads the file into memory instead of mapping it. Opening takes longer and no memory is shared
   * with other processes, but the file may then be changed or truncated while the model is open.
   */
  public ModelOptions copyIntoMemory() {
    return with(s -> s.copyIntoMemory = true);
  }

  /**
   * Opens the model even if weights and a full context do not fit into memory, instead of failing
   * with {@link NotEnoughMemoryException}. Weights that do not fit are read from the disk for each
   * token, which may take minutes; where the KV cache finds no memory a turn fails, or the system
   * ends the process.
   */
  public ModelOptions allowOvercommit() {
    return with(s -> s.overcommit = true);
  }

  /**
   * How keys and values are kept; {@link KvCacheType#F16} is the default. With {@link
   * KvCacheType#Q8_0} a context takes about half the memory, or is twice as long in the same.
   * Opening fails with {@link UnsupportedModelException} where the model's heads do not allow it.
   */
  public ModelOptions kvCacheType(KvCacheType type) {
    return with(s -> s.kvCacheType = type);
  }

  /**
   * Requests that may wait while every place is taken; 1024 if it is not said. One more is refused
   * with a {@link BusyException}, but for a turn's replies to what its tools returned, which always
   * may wait. A model has 16 places: so many replies are generated at once.
   *
   * @param requests 0 or more; with 0, what cannot begin at once is refused
   * @throws IllegalArgumentException if it is negative
   */
  public ModelOptions maxWaiting(int requests) {
    if (requests < 0) {
      throw new IllegalArgumentException(
          "maxWaiting is " + requests + "; it must be 0 (nothing waits) or more");
    }
    return with(s -> s.maxWaiting = requests);
  }

  /**
   * Reads the whole file while the model is opened, instead of when a part of it is first needed,
   * and tells how far it is. The consumer is called on the thread that opens the model; what it
   * throws ends the opening.
   */
  public ModelOptions onProgress(Consumer<LoadProgress> consumer) {
    Objects.requireNonNull(consumer, "consumer");
    return with(s -> s.onProgress = consumer);
  }

  /**
   * Writes conversations as this template says, in the Jinja of chat templates, instead of the
   * file's own. Mistral's own format stays where the file's tokens and the template are for it.
   */
  public ModelOptions chatTemplate(String template) {
    Objects.requireNonNull(template, "template");
    return with(s -> s.chatTemplate = template);
  }

  /** How tokens are chosen where a session's options do not say. */
  public ModelOptions sampling(Sampling sampling) {
    Objects.requireNonNull(sampling, "sampling");
    return with(s -> s.sampling = sampling);
  }

  /** How a model is pulled that is not on this machine. */
  public ModelOptions pull(PullOptions options) {
    return with(s -> s.pull = options);
  }

  /** Tokens of the context; 0: what the model was trained for. */
  public int contextSize() {
    return contextSize;
  }

  /** The most tokens of a conversation where the context size is 0; 0: the model's own limit. */
  public int maxContextSize() {
    return maxContextSize;
  }

  /** Threads that compute; 0: as many as the process may run at once. */
  public int threads() {
    return threads;
  }

  /** Whether the file is read into memory instead of being mapped. */
  public boolean isCopiedIntoMemory() {
    return copyIntoMemory;
  }

  /** Whether a model is opened that does not fit into memory. */
  public boolean isOvercommitAllowed() {
    return overcommit;
  }

  /** What keys and values are kept as. */
  public KvCacheType kvCacheType() {
    return kvCacheType;
  }

  /** How many requests may wait. */
  public int maxWaiting() {
    return maxWaiting;
  }

  /** The template that takes the place of the file's own; null: none does. */
  public @Nullable String chatTemplate() {
    return chatTemplate;
  }

  /** How tokens are chosen where a session's options do not say; null: as Nautil does. */
  public @Nullable Sampling sampling() {
    return sampling;
  }

  PullOptions pull() {
    return pull;
  }

  @Nullable Consumer<LoadProgress> progress() {
    return onProgress;
  }

  /**
   * The same, where they say nothing of the context, with its publisher's limit.
   *
   * @param tokens null if there is none
   */
  ModelOptions orContextOf(@Nullable Integer tokens) {
    boolean isSaid = contextSize != 0 || maxContextSize != 0;
    return tokens == null || isSaid ? this : maxContextSize(tokens);
  }

  /** The same, where they say nothing, with what came with a model. */
  ModelOptions orThoseOf(StoredModel model) {
    ModelOptions all = this;
    String template = model.chatTemplate();
    if (template != null && chatTemplate == null) {
      all = all.chatTemplate(template);
    }
    all = all.orContextOf(model.contextSize());
    Sampling published = sampling != null ? null : model.sampling();
    return published == null ? all : all.sampling(published);
  }
}
