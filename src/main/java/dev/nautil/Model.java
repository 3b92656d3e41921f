package dev.nautil;

import dev.nautil.engine.ChatFormat;
import dev.nautil.engine.Embedder;
import dev.nautil.engine.Engine;
import dev.nautil.engine.LoadedModel;
import dev.nautil.engine.ModelFile;
import dev.nautil.engine.TextScorer;
import dev.nautil.engine.Transcript;
import dev.nautil.internal.ContextInfo;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.ModelInfo;
import dev.nautil.internal.Native;
import dev.nautil.internal.NativeContext;
import dev.nautil.internal.NativeFile;
import dev.nautil.registry.ModelReference;
import dev.nautil.tokenizer.Tokenizer;
import java.lang.ref.Cleaner;
import java.lang.ref.Reference;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

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
  private final TextScorer scorer;
  private final ModelDescription description;
  private final @Nullable Sampling sampling;
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
    engine = new Engine(newContext(loaded, options), loaded.model().info(), options.maxWaiting());
    int contextSize = engine.context().info().contextLength();
    scorer = new TextScorer(loaded, contextParams(options, contextSize, 1));
    description = describe(loaded, engine.context().info(), options.kvCacheType());
    sampling = options.sampling();
    cleanable = CLEANER.register(this, new Parts(loaded, engine));
  }

  private static NativeContext newContext(LoadedModel loaded, ModelOptions options) {
    int sequences = CACHED_CONVERSATIONS + 1;
    NativeContext context =
        loaded.newContext(contextParams(options, options.contextSize(), sequences));
    int limit = options.maxContextSize();
    if (options.contextSize() != 0 || limit == 0 || context.info().contextLength() <= limit) {
      return context;
    }
    // It has taken no memory yet.
    context.close();
    return loaded.newContext(contextParams(options, limit, sequences));
  }

  private static ContextParams contextParams(ModelOptions options, int contextSize, int sequences) {
    return new ContextParams(
        contextSize,
        sequences,
        0,
        false,
        options.isOvercommitAllowed(),
        options.kvCacheType(),
        true);
  }

  /** How a model can be opened. */
  public static ModelOptions options() {
    return ModelOptions.DEFAULTS;
  }

  /**
   * Opens a model with default options.
   *
   * @see #open(String, ModelOptions)
   */
  public static Model open(String reference) {
    return open(reference, ModelOptions.DEFAULTS);
  }

  /**
   * Opens the model that a text names:
   *
   * <ul>
   *   <li>a GGUF file, if there is one of that name, or the text can only be a path
   *   <li>{@code ai/mistral-nemo}, {@code NAME:TAG}, {@code HOST:PORT/NAME:TAG@DIGEST}: a model of
   *       a registry; Docker Hub's where no host is named, its {@code ai/} where no {@code /} is
   *       there, and the tag {@code latest} where there is none
   *   <li>{@code hf.co/ORG/REPO}, {@code hf.co/ORG/REPO:QUANT} or {@code hf.co/ORG/REPO/FILE.gguf}:
   *       one of Hugging Face
   *   <li>12 or 64 hexadecimal digits: the id of a model on this machine
   * </ul>
   *
   * <p>What the user's {@link ModelStore} lacks is pulled, once; what it has is opened without
   * asking anybody. A chat template, a context size and defaults for sampling that the model's
   * publisher put beside the file are honoured where the options say nothing else.
   *
   * @throws ModelReferenceException if the text names nothing
   * @throws PullException if the model is not on this machine and cannot be fetched
   * @throws CancelledException if the thread is interrupted while it is; it then still is
   * @see #open(Path, ModelOptions)
   */
  public static Model open(String reference, ModelOptions options) {
    Objects.requireNonNull(options, "options");
    Path file = ModelReference.fileOf(reference);
    return file != null
        ? open(file, options)
        : open(ModelStore.open().get(reference, options.pull()), options);
  }

  /**
   * Opens a model of a store, with what its publisher put beside the file where the options say
   * nothing else.
   *
   * @see #open(Path, ModelOptions)
   */
  public static Model open(StoredModel model, ModelOptions options) {
    return open(model.file(), options.orThoseOf(model));
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
   * @throws NotEnoughMemoryException if it does not fit into memory: before any of it is read, with
   *     the numbers of {@link #estimate(Path, ModelOptions)}, unless the options {@linkplain
   *     ModelOptions#allowOvercommit allow it}
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
            contextParams(options, options.contextSize(), 1),
            progress == null
                ? null
                : (done, total) -> progress.accept(new ModelOptions.LoadProgress(done, total)),
            options.chatTemplate());
    try {
      return new Model(loaded, options);
    } catch (Throwable e) {
      loaded.close();
      throw e;
    }
  }

  /**
   * What a model would take with default options.
   *
   * @see #estimate(Path, ModelOptions)
   */
  public static MemoryEstimate estimate(Path path) {
    return estimate(path, ModelOptions.DEFAULTS);
  }

  /**
   * What the model that a text names would take, as {@link #estimate(Path, ModelOptions)} tells it;
   * its context is as its publisher wants it where the options say nothing else. Of a model that is
   * not on this machine, only the header is fetched.
   *
   * @param reference as {@link #open(String)} takes it
   * @throws ModelReferenceException if the text names nothing
   * @throws PullException if the model is not on this machine and the registry does not give it
   */
  public static MemoryEstimate estimate(String reference, ModelOptions options) {
    Objects.requireNonNull(options, "options");
    Path file = ModelReference.fileOf(reference);
    return file != null
        ? estimate(file, options)
        : ModelStore.open()
            .withHeader(
                reference,
                options.pull(),
                (path, published) -> estimate(path, options.orContextOf(published)));
  }

  /**
   * What a model would take if it were opened with these options, and what this machine has. Only
   * the header of the file is read, and no more of it need be there: some megabytes, most of which
   * are the vocabulary.
   *
   * @param path of a split model, its first part
   * @throws ModelFileException if the file cannot be read
   * @throws GgufException if the file is malformed, or ends within its header
   * @throws UnsupportedModelException if the model is of a kind that Nautil does not run
   * @throws NautilException if there is no native library for this platform
   */
  public static MemoryEstimate estimate(Path path, ModelOptions options) {
    Objects.requireNonNull(path, "path");
    Objects.requireNonNull(options, "options");
    try (NativeFile header = NativeFile.openHeader(path)) {
      return ModelFile.estimate(
          header,
          options.threads(),
          contextParams(options, options.contextSize(), 1),
          options.maxContextSize(),
          options.isCopiedIntoMemory());
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
   * @throws IllegalArgumentException if a logit bias is for a token that the model does not have
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
   *     if a result is of no call, if two calls of a reply have one id, or if something else is
   *     said before a call has its result
   * @throws UnsupportedModelException if the file does not say how a conversation is written, and
   *     the options are not for raw text
   * @throws IllegalStateException if the model is closed
   */
  public Session newSession(SessionOptions options, List<Message> history) {
    Objects.requireNonNull(options, "options");
    SessionOptions own = options.orSampling(sampling);
    requireUsable(own);
    SessionModel model = SessionModel.of(this);
    List<Message> checked = HistoryCheck.checked(own, List.copyOf(history));
    return new Session(model, own, new Conversation(model, checked, new Transcript(), null));
  }

  private void requireUsable(SessionOptions options) {
    engine.requireOpen();
    loaded.samplers().check(options.sampling());
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
    SessionOptions own = options.orSampling(sampling);
    SessionOptions restored = saved.raw() && !options.isRaw() ? own.raw() : own;
    if (options.isRaw() && !saved.raw()) {
      throw new IllegalArgumentException(
          file + " has messages, and the options are for raw text: leave out raw()");
    }
    requireUsable(restored);
    SessionModel model = SessionModel.of(this);
    List<Message> history = HistoryCheck.checked(restored, saved.history());
    Transcript transcript = new Transcript(saved.transcript());
    return new Session(model, restored, new Conversation(model, history, transcript, read.kv()));
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
   * @throws MalformedTextException if it is not UTF-16
   * @throws IllegalStateException if the model is closed
   */
  public int countTokens(String text) {
    Objects.requireNonNull(text, "text");
    engine.requireOpen();
    return loaded.tokenizer().encode(MalformedTextException.check("the text", text)).length;
  }

  /**
   * How probable the model finds a text, token by token: {@code score(text, 0)}.
   *
   * @throws ContextFullException if the text does not fit into the context
   * @throws IllegalStateException if the model is closed
   */
  public List<TokenLogprob> score(String text) {
    return score(text, 0);
  }

  /**
   * How probable the model finds a text, token by token, and what it would have expected. The text
   * is taken as it is, without a chat template: one element for each of its tokens, but for the
   * first where the model does not begin texts with a BOS token, since nothing is before it. The
   * sum of the log-probabilities is that of the text. Runs on this thread, in a KV cache of its
   * own, while sessions go on.
   *
   * @param alternatives how many of the most probable tokens are told in each place
   * @throws IllegalArgumentException if it is negative
   * @throws ContextFullException if the text does not fit into the context
   * @throws IllegalStateException if the model is closed
   */
  public List<TokenLogprob> score(String text, int alternatives) {
    Objects.requireNonNull(text, "text");
    requireScorable(alternatives);
    Tokenizer tokenizer = loaded.tokenizer();
    int[] tokens = tokenizer.encode(MalformedTextException.check("the text", text));
    return score(ChatFormat.withBos(tokenizer, tokens), alternatives);
  }

  private void requireScorable(int alternatives) {
    if (alternatives < 0) {
      throw new IllegalArgumentException(
          "alternatives is " + alternatives + "; it must be 0 or more");
    }
    engine.requireOpen();
  }

  /** Scores a prompt: all of its tokens but the first. */
  List<TokenLogprob> score(int[] prompt, int alternatives) {
    requireScorable(alternatives);
    try {
      return scorer.score(prompt, alternatives);
    } finally {
      // Or it would be closed if nobody else held it.
      Reference.reachabilityFence(this);
    }
  }

  /** How texts can be embedded. */
  public static EmbeddingOptions embeddingOptions() {
    return EmbeddingOptions.DEFAULTS;
  }

  /**
   * A vector that says what a text is about: texts of like meaning have vectors whose dot product
   * is near 1. How good it is at that is the model's matter; one that was trained to chat is fair.
   *
   * @return as many values as the model is wide ({@link ModelDescription#embedding}), of Euclidean
   *     length 1
   * @throws IllegalArgumentException if the text is empty
   * @throws MalformedTextException if it is not UTF-16
   * @throws ContextFullException if the text does not fit into the context
   * @throws BusyException if as many requests wait as may
   * @throws UnsupportedModelException if the file declares a pooling that is not one
   * @throws IllegalStateException if the model is closed
   * @throws CancelledException if the thread is interrupted; it then still is
   * @see #embed(List, EmbeddingOptions)
   */
  public float[] embed(String text) {
    return embed(List.of(Objects.requireNonNull(text, "text"))).get(0);
  }

  /**
   * The vectors of texts, in their order, with default options.
   *
   * @see #embed(List, EmbeddingOptions)
   */
  public List<float[]> embed(List<String> texts) {
    return embed(texts, EmbeddingOptions.DEFAULTS);
  }

  /**
   * The vectors of texts, in their order: of each the pooled hidden states that the model's last
   * norm gives. Any number of texts is possible, and of threads that ask at once; several texts are
   * read together, and between the steps of what sessions generate.
   *
   * <p>A text is encoded as plain text, in which no special token is recognised, between the BOS
   * and EOS that the model wants around a text. If one text cannot be embedded, there are no
   * vectors.
   *
   * <pre>{@code
   * List<float[]> vectors =
   *     model.embed(
   *         List.of("The cat sleeps.", "Le chat dort."),
   *         Model.embeddingOptions().pooling(Pooling.MEAN));
   * }</pre>
   *
   * @throws IllegalArgumentException if a text is empty
   * @throws MalformedTextException if one is not UTF-16
   * @throws ContextFullException if a text does not fit into the context and is not to be truncated
   * @throws UnsupportedModelException if the file declares a pooling that is not one, and the
   *     options choose none
   * @throws BusyException if as many requests wait as may
   * @throws NautilException if the model's weights give values that are no finite numbers
   * @throws IllegalStateException if the model is closed
   * @throws CancelledException if the thread is interrupted; it then still is
   */
  public List<float[]> embed(List<String> texts, EmbeddingOptions options) {
    List<String> all = List.copyOf(Objects.requireNonNull(texts, "texts"));
    Objects.requireNonNull(options, "options");
    engine.requireOpen();
    try {
      EmbeddingTexts encoder =
          new EmbeddingTexts(loaded.tokenizer(), description.contextSize(), options.isTruncated());
      Pooling pooling =
          options.pooling().or(() -> ModelFile.pooling(loaded.file())).orElse(Pooling.MEAN);
      return new Embedder(engine, pooling)
          .embed(encoder.encode(all)).stream()
              .map(values -> EmbeddingTexts.vector(values, options.isNormalized()))
              .toList();
    } finally {
      // Or it would be closed if nobody else held it.
      Reference.reachabilityFence(this);
    }
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
