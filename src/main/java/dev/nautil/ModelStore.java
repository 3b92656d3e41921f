package dev.nautil;

import dev.nautil.internal.FileFailure;
import dev.nautil.registry.ModelReference;
import dev.nautil.registry.RegistryException;
import dev.nautil.store.RemoteFiles;
import dev.nautil.store.Store;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.function.BiFunction;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The models that are kept on this machine. Any number of threads and processes may use one store
 * at once.
 *
 * <pre>{@code
 * ModelStore store = ModelStore.open();
 * StoredModel nemo =
 *     store.pull(
 *         "ai/mistral-nemo",
 *         ModelStore.pullOptions().onProgress(p -> System.err.println(p.done() + "/" + p.total())));
 * }</pre>
 *
 * <p>References are those of {@link Model#open(String)}. A method that is given one throws {@link
 * ModelReferenceException} if it is malformed, {@link ModelNotFoundException} if the store has no
 * such model, {@link StoreException} if the store cannot be read or written, and {@link
 * CancelledException} if its thread is interrupted; the thread then still is.
 */
public final class ModelStore {
  private final Store store;

  private ModelStore(Store store) {
    this.store = store;
  }

  /**
   * The user's store: in the folder that the environment variable {@code NAUTIL_HOME} names, or
   * where the platform wants a program's data. It is made when something is first put into it.
   */
  public static ModelStore open() {
    return new ModelStore(new Store(System.getenv()));
  }

  /** The store in a folder. */
  public static ModelStore open(Path folder) {
    return new ModelStore(new Store(folder.toAbsolutePath(), System.getenv()));
  }

  /**
   * The store of another environment than this process's: its {@code NAUTIL_HOME}, proxies and
   * credentials.
   */
  public static ModelStore open(Map<String, String> environment) {
    return new ModelStore(new Store(environment));
  }

  /** How a model can be pulled. */
  public static PullOptions pullOptions() {
    return PullOptions.DEFAULTS;
  }

  /** Where the store is. */
  public Path folder() {
    return store.folder();
  }

  /**
   * Fetches a model with default options.
   *
   * @see #pull(String, PullOptions)
   */
  public StoredModel pull(String reference) {
    return pull(reference, PullOptions.DEFAULTS);
  }

  /**
   * Asks the registry what the reference names now, fetches what the store lacks of it, and checks
   * every byte by its digest. What another program's store on this machine has, Docker's or Hugging
   * Face's, is not fetched. If the pull fails or is interrupted, or the process dies, the next one
   * goes on with what has arrived. Pulls of one model in several processes share the work.
   *
   * @throws ModelNotFoundException if the registry has no such model
   * @throws RegistryAccessException if it wants credentials, or others
   * @throws PullException if it cannot be fetched for another reason
   */
  public StoredModel pull(String reference, PullOptions options) {
    Objects.requireNonNull(options, "options");
    ModelReference parsed = ModelReference.parse(reference);
    return run(
        reference,
        () -> store.pull(parsed, options.connections(), options.isPlainHttp(), options.progress()));
  }

  /**
   * The model as the store has it, without asking anybody, or else pulled. What another program's
   * store has is read first, which the options' listener is told of as of a pull.
   *
   * @throws PullException if it is not here and cannot be fetched
   */
  public StoredModel get(String reference, PullOptions options) {
    Objects.requireNonNull(options, "options");
    ModelReference parsed = ModelReference.parse(reference);
    Optional<StoredModel> found = run(() -> store.find(parsed, options.progress()));
    return found.isPresent() ? found.get() : pull(reference, options);
  }

  /** The models, by their first references. */
  public List<StoredModel> list() {
    return run(store::list);
  }

  /** The model that a reference or an id names; empty if the store has none. */
  public Optional<StoredModel> find(String reference) {
    ModelReference parsed = ModelReference.parse(reference);
    return run(() -> store.find(parsed, progress -> {}));
  }

  /**
   * Gives a model another name.
   *
   * @param source a reference, or an id
   * @param target a registry's reference; what it named before loses it
   */
  public StoredModel tag(String source, String target) {
    ModelReference from = ModelReference.parse(source);
    ModelReference to = ModelReference.parse(target);
    if (!(to instanceof ModelReference.Registry registry) || registry.digest() != null) {
      throw new ModelReferenceException(target, "a tag is written as NAME:TAG");
    }
    return run(() -> store.tag(from, to));
  }

  /**
   * Takes a name away, and what nothing else names from the disk. An id takes away all names. What
   * has arrived of a pull that did not end goes, too.
   */
  public void remove(String reference) {
    ModelReference parsed = ModelReference.parse(reference);
    run(
        () -> {
          store.remove(parsed);
          return true;
        });
  }

  /**
   * A file of the store that is not what it was.
   *
   * @param id of the model
   * @param references of the model: who pulls one of them fetches the file again
   * @param digest that the file is to have
   * @param reason such as "is missing"
   */
  public record Damage(String id, List<String> references, String digest, String reason) {
    public Damage {
      references = List.copyOf(references);
    }
  }

  /**
   * Reads all files of the models, and takes those away that are damaged: the next pull fetches
   * them again. One that cannot be read stays.
   *
   * @param progress told how far it is, on this thread
   */
  public List<Damage> verify(Consumer<PullProgress> progress) {
    return run(() -> store.verify(progress));
  }

  /**
   * What the store takes of the disk.
   *
   * @param models how many there are
   * @param modelBytes of their files that nobody else has: as much is freed when all go
   * @param sharedBytes of those that another program's store has, too, which are used where they
   *     are
   * @param partialBytes of pulls that have not ended
   */
  public record DiskUsage(int models, long modelBytes, long sharedBytes, long partialBytes) {}

  /** What the store takes of the disk. */
  public DiskUsage diskUsage() {
    return run(store::diskUsage);
  }

  /**
   * Gives a function a file with the model's header, the model's own or what is fetched of it, and
   * the tokens that its publisher chose for a conversation, or null.
   */
  <T> T withHeader(
      String reference, PullOptions options, BiFunction<Path, @Nullable Integer, T> function) {
    Optional<StoredModel> found = find(reference);
    if (found.isPresent()) {
      return function.apply(found.get().file(), found.get().contextSize());
    }
    ModelReference parsed = ModelReference.parse(reference);
    return run(
        reference,
        () -> {
          try (RemoteFiles files = RemoteFiles.fetch(store.remote(parsed, options.isPlainHttp()))) {
            return function.apply(files.file().path(), files.contextSize());
          }
        });
  }

  private interface Action<T> {
    T run() throws IOException, InterruptedException;
  }

  private <T> T run(Action<T> action) {
    return run("", action);
  }

  /**
   * @param reference that the message of a failure names
   */
  private <T> T run(String reference, Action<T> action) {
    try {
      return action.run();
    } catch (InterruptedException | InterruptedIOException | ClosedByInterruptException e) {
      Thread.currentThread().interrupt();
      throw new CancelledException("the thread was interrupted");
    } catch (RegistryException e) {
      String reason = String.valueOf(e.getMessage());
      String message = reason.contains(reference) ? reason : reference + ": " + reason;
      throw switch (e.kind()) {
        case NOT_FOUND -> new ModelNotFoundException(message, e);
        case UNAUTHORIZED -> new RegistryAccessException(message, e);
        default -> new PullException(message, e);
      };
    } catch (IOException e) {
      throw new StoreException(
          "the store of models in "
              + folder()
              + ": "
              + FileFailure.reason(e)
              + "; NAUTIL_HOME can name another folder",
          e);
    }
  }
}
