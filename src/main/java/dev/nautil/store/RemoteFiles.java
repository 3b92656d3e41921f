package dev.nautil.store;

import dev.nautil.StoredModel;
import dev.nautil.internal.IncompleteHeaderException;
import dev.nautil.internal.NativeFile;
import dev.nautil.registry.Body;
import dev.nautil.registry.Descriptor;
import dev.nautil.registry.ModelConfig;
import dev.nautil.registry.ModelLayers;
import dev.nautil.registry.RegistryException;
import dev.nautil.registry.RegistryException.Kind;
import dev.nautil.registry.RemoteModel;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * The headers of a remote model's files, without their weights. They lie in a temporary folder that
 * goes when this is closed.
 */
public final class RemoteFiles implements AutoCloseable {
  /** The header of a model with a vocabulary of 32,000 tokens. */
  private static final int FIRST_BYTES = 1 << 20;

  /** A vocabulary of a million long tokens has less. */
  private static final long MAX_BYTES = 256 << 20;

  private final RemoteModel model;
  private final Path folder;
  private NativeFile file;

  private RemoteFiles(RemoteModel model, Path folder) {
    this.model = model;
    this.folder = folder;
  }

  /**
   * Fetches as much of the files as it takes.
   *
   * @throws RegistryException if the registry does not give it
   * @throws dev.nautil.GgufException if it is no GGUF file
   */
  public static RemoteFiles fetch(RemoteModel model) throws IOException, InterruptedException {
    RemoteFiles files = new RemoteFiles(model, Files.createTempDirectory("nautil-"));
    try {
      for (int part = 0; part < model.artifact().weights().size(); part++) {
        files.fetch(part, FIRST_BYTES);
      }
      files.file = files.open();
      return files;
    } catch (Throwable e) {
      files.close();
      throw e;
    }
  }

  /** What the headers say, closed with this. */
  public NativeFile file() {
    return file;
  }

  /** Tokens that the model's publisher chose for a conversation; null if that is not said. */
  public @Nullable Integer contextSize() throws IOException {
    return ModelConfig.parse(model.config(), model.id().toString()).contextSize();
  }

  /** What is known of the model; its file is only a header. */
  public StoredModel describe(String reference) throws IOException, InterruptedException {
    return StoredModels.describe(reference, model, this);
  }

  private NativeFile open() throws IOException, InterruptedException {
    while (true) {
      try {
        return NativeFile.openHeader(path(0));
      } catch (IncompleteHeaderException e) {
        long size = model.artifact().weights().get(e.part()).size();
        if (e.neededBytes() > Math.min(size, MAX_BYTES)) {
          throw e;
        }
        fetch(e.part(), Math.max(e.neededBytes(), 2 * Files.size(path(e.part()))));
      }
    }
  }

  private Path path(int part) {
    return folder.resolve(StoreFolder.partName(part, model.artifact().weights().size()));
  }

  /** Makes a part's beginning as long as that, if the part is. */
  private void fetch(int part, long bytes) throws IOException, InterruptedException {
    Descriptor blob = model.artifact().weights().get(part);
    Path path = path(part);
    long there = Files.exists(path) ? Files.size(path) : 0;
    long end = Math.min(bytes, blob.size());
    byte[] more =
        model
            .source()
            .backoff()
            .retry(
                () -> {
                  try (Body body = model.source().open(blob, there, end)) {
                    skip(body, there - body.start());
                    return read(body, Math.toIntExact(end - there));
                  }
                });
    try (OutputStream out =
        Files.newOutputStream(path, StandardOpenOption.CREATE, StandardOpenOption.APPEND)) {
      out.write(more);
    }
  }

  /** A text that came beside the weights. */
  byte[] text(Descriptor blob) throws IOException, InterruptedException {
    ModelLayers.requireText(blob);
    return model
        .source()
        .backoff()
        .retry(
            () -> {
              try (Body body = model.source().open(blob, 0, blob.size())) {
                byte[] content = read(body, Math.toIntExact(blob.size()));
                if (!blob.digest().isOf(content)) {
                  throw new RegistryException(
                      Kind.OTHER,
                      "a text has not the digest " + blob.digest() + " that it is to have");
                }
                return content;
              }
            });
  }

  private static void skip(Body body, long bytes) throws IOException {
    for (long left = bytes; left > 0; left -= FIRST_BYTES) {
      read(body, (int) Math.min(left, FIRST_BYTES));
    }
  }

  private static byte[] read(Body body, int length) throws IOException {
    byte[] content = new byte[length];
    body.readFully(content, length);
    return content;
  }

  @Override
  public void close() throws IOException {
    if (file != null) {
      file.close();
    }
    for (Path each : List.copyOf(ModelIndex.files(folder))) {
      Files.deleteIfExists(each);
    }
    Files.deleteIfExists(folder);
  }
}
