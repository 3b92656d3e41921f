package dev.nautil.engine;

import dev.nautil.ContextFullException;
import dev.nautil.internal.NativeContext;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Keys and values on their way between a model's KV cache and the memory of a caller.
 *
 * <p>They pass through a sequence that no conversation uses: what is shared into it, at no cost,
 * stays as it is while conversations go on, and what is loaded into it becomes a conversation's
 * when it is complete. The engine's thread moves a block at a time, between two steps, so that the
 * conversations that it decodes for wait for no more than a copy of some megabytes.
 *
 * <p>There is one at a time. Used by the thread that began it, which must close it.
 */
public final class KvTransfer implements AutoCloseable {
  /** Tokens of a block, but for a last one with fewer: some 20 MB for a model like Mistral Nemo. */
  public static final int BLOCK_TOKENS = 128;

  /** The sequence, and who has it. */
  static final class Sequence {
    private final int id;
    private final ReentrantLock lock = new ReentrantLock();

    Sequence(int id) {
      this.id = id;
    }
  }

  private final Engine engine;
  private final NativeContext context;
  private final Sequence sequence;

  KvTransfer(Engine engine, Sequence sequence) throws InterruptedException {
    sequence.lock.lockInterruptibly();
    this.engine = engine;
    this.sequence = sequence;
    context = engine.context();
  }

  /** Bytes of a block of so many tokens. */
  public long blockBytes(int tokens) {
    return context.savedBytes(tokens);
  }

  /**
   * Takes what the cache holds of the start of a prompt.
   *
   * @param restored what it may be besides what this model computed
   * @return how many tokens
   */
  public int take(int[] prompt, @Nullable RestoredKv restored) throws InterruptedException {
    return call(() -> engine.cache().shareInto(sequence.id, prompt, restored));
  }

  /**
   * Copies the block that begins at a token.
   *
   * @param block direct; filled from its start
   */
  public void save(int first, int tokens, ByteBuffer block) throws InterruptedException {
    call(
        () -> {
          context.save(sequence.id, first, tokens, block);
          return true;
        });
  }

  /**
   * Loads the block that comes next, of tokens that fit into a context. Conversations that nobody
   * uses give way to it.
   *
   * @param first that it is to begin with
   * @param tokens that it is to have
   * @param block direct, all of it
   * @return false if there is no room
   * @throws IllegalArgumentException if it is no such block
   */
  public boolean load(int first, int tokens, ByteBuffer block) throws InterruptedException {
    return call(
        () -> {
          while (true) {
            try {
              context.load(sequence.id, block);
              requireLength(first + tokens);
              return true;
            } catch (ContextFullException e) {
              if (!engine.cache().shrinkLongestUnused()) {
                return false;
              }
            }
          }
        });
  }

  /** A page has room for more tokens than a block may say that it has. */
  private void requireLength(int expected) {
    int length = context.sequenceLength(sequence.id);
    if (length != expected) {
      throw new IllegalArgumentException(
          "the blocks have " + length + " tokens up to here, and should have " + expected);
    }
  }

  /**
   * Leaves what was loaded to the conversation that comes to need it.
   *
   * @param tokens whose keys and values were loaded: all of them
   * @return what lets a generation go on from them
   */
  public RestoredKv give(int[] tokens) throws InterruptedException {
    RestoredKv restored = new RestoredKv();
    return call(
        () -> {
          engine.cache().adopt(sequence.id, tokens, restored);
          return restored;
        });
  }

  /** The engine's thread keeps the order of calls, so that the next transfer finds it empty. */
  @Override
  public void close() {
    try {
      engine.betweenSteps(
          () -> {
            context.truncate(sequence.id, 0);
            return true;
          });
    } finally {
      sequence.lock.unlock();
    }
  }

  private <T> T call(Supplier<T> work) throws InterruptedException {
    CompletableFuture<T> result = engine.betweenSteps(work);
    try {
      return result.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof RuntimeException cause) {
        throw cause;
      }
      throw new CompletionException(e.getCause());
    }
  }
}
