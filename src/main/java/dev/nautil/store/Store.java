package dev.nautil.store;

import dev.nautil.ModelNotFoundException;
import dev.nautil.ModelStore.Damage;
import dev.nautil.ModelStore.DiskUsage;
import dev.nautil.PullProgress;
import dev.nautil.StoredModel;
import dev.nautil.registry.Digest;
import dev.nautil.registry.HuggingFaceClient;
import dev.nautil.registry.ModelReference;
import dev.nautil.registry.NetworkSettings;
import dev.nautil.registry.RegistryClient;
import dev.nautil.registry.RegistryException;
import dev.nautil.registry.RegistryException.Kind;
import dev.nautil.registry.RemoteModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What {@link dev.nautil.ModelStore} does. */
public final class Store {
  private final StoreFolder folder;
  private final Map<String, String> environment;
  private final StoreLocks locks;
  private final ModelIndex index;
  private final OtherStores others;
  private final StoredModels models;

  /** The user's. */
  public Store(Map<String, String> environment) {
    this(StoreFolder.ofUser(environment), environment);
  }

  public Store(Path root, Map<String, String> environment) {
    folder = new StoreFolder(root);
    this.environment = Map.copyOf(environment);
    locks = new StoreLocks(folder);
    index = new ModelIndex(folder, locks);
    others = new OtherStores(environment);
    models = new StoredModels(folder, locks, index);
  }

  public Path folder() {
    return folder.root();
  }

  /** What a reference names in its registry now. */
  public RemoteModel remote(ModelReference reference, boolean plainHttp)
      throws IOException, InterruptedException {
    NetworkSettings settings = new NetworkSettings(environment, plainHttp);
    if (reference instanceof ModelReference.Registry registry) {
      return new RegistryClient(settings, registry).model();
    }
    if (reference instanceof ModelReference.HuggingFace huggingFace) {
      return new HuggingFaceClient(settings, huggingFace).model();
    }
    String why = reference instanceof ModelReference.File ? " is a file" : " is the id of a model";
    throw new RegistryException(
        Kind.NOT_FOUND, reference + why + " of this machine: no registry has it");
  }

  /** {@link dev.nautil.ModelStore#pull}. */
  public StoredModel pull(
      ModelReference reference, int connections, boolean plainHttp, Consumer<PullProgress> progress)
      throws IOException, InterruptedException {
    RemoteModel model = remote(reference, plainHttp);
    Digest id =
        new Pull(folder, locks, index, others, connections, progress)
            .run(reference.toString(), model);
    return required(reference.toString(), id);
  }

  public List<StoredModel> list() throws IOException, InterruptedException {
    List<StoredModel> all = new ArrayList<>();
    for (Map.Entry<Digest, List<String>> each : index.names().entrySet()) {
      StoredModel model = models.describe(each.getKey(), each.getValue());
      if (model != null) {
        all.add(model);
      }
    }
    return all;
  }

  /** The model that a reference or an id names; also one that only Docker has. */
  public Optional<StoredModel> find(ModelReference reference, Consumer<PullProgress> progress)
      throws IOException, InterruptedException {
    Digest id = idOf(reference);
    StoredModel model = id == null ? null : models.describe(id, namesOf(id));
    if (model == null) {
      id = adopt(reference, progress);
      model = id == null ? null : models.describe(id, namesOf(id));
    }
    return Optional.ofNullable(model);
  }

  /** Takes what another program has under this reference, if it has all of it. */
  private @Nullable Digest adopt(ModelReference reference, Consumer<PullProgress> progress)
      throws IOException, InterruptedException {
    RemoteModel model = others.model(reference);
    return model == null
        ? null
        : new Pull(folder, locks, index, others, 1, progress).adopt(reference.toString(), model);
  }

  private @Nullable Digest idOf(ModelReference reference) throws IOException {
    if (!(reference instanceof ModelReference.Id id)) {
      return index.find(reference.toString());
    }
    List<Digest> found =
        index.names().keySet().stream().filter(each -> each.hex().startsWith(id.hex())).toList();
    return found.size() == 1 ? found.get(0) : null;
  }

  private List<String> namesOf(Digest id) throws IOException {
    return index.names().getOrDefault(id, List.of());
  }

  private StoredModel required(String reference, Digest id)
      throws IOException, InterruptedException {
    StoredModel model = models.describe(id, namesOf(id));
    if (model == null) {
      throw missing(reference);
    }
    return model;
  }

  private static ModelNotFoundException missing(String reference) {
    return new ModelNotFoundException(
        "there is no model " + reference + " on this machine; nautil pull fetches one", null);
  }

  public StoredModel tag(ModelReference source, ModelReference target)
      throws IOException, InterruptedException {
    Digest id = idOf(source);
    if (id == null) {
      throw missing(source.toString());
    }
    try (StoreLocks.Held held = locks.store()) {
      if (index.manifest(id) == null) {
        throw missing(source.toString());
      }
      index.put(target.toString(), id);
      index.collect();
    }
    return required(target.toString(), id);
  }

  public void remove(ModelReference reference) throws IOException, InterruptedException {
    try (StoreLocks.Held held = locks.store()) {
      Digest id = idOf(reference);
      List<String> names =
          reference instanceof ModelReference.Id && id != null
              ? namesOf(id)
              : List.of(reference.toString());
      boolean found = id != null;
      for (String name : names) {
        found |= index.remove(name);
        found |= index.end(name);
      }
      if (!found) {
        throw missing(reference.toString());
      }
      index.collect();
    }
  }

  /** {@link dev.nautil.ModelStore#verify}. */
  public List<Damage> verify(Consumer<PullProgress> progress)
      throws IOException, InterruptedException {
    return new Verification(folder, locks, index, progress).run();
  }

  public DiskUsage diskUsage() throws IOException {
    return new DiskSpace(folder, index).usage();
  }
}
