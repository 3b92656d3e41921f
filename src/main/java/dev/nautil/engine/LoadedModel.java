package dev.nautil.engine;

import dev.nautil.UnsupportedModelException;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.NativeContext;
import dev.nautil.internal.NativeFile;
import dev.nautil.internal.NativeModel;
import dev.nautil.internal.NativePool;
import dev.nautil.tokenizer.Tokenizer;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;

/** A model without a conversation: file, weights, threads, tokenizer, chat format. Thread-safe. */
public final class LoadedModel implements AutoCloseable {
  /** Bytes read between two reports of progress: about 10 ms from the page cache. */
  private static final long PROGRESS_STEP = 256L << 20;

  /** Told how many bytes of the file are in memory. */
  @FunctionalInterface
  public interface Progress {
    void accept(long done, long total);
  }

  private final NativeFile file;
  private final NativeModel model;
  private final NativePool pool;
  private final Tokenizer tokenizer;
  private final Samplers samplers;
  private final Grammars grammars;
  private final @Nullable String chatTemplate;

  /**
   * Compiled when it is first asked for: a model whose template is beyond us can still complete.
   */
  private volatile @Nullable ChatFormat chatFormat;

  private LoadedModel(
      NativeFile file, NativeModel model, NativePool pool, @Nullable String chatTemplate) {
    this.file = file;
    this.model = model;
    this.pool = pool;
    this.chatTemplate = chatTemplate;
    tokenizer = Vocabularies.tokenizer(file);
    if (tokenizer.size() > model.info().vocabularySize()) {
      throw new UnsupportedModelException(
          file.path()
              + ": the tokenizer has "
              + tokenizer.size()
              + " tokens, the model only "
              + model.info().vocabularySize());
    }
    samplers = new Samplers(tokenizer, model.info().vocabularySize());
    grammars = new Grammars(tokenizer);
  }

  /**
   * Opens a model.
   *
   * @param copy reads the file into memory instead of mapping it
   * @param threads 0: as many as the process may run at once
   * @param context that is to be made: if it does not fit, nothing is read
   * @param progress if not null, the whole file is read now
   * @param chatTemplate takes the place of the file's own if it is not null
   * @throws dev.nautil.NotEnoughMemoryException if the context does not fit beside the weights
   */
  public static LoadedModel open(
      Path path,
      boolean copy,
      int threads,
      ContextParams context,
      @Nullable Progress progress,
      @Nullable String chatTemplate) {
    NativeFile file = NativeFile.open(path, false);
    NativeModel model = null;
    NativePool pool = null;
    try {
      MemoryCheck.require(file, threads, context, copy);
      if (copy) {
        file.close();
        file = NativeFile.open(path, true);
      }
      model = new NativeModel(file);
      if (progress != null) {
        read(file, progress);
      }
      pool = new NativePool(threads);
      return new LoadedModel(file, model, pool, chatTemplate);
    } catch (Throwable e) {
      for (AutoCloseable part : new AutoCloseable[] {pool, model, file}) {
        closeAfter(e, part);
      }
      throw e;
    }
  }

  private static void closeAfter(Throwable failure, @Nullable AutoCloseable part) {
    try {
      if (part != null) {
        part.close();
      }
    } catch (Exception e) {
      failure.addSuppressed(e);
    }
  }

  private static void read(NativeFile file, Progress progress) {
    long total = file.info().fileBytes();
    for (long done = 0; done < total; done += PROGRESS_STEP) {
      progress.accept(done, total);
      file.touch(done, PROGRESS_STEP);
    }
    progress.accept(total, total);
  }

  /**
   * A KV cache of this model, and what decodes into it.
   *
   * @throws dev.nautil.NotEnoughMemoryException if it does not fit
   */
  public NativeContext newContext(ContextParams params) {
    MemoryCheck.require(file, pool.threads(), params, false);
    return new NativeContext(model, pool, params);
  }

  public NativeFile file() {
    return file;
  }

  public NativeModel model() {
    return model;
  }

  public NativePool pool() {
    return pool;
  }

  public Tokenizer tokenizer() {
    return tokenizer;
  }

  public Samplers samplers() {
    return samplers;
  }

  public Grammars grammars() {
    return grammars;
  }

  /**
   * How the file wants a conversation written.
   *
   * @throws UnsupportedModelException if it does not say, or in a way that is not understood
   */
  public ChatFormat chatFormat() {
    ChatFormat format = chatFormat;
    if (format == null) {
      // Two threads may compile it at once, which gives the same.
      format = ChatFormat.of(file, tokenizer, chatTemplate);
      chatFormat = format;
    }
    return format;
  }

  public boolean hasChatFormat() {
    return ChatFormat.isIn(file, tokenizer, chatTemplate);
  }

  /** Contexts made before keep what they need. */
  @Override
  public void close() {
    pool.close();
    model.close();
    file.close();
  }
}
