package dev.nautil.store;

import dev.nautil.ModelNotFoundException;
import dev.nautil.ModelStore.Damage;
import dev.nautil.ModelStore.DiskUsage;
import dev.nautil.PullProgress;
import dev.nautil.PullProgress.Layer;
import dev.nautil.StoredModel;
import dev.nautil.registry.Descriptor;
import dev.nautil.registry.Digest;
import dev.nautil.registry.HuggingFaceClient;
import dev.nautil.registry.Manifest;
import dev.nautil.registry.ModelConfig;
import dev.nautil.registry.ModelLayers;
import dev.nautil.registry.ModelReference;
import dev.nautil.registry.NetworkSettings;
import dev.nautil.registry.RegistryClient;
import dev.nautil.registry.RegistryException;
import dev.nautil.registry.RegistryException.Kind;
import dev.nautil.registry.RemoteModel;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** What {@link dev.nautil.ModelStore} does. */
public final class Store {
  private final StoreFolder folder;
  private final Map<String, String> environment;
  private final StoreLocks locks;
  private final ModelIndex index;
  private final OtherStores others;

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

  public List<StoredModel> list() throws IOException {
    Map<Digest, List<String>> names = new LinkedHashMap<>();
    for (ModelIndex.Entry entry : index.entries()) {
      names.computeIfAbsent(entry.id(), id -> new ArrayList<>()).add(entry.reference());
    }
    List<StoredModel> all = new ArrayList<>();
    for (Map.Entry<Digest, List<String>> each : names.entrySet()) {
      StoredModel model = describe(each.getKey(), each.getValue());
      if (model != null) {
        all.add(model);
      }
    }
    return all;
  }

  /** The model that a reference or an id names; also one that only Docker has. */
  public Optional<StoredModel> find(ModelReference reference)
      throws IOException, InterruptedException {
    Digest id = idOf(reference);
    StoredModel model = id == null ? null : describe(id, namesOf(id));
    if (model == null) {
      id = adopt(reference);
      model = id == null ? null : describe(id, namesOf(id));
    }
    return Optional.ofNullable(model);
  }

  /** Takes what another program has under this reference, if it has all of it. */
  private @Nullable Digest adopt(ModelReference reference)
      throws IOException, InterruptedException {
    RemoteModel model = others.model(reference);
    return model == null
        ? null
        : new Pull(folder, locks, index, others, 1, progress -> {})
            .adopt(reference.toString(), model);
  }

  private @Nullable Digest idOf(ModelReference reference) throws IOException {
    if (!(reference instanceof ModelReference.Id id)) {
      return index.find(reference.toString());
    }
    Set<Digest> found = new HashSet<>();
    for (ModelIndex.Entry entry : index.entries()) {
      if (entry.id().hex().startsWith(id.hex())) {
        found.add(entry.id());
      }
    }
    return found.size() == 1 ? found.iterator().next() : null;
  }

  private List<String> namesOf(Digest id) throws IOException {
    List<String> names = new ArrayList<>();
    for (ModelIndex.Entry entry : index.entries()) {
      if (entry.id().equals(id)) {
        names.add(entry.reference());
      }
    }
    return names;
  }

  private StoredModel required(String reference, Digest id) throws IOException {
    StoredModel model = describe(id, namesOf(id));
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
    List<Damage> damages = new ArrayList<>();
    Map<Digest, Layer> layers = new LinkedHashMap<>();
    Map<Digest, Digest> models = new LinkedHashMap<>();
    removeDamagedReferences(damages);
    for (ModelIndex.Entry entry : index.entries()) {
      ModelLayers artifact = artifact(entry.id());
      if (artifact == null) {
        // Unless another process has just removed it.
        if (entry.id().equals(index.find(entry.reference())) && artifact(entry.id()) == null) {
          String id = entry.id().toString();
          damages.add(new Damage(id, id, "the manifest of " + entry.reference() + " is damaged"));
        }
        continue;
      }
      for (Descriptor each : artifact.blobs()) {
        models.put(each.digest(), entry.id());
        layers.put(
            each.digest(),
            new Layer(each.digest().toString(), Pull.kind(artifact, each), 0, each.size()));
      }
    }
    for (Map.Entry<Digest, Digest> each : models.entrySet()) {
      String reason = check(each.getKey(), layers, progress);
      // Its manifest goes first when a model is removed meanwhile.
      if (reason != null && index.manifest(each.getValue()) != null) {
        damages.add(new Damage(each.getValue().toString(), each.getKey().toString(), reason));
      }
    }
    return damages;
  }

  private void removeDamagedReferences(List<Damage> damages)
      throws IOException, InterruptedException {
    if (index.damagedReferences().isEmpty()) {
      return;
    }
    try (StoreLocks.Held held = locks.store()) {
      for (Path file : index.damagedReferences()) {
        damages.add(
            new Damage("?", file.getFileName().toString(), "a name is damaged: pull or tag again"));
        Files.deleteIfExists(file);
      }
    }
  }

  private @Nullable String check(
      Digest digest, Map<Digest, Layer> layers, Consumer<PullProgress> progress)
      throws IOException {
    Layer layer = layers.get(digest);
    Path file = folder.blob(digest);
    try {
      BasicFileAttributes before = Files.readAttributes(file, BasicFileAttributes.class);
      Digest found =
          BlobHash.of(
              file,
              digest,
              done -> {
                layers.put(digest, new Layer(layer.digest(), layer.kind(), done, layer.size()));
                progress.accept(new PullProgress(List.copyOf(layers.values())));
              });
      if (found.equals(digest)) {
        return null;
      }
      try (StoreLocks.Held held = locks.blob(digest)) {
        BasicFileAttributes now = Files.readAttributes(file, BasicFileAttributes.class);
        // Else a pull has replaced it, or is about to.
        if (held != null
            && Objects.equals(before.fileKey(), now.fileKey())
            && before.lastModifiedTime().equals(now.lastModifiedTime())) {
          Files.delete(file);
        }
      }
      return "is damaged";
    } catch (NoSuchFileException e) {
      return "is missing";
    }
  }

  public DiskUsage diskUsage() throws IOException {
    Set<Digest> blobs = new HashSet<>();
    Set<Digest> models = new HashSet<>();
    long bytes = 0;
    for (ModelIndex.Entry entry : index.entries()) {
      ModelLayers artifact = artifact(entry.id());
      if (artifact == null || !models.add(entry.id())) {
        continue;
      }
      for (Descriptor each : artifact.blobs()) {
        bytes += blobs.add(each.digest()) ? each.size() : 0;
      }
    }
    long partial = 0;
    for (Path journal : ModelIndex.files(folder.blobs("sha256"))) {
      String name = journal.getFileName().toString();
      Path whole = journal.resolveSibling(name.replace(".journal", ""));
      // A process that died may have left the journal of one that is whole.
      if (name.endsWith(".journal") && !Files.exists(whole)) {
        partial += Journal.arrived(journal);
      }
    }
    return new DiskUsage(models.size(), bytes, partial);
  }

  private @Nullable ModelLayers artifact(Digest id) throws IOException {
    byte[] manifest = index.manifest(id);
    if (manifest == null) {
      return null;
    }
    try {
      return ModelLayers.of(Manifest.parse(manifest, id.toString()), id.toString());
    } catch (RegistryException e) {
      return null;
    }
  }

  /** What is known of a model; null if it is not, or no longer, whole. */
  private @Nullable StoredModel describe(Digest id, List<String> names) throws IOException {
    ModelLayers artifact = artifact(id);
    if (artifact == null || names.isEmpty()) {
      return null;
    }
    try {
      return describe(
          id, names, artifact, readBlob(artifact.config()), this::readBlob, file(id, artifact));
    } catch (NoSuchFileException | RegistryException e) {
      return null;
    }
  }

  /** What is known of a remote model; its file is only a header. */
  public static StoredModel describe(String reference, RemoteModel model, RemoteFiles files)
      throws IOException, InterruptedException {
    return describe(
        model.id(),
        List.of(reference),
        model.artifact(),
        model.config(),
        files::text,
        files.file().path());
  }

  private interface Reader<E extends Exception> {
    byte[] read(Descriptor blob) throws IOException, E;
  }

  private static <E extends Exception> StoredModel describe(
      Digest id, List<String> names, ModelLayers artifact, byte[] json, Reader<E> reader, Path file)
      throws IOException, E {
    ModelConfig config = ModelConfig.parse(json, id.toString());
    List<String> licenses = new ArrayList<>();
    for (Descriptor each : artifact.licenses()) {
      licenses.add(new String(reader.read(each), StandardCharsets.UTF_8));
    }
    return new StoredModel(
        id.toString(),
        names,
        config.parameters(),
        config.quantization(),
        config.architecture(),
        config.contextSize(),
        config.created(),
        artifact.weightBytes(),
        file,
        text(artifact.template(), reader),
        licenses,
        text(artifact.parameters(), reader));
  }

  private static <E extends Exception> @Nullable String text(
      @Nullable Descriptor blob, Reader<E> reader) throws IOException, E {
    return blob == null ? null : new String(reader.read(blob), StandardCharsets.UTF_8);
  }

  private byte[] readBlob(Descriptor blob) throws IOException {
    return Files.readAllBytes(locate(blob));
  }

  private Path locate(Descriptor blob) throws IOException {
    Path file = folder.blob(blob.digest());
    if (!StoreFolder.has(file, blob.size())) {
      throw new NoSuchFileException(file.toString());
    }
    return file;
  }

  private Path file(Digest id, ModelLayers artifact) throws IOException {
    List<Descriptor> weights = artifact.weights();
    if (weights.size() == 1) {
      return locate(weights.get(0));
    }
    // The parts find each other by their names, as llama.cpp writes them.
    Path links = folder.parts().resolve(id.hex());
    Files.createDirectories(links);
    for (int i = weights.size() - 1; i >= 0; i--) {
      Path link =
          links.resolve(
              String.format(Locale.ROOT, "model-%05d-of-%05d.gguf", i + 1, weights.size()));
      link(link, locate(weights.get(i)));
      if (i == 0) {
        return link;
      }
    }
    throw new IllegalStateException("no weights");
  }

  private static void link(Path link, Path file) throws IOException {
    try {
      if (Files.exists(link) && Files.isSameFile(link, file)) {
        return;
      }
      Files.deleteIfExists(link);
      try {
        Files.createLink(link, file.toRealPath());
      } catch (FileAlreadyExistsException e) {
        throw e;
      } catch (IOException | UnsupportedOperationException e) {
        // On another file system.
        Files.createSymbolicLink(link, file.toRealPath());
      }
    } catch (FileAlreadyExistsException e) {
      // Another process made it.
    }
  }
}
