package dev.nautil;

import dev.nautil.engine.Engine;
import dev.nautil.engine.LoadedModel;
import dev.nautil.engine.ModelFile;
import dev.nautil.internal.ContextInfo;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.ModelInfo;
import dev.nautil.internal.Native;
import dev.nautil.internal.NativeFile;
import java.lang.ref.Cleaner;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Consumer;
import java.util.stream.Stream;

/**
 * A language model that is open in this process.
 *
 * <p>Any number of threads may use a model at once. Its sessions share one KV cache and one thread
 * that decodes for all of them. Closing it fails what its sessions are doing and frees its memory;
 * a model that is no longer reachable is closed by a {@link Cleaner} some time later.
 *
 * <pre>{@code
 * try (Model model = Model.open(Path.of("model.gguf"))) {
 *   Session chat = model.newSession(Session.options().system("Be brief."));
 *   System.out.println(chat.send("Why is the sky blue?").text());
 * }
 * }</pre>
 */
public final class Model implements AutoCloseable {
  private static final Cleaner CLEANER = Cleaner.create();

  /** Conversations whose tokens can stay in the KV cache at once, and be continued in one step. */
  static final int SEQUENCES = 16;

  private final LoadedModel loaded;
  private final Engine engine;
  private final ModelDescription description;
  private final Cleaner.Cleanable cleanable;

  /** What remains to be done when a model goes; it must not refer to the model. */
  private record Parts(LoadedModel loaded, Engine engine) implements Runnable {
    @Override
    public void run() {
      engine.closeWithoutWaiting();
      loaded.close();
    }
  }

  private Model(LoadedModel loaded, ModelOptions options) {
    this.loaded = loaded;
    engine =
        new Engine(
            loaded.newContext(
                new ContextParams(
                    options.contextSize(), SEQUENCES, 0, false, 0, options.kvCacheType(), true)),
            loaded.model().info(),
            options.maxWaiting());
    description = describe(loaded, engine.context().info(), options.kvCacheType());
    cleanable = CLEANER.register(this, new Parts(loaded, engine));
  }

  /** How a model can be opened. */
  public static ModelOptions options() {
    return ModelOptions.DEFAULTS;
  }

  /**
   * Opens a GGUF file with default options.
   *
   * @see #open(Path, ModelOptions)
   */
  public static Model open(Path path) {
    return open(path, ModelOptions.DEFAULTS);
  }

  /**
   * Opens a GGUF file.
   *
   * @param path of a split model, its first part
   * @throws ModelFileException if the file cannot be read
   * @throws GgufException if the file is malformed
   * @throws UnsupportedModelException if the model is of a kind that Nautil does not run
   * @throws NotEnoughMemoryException if it does not fit into memory
   * @throws NautilException if there is no native library for this platform
   */
  public static Model open(Path path, ModelOptions options) {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(options, "options");
    Consumer<ModelOptions.LoadProgress> progress = options.progress();
    LoadedModel loaded =
        LoadedModel.open(
            path,
            options.isCopiedIntoMemory(),
            options.threads(),
            progress == null
                ? null
                : (done, total) -> progress.accept(new ModelOptions.LoadProgress(done, total)));
    try {
      return new Model(loaded, options);
    } catch (Throwable e) {
      loaded.close();
      throw e;
    }
  }

  private static ModelDescription describe(
      LoadedModel loaded, ContextInfo context, KvCacheType kvCacheType) {
    NativeFile file = loaded.file();
    ModelInfo model = loaded.model().info();
    return new ModelDescription(
        ModelFile.name(file),
        ModelFile.architecture(file),
        ModelFile.quantization(file),
        model.parameters(),
        file.info().fileBytes(),
        model.vocabularySize(),
        model.layers(),
        model.embeddingLength(),
        model.heads(),
        model.kvHeads(),
        model.contextLength(),
        context.contextLength(),
        context.kvBytesPerToken(),
        kvCacheType,
        loaded.hasChatFormat(),
        context.threads(),
        Native.isa());
  }

  /** What the model is, and how it was opened. Also after it was closed. */
  public ModelDescription describe() {
    return description;
  }

  /**
   * Where the time of all that its sessions did went, by operation of the model, in the order in
   * which a pass comes to them.
   *
   * @throws IllegalStateException if the model is closed
   */
  public List<OperationProfile> profile() {
    return engine.context().profile();
  }

  /** A conversation with default options. */
  public Session newSession() {
    return newSession(SessionOptions.DEFAULTS);
  }

  /**
   * A conversation. It needs no closing: what it keeps in the KV cache gives way to others'.
   *
   * @throws UnsupportedModelException if the file does not say how a conversation is written, and
   *     the options are not for raw text
   * @throws IllegalStateException if the model is closed
   */
  public Session newSession(SessionOptions options) {
    Objects.requireNonNull(options, "options");
    engine.requireOpen();
    if (!options.isRaw()) {
      loaded.chatFormat();
    }
    return new Session(SessionModel.of(this), options);
  }

  /**
   * Gives the replies to many prompts, each the first of a conversation of its own, with default
   * options.
   *
   * @see #batch(Iterable, SessionOptions)
   */
  public Batch batch(Iterable<String> prompts) {
    return batch(prompts, SessionOptions.DEFAULTS);
  }

  /**
   * Gives the replies to many prompts, each the first of a conversation of its own. Prompts are
   * taken as they are needed, so that there may be any number of them.
   *
   * @param prompts iterated once, by other threads, but by one at a time
   * @throws UnsupportedModelException if the file does not say how a conversation is written, and
   *     the options are not for raw text
   * @throws IllegalStateException if the model is closed
   */
  public Batch batch(Iterable<String> prompts, SessionOptions options) {
    Objects.requireNonNull(prompts, "prompts");
    newSession(options);
    OptionalLong total =
        prompts instanceof Collection<String> all
            ? OptionalLong.of(all.size())
            : OptionalLong.empty();
    return new Batch(this, prompts.iterator(), total, options, () -> {});
  }

  /**
   * Gives the replies to many prompts, as {@link #batch(Iterable, SessionOptions)} does.
   *
   * @param prompts closed with the batch
   */
  public Batch batch(Stream<String> prompts, SessionOptions options) {
    Objects.requireNonNull(prompts, "prompts");
    newSession(options);
    Spliterator<String> each = prompts.spliterator();
    long size = each.getExactSizeIfKnown();
    OptionalLong total = size < 0 ? OptionalLong.empty() : OptionalLong.of(size);
    return new Batch(this, Spliterators.iterator(each), total, options, prompts::close);
  }

  /**
   * The number of tokens that a text has by itself.
   *
   * @throws IllegalStateException if the model is closed
   */
  public int countTokens(String text) {
    Objects.requireNonNull(text, "text");
    engine.requireOpen();
    return loaded.tokenizer().encode(text).length;
  }

  LoadedModel loaded() {
    return loaded;
  }

  Engine engine() {
    return engine;
  }

  /**
   * Ends what the sessions are doing, which then fails with an {@link IllegalStateException}, and
   * frees the model's memory. Does nothing the second time.
   */
  @Override
  public void close() {
    engine.close();
    cleanable.clean();
  }
}
