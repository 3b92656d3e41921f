package dev.nautil;

import dev.nautil.engine.Engine;
import dev.nautil.engine.LoadedModel;
import dev.nautil.engine.ModelFile;
import dev.nautil.engine.Transcript;
import dev.nautil.internal.ContextInfo;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.ModelInfo;
import dev.nautil.internal.Native;
import dev.nautil.internal.NativeFile;
import java.lang.ref.Cleaner;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.function.Consumer;

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

  /** Conversations whose tokens can stay in the KV cache at once, as far as it has room. */
  private static final int CACHED_CONVERSATIONS = 64;

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
                    options.contextSize(),
                    CACHED_CONVERSATIONS + 1,
                    0,
                    false,
                    0,
                    options.kvCacheType(),
                    true)));
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
    return newSession(options, List.of());
  }

  /**
   * A conversation that goes on from what was said elsewhere. It is read when the first turn
   * begins.
   *
   * @param history the system prompt may be its first message, instead of among the options. Calls
   *     of its last message wait for results: {@link Session#sendToolResults}
   * @throws IllegalArgumentException if a system prompt comes later or is not that of the options,
   *     if a result is of no call, or if something else is said before a call has its result
   * @throws UnsupportedModelException if the file does not say how a conversation is written, and
   *     the options are not for raw text
   * @throws IllegalStateException if the model is closed
   */
  public Session newSession(SessionOptions options, List<Message> history) {
    Objects.requireNonNull(options, "options");
    requireFormat(options);
    return new Session(
        SessionModel.of(this),
        options,
        HistoryCheck.checked(options, List.copyOf(history)),
        new Transcript(),
        null);
  }

  private void requireFormat(SessionOptions options) {
    engine.requireOpen();
    if (!options.isRaw()) {
      loaded.chatFormat();
    }
  }

  /**
   * A conversation that was saved, with default options.
   *
   * @see #restoreSession(Path, SessionOptions)
   */
  public Session restoreSession(Path file) {
    return restoreSession(file, SessionOptions.DEFAULTS);
  }

  /**
   * A conversation that {@link Session#save} saved with this model: the same file, opened with the
   * same {@link ModelOptions#kvCacheType}. The model is known by a fingerprint of its metadata, of
   * the names, types and shapes of its tensors, and of samples of each one's weights.
   *
   * <p>What was saved of the KV cache is there again, so that the next turn costs no more than it
   * would have; {@link Usage#cachedTokens} tells. What does not fit into the context, or into the
   * cache beside the conversations that are being decoded, is computed anew.
   *
   * <p>The file need not be trusted. A damaged one, or one that was made up, is refused or is some
   * conversation that nobody had, and harms no other session: what it says of the KV cache serves
   * this session and its forks alone, not others that begin with the same text.
   *
   * @param options for the turns to come. The system prompt is that of the saved conversation; the
   *     options may repeat it. A session for raw text stays one
   * @throws SessionFileException if the file cannot be read, is damaged, or was saved with another
   *     model or another kind of KV cache: it says which
   * @throws IllegalArgumentException if the options have another system prompt, or are for raw text
   *     and the conversation is not
   * @throws NotEnoughMemoryException if its keys and values do not fit into memory
   * @throws IllegalStateException if the model is closed
   * @throws CancelledException if the thread is interrupted; it then still is
   */
  public Session restoreSession(Path file, SessionOptions options) {
    Objects.requireNonNull(file, "file");
    Objects.requireNonNull(options, "options");
    engine.requireOpen();
    SessionFile.Restored read = new SessionFile(file, this).read();
    SavedConversation saved = read.conversation();
    SessionOptions restored = saved.raw() && !options.isRaw() ? options.raw() : options;
    if (options.isRaw() && !saved.raw()) {
      throw new IllegalArgumentException(
          file + " has messages, and the options are for raw text: leave out raw()");
    }
    requireFormat(restored);
    return new Session(
        SessionModel.of(this),
        restored,
        HistoryCheck.checked(restored, saved.history()),
        new Transcript(saved.transcript()),
        read.kv());
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
