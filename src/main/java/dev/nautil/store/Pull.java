package dev.nautil.store;

import dev.nautil.PullProgress;
import dev.nautil.PullProgress.Layer;
import dev.nautil.registry.Descriptor;
import dev.nautil.registry.Digest;
import dev.nautil.registry.ModelLayers;
import dev.nautil.registry.RegistryException;
import dev.nautil.registry.RegistryException.Kind;
import dev.nautil.registry.RemoteModel;
import java.io.IOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.FileSystemException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/** Brings a model into the store. */
final class Pull {
  /** Room that a disk is to have left. */
  private static final long MARGIN = 64L << 20;

  /** Times that another process may remove what has just been fetched. */
  private static final int ATTEMPTS = 3;

  private static final long POLL_MILLIS = 100;

  private final StoreFolder folder;
  private final StoreLocks locks;
  private final ModelIndex index;
  private final OtherStores others;
  private final int connections;
  private final Consumer<PullProgress> listener;

  private final Map<Digest, Layer> layers = new LinkedHashMap<>();

  Pull(
      StoreFolder folder,
      StoreLocks locks,
      ModelIndex index,
      OtherStores others,
      int connections,
      Consumer<PullProgress> listener) {
    this.folder = folder;
    this.locks = locks;
    this.index = index;
    this.others = others;
    this.connections = connections;
    this.listener = listener;
  }

  /** Fetches what the store lacks of a model, and names it. */
  Digest run(String reference, RemoteModel model) throws IOException, InterruptedException {
    ModelLayers artifact = model.artifact();
    begin(artifact);
    requireSmall(artifact);
    for (int attempt = 1; ; attempt++) {
      try (StoreLocks.Held held = locks.store()) {
        index.begin(reference, model.manifest());
        keepConfig(model);
      }
      fetch(model);
      if (commit(reference, model)) {
        return model.id();
      }
      if (attempt == ATTEMPTS) {
        throw new IOException(
            reference + " is removed by another process as often as it is fetched");
      }
    }
  }

  /**
   * Names a model of which other programs have every file; nothing is fetched.
   *
   * @return null if something is missing, or damaged
   */
  @Nullable Digest adopt(String reference, RemoteModel model)
      throws IOException, InterruptedException {
    begin(model.artifact());
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
      try (StoreLocks.Held held = locks.store()) {
        keepConfig(model);
      }
      for (Descriptor each : model.artifact().blobs()) {
        if (!isOwn(each) && !adopt(each, true)) {
          return null;
        }
        arrivedAndReport(each, each.size());
      }
      if (commit(reference, model)) {
        return model.id();
      }
    }
    return null;
  }

  private void begin(ModelLayers artifact) {
    for (Descriptor each : artifact.blobs()) {
      layers.put(
          each.digest(), new Layer(each.digest().toString(), kind(artifact, each), 0, each.size()));
    }
  }

  /** It has been read already; under the store's lock. */
  private void keepConfig(RemoteModel model) throws IOException {
    Descriptor config = model.artifact().config();
    Path file = folder.blob(config.digest());
    if (!isOwn(config) || !config.digest().isOf(Files.readAllBytes(file))) {
      StoreFolder.write(file, model.config());
    }
  }

  static PullProgress.Kind kind(ModelLayers artifact, Descriptor blob) {
    if (artifact.weights().contains(blob)) {
      return PullProgress.Kind.WEIGHTS;
    }
    return blob.equals(artifact.config()) ? PullProgress.Kind.CONFIG : PullProgress.Kind.TEXT;
  }

  private static void requireSmall(ModelLayers artifact) throws IOException {
    for (Descriptor each : artifact.blobs()) {
      if (!artifact.weights().contains(each) && !each.equals(artifact.config())) {
        ModelLayers.requireText(each);
      }
    }
  }

  private boolean commit(String reference, RemoteModel model)
      throws IOException, InterruptedException {
    try (StoreLocks.Held held = locks.store()) {
      for (Descriptor each : model.artifact().blobs()) {
        if (!isOwn(each)) {
          return false;
        }
      }
      index.putManifest(model.id(), model.manifest());
      index.put(reference, model.id());
      index.end(reference);
      // What the reference named before, if nothing else names it.
      index.collect();
      return true;
    }
  }

  private void fetch(RemoteModel model) throws IOException, InterruptedException {
    ModelLayers artifact = model.artifact();
    List<Descriptor> missing = new ArrayList<>();
    for (Descriptor each : artifact.blobs()) {
      if (isOwn(each) || adopt(each, false)) {
        arrived(each, each.size());
      } else {
        missing.add(each);
      }
    }
    requireSpace(missing);
    while (!missing.isEmpty()) {
      fetchUnlocked(model, missing);
      report();
      List<Descriptor> left = new ArrayList<>();
      for (Descriptor each : missing) {
        if (isOwn(each)) {
          arrived(each, each.size());
        } else {
          left.add(each);
        }
      }
      missing = left;
      if (!missing.isEmpty()) {
        // Another process fetches them. If it ends early, its locks are free.
        watch(missing);
        Thread.sleep(POLL_MILLIS);
      }
    }
    report();
  }

  /** Fetches those that no other process is fetching. */
  private void fetchUnlocked(RemoteModel model, List<Descriptor> missing)
      throws IOException, InterruptedException {
    List<AutoCloseable> held = new ArrayList<>();
    List<PartialBlob> partial = new ArrayList<>();
    try {
      for (Descriptor each : missing) {
        StoreLocks.Held lock = locks.blob(each.digest());
        if (lock == null) {
          continue;
        }
        held.add(lock);
        if (!isOwn(each)) {
          PartialBlob blob = new PartialBlob(folder, each);
          partial.add(blob);
          held.add(blob);
        }
      }
      if (!partial.isEmpty()) {
        List<Descriptor> elsewhere = new ArrayList<>(missing);
        partial.forEach(each -> elsewhere.remove(each.blob()));
        new Downloads(folder, model.source(), partial)
            .run(
                connections,
                () -> {
                  partial.forEach(each -> arrived(each.blob(), each.arrived()));
                  watch(elsewhere);
                  report();
                });
      }
    } finally {
      for (int i = held.size() - 1; i >= 0; i--) {
        close(held.get(i));
      }
    }
  }

  private static void close(AutoCloseable each) throws IOException {
    try {
      each.close();
    } catch (IOException | RuntimeException e) {
      throw e;
    } catch (Exception e) {
      throw new IllegalStateException(e);
    }
  }

  /** Tells how far another process is. */
  private void watch(List<Descriptor> missing) throws IOException {
    for (Descriptor each : missing) {
      long bytes = isOwn(each) ? each.size() : Journal.arrived(folder.journal(each.digest()));
      arrived(each, Math.min(each.size(), bytes));
    }
  }

  private boolean isOwn(Descriptor blob) throws IOException {
    // Of another size it is damaged, and what is fetched takes its place; or the manifest is wrong.
    return StoreFolder.has(folder.blob(blob.digest()), blob.size());
  }

  /**
   * Takes what another program has, by a link; never a second copy.
   *
   * @param waits whether for another process that brings the blob; else that counts as a failure
   */
  private boolean adopt(Descriptor blob, boolean waits) throws IOException, InterruptedException {
    Path file = others.blob(blob.digest(), blob.size());
    while (file != null) {
      try (StoreLocks.Held held = locks.blob(blob.digest())) {
        if (held != null) {
          return isOwn(blob) || (isSound(blob, file) && link(blob, file.toRealPath()));
        }
      }
      if (!waits) {
        return false;
      }
      Thread.sleep(POLL_MILLIS);
    }
    return false;
  }

  private boolean isSound(Descriptor blob, Path file) throws IOException {
    try {
      return BlobHash.of(file, blob.digest(), done -> arrivedAndReport(blob, done))
          .equals(blob.digest());
    } catch (ClosedByInterruptException e) {
      throw e;
    } catch (IOException e) {
      // It cannot be read, or has gone.
      return false;
    }
  }

  /**
   * Gives another program's file, which has been hashed, a name here: the only sign that it has.
   *
   * @return false if the system has no links from here to there
   */
  private boolean link(Descriptor blob, Path file) throws IOException {
    Path link = folder.link(blob.digest());
    Files.createDirectories(link.getParent());
    try {
      Files.deleteIfExists(link);
      StoreFolder.link(link, file);
      Files.move(link, folder.blob(blob.digest()), StandardCopyOption.ATOMIC_MOVE);
      return true;
    } catch (FileSystemException | UnsupportedOperationException e) {
      return false;
    } finally {
      // Still there if both names were the same file's.
      Files.deleteIfExists(link);
    }
  }

  private void requireSpace(List<Descriptor> missing) throws IOException {
    double needed = 0;
    for (Descriptor each : missing) {
      needed += each.size() - Math.min(each.size(), Journal.arrived(folder.journal(each.digest())));
    }
    // Not by the FileStore, which a folder has only if its mount is listed: not in every container.
    long free = folder.root().toFile().getUsableSpace();
    if (needed > 0 && needed + MARGIN > free) {
      throw new RegistryException(
          Kind.OTHER,
          String.format(
              Locale.ROOT,
              "%.1f GB are to be fetched, and the disk of %s has %.1f GB left; make room, or let"
                  + " NAUTIL_HOME name a folder elsewhere",
              needed / 1e9,
              folder.root(),
              free / 1e9));
    }
  }

  private void arrived(Descriptor blob, long bytes) {
    layers.computeIfPresent(
        blob.digest(),
        (digest, layer) -> new Layer(layer.digest(), layer.kind(), bytes, layer.size()));
  }

  private void arrivedAndReport(Descriptor blob, long bytes) {
    arrived(blob, bytes);
    report();
  }

  private void report() {
    listener.accept(new PullProgress(List.copyOf(layers.values())));
  }
}
