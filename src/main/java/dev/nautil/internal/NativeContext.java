package dev.nautil.internal;

import dev.nautil.CancelledException;
import dev.nautil.OperationProfile;
import dev.nautil.internal.bindings.Nautil;
import dev.nautil.internal.bindings.NtContext;
import dev.nautil.internal.bindings.NtContextInfo;
import dev.nautil.internal.bindings.NtContextParams;
import dev.nautil.internal.bindings.NtModel;
import dev.nautil.internal.bindings.NtOperation;
import dev.nautil.internal.bindings.NtPool;
import java.nio.ByteBuffer;
import java.nio.IntBuffer;
import java.nio.LongBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.bytedeco.javacpp.Pointer;
import org.jspecify.annotations.Nullable;

/**
 * Sequences of tokens in a KV cache, and the logits and hidden states of the last decode.
 *
 * <p>Used by one thread at a time, except {@link #close()}, which any thread may call: it cancels a
 * running decode and waits for it.
 */
public final class NativeContext implements AutoCloseable {
  /** Of a token that is decoded, the logits of the one that follows are wanted. */
  public static final byte WANT_LOGITS = (byte) Nautil.NT_WANT_LOGITS;

  /** Of a token that is decoded, its hidden state after the last norm is wanted. */
  public static final byte WANT_HIDDEN = (byte) Nautil.NT_WANT_HIDDEN;

  private final NativeHandle<NtContext> handle;
  private final CallStatus status;
  private final Running running = new Running();
  private final CancelFlag neverCancelled = new CancelFlag();
  private final int vocabularySize;
  private final int embeddingLength;

  /**
   * The flag of the decode that runs now: apart from the context, so that the Cleaner may see it.
   */
  private static final class Running {
    volatile @Nullable CancelFlag flag;

    void cancel() {
      CancelFlag current = flag;
      if (current != null) {
        current.cancel();
      }
    }
  }

  /**
   * Keeps the model and the pool, which may be closed before the context is.
   *
   * @throws dev.nautil.NotEnoughMemoryException if the context does not fit
   */
  public NativeContext(NativeModel model, NativePool pool, ContextParams params) {
    status = new CallStatus(null);
    vocabularySize = model.info().vocabularySize();
    embeddingLength = model.info().embeddingLength();
    boolean blas = params.blas() && model.info().hasFloatWeights();
    NtContextParams struct = write(params, blas);
    handle = model.handle().use(m -> pool.handle().use(p -> create(model, m, pool, p, struct)));
  }

  private NativeHandle<NtContext> create(
      NativeModel model, NtModel m, NativePool pool, NtPool p, NtContextParams params) {
    NtContext context = status.check(Nautil.nt_context_new(m, p, params, status.error()));
    return new NativeHandle<>(
        this,
        "context",
        context,
        Nautil::nt_context_free,
        running::cancel,
        model.handle(),
        pool.handle());
  }

  public ContextInfo info() {
    return handle.use(NativeContext::readInfo);
  }

  /** Where the time of all decodes went. Any thread may ask while another decodes. */
  public List<OperationProfile> profile() {
    return handle.use(NativeContext::readProfile);
  }

  /**
   * Decodes tokens: {@code tokens[i]} goes to sequence {@code sequences[i]} at position {@code
   * positions[i]}, which must continue that sequence. Where {@code want[i]} is {@link #WANT_LOGITS}
   * or {@link #WANT_HIDDEN}, what is wanted of token i becomes the next row of its kind. On any
   * failure every sequence is as it was.
   *
   * @param want 0 where nothing is wanted
   * @param cancel ends the call soon when it is set, by another thread or by {@link #close()}
   * @throws dev.nautil.ContextFullException before any work
   * @throws CancelledException if the flag was set
   */
  public void decode(
      int[] tokens, int[] sequences, int[] positions, byte[] want, @Nullable CancelFlag cancel) {
    requireLength(tokens.length, sequences.length);
    requireLength(tokens.length, positions.length);
    requireLength(tokens.length, want.length);
    CancelFlag flag = cancel == null ? neverCancelled : cancel;
    check(
        context -> {
          running.flag = flag;
          try {
            // A close between the lease and the line above found no flag to set.
            if (handle.isClosed()) {
              throw new CancelledException("the context was closed");
            }
            return Nautil.nt_decode(
                context,
                tokens.length,
                IntBuffer.wrap(tokens),
                IntBuffer.wrap(sequences),
                IntBuffer.wrap(positions),
                ByteBuffer.wrap(want),
                flag.buffer(),
                status.error());
          } finally {
            running.flag = null;
          }
        });
  }

  /** Tokens that a sequence holds, or -1 if there is no such sequence. */
  public int sequenceLength(int sequence) {
    return handle.use(context -> Nautil.nt_seq_length(context, sequence));
  }

  /** Drops all tokens of a sequence from a position on. */
  public void truncate(int sequence, int position) {
    check(context -> Nautil.nt_seq_truncate(context, sequence, position, status.error()));
  }

  /** Makes {@code to}, which must be empty, share the first {@code tokens} tokens of another. */
  public void fork(int from, int to, int tokens) {
    check(context -> Nautil.nt_seq_fork(context, from, to, tokens, status.error()));
  }

  /** Bytes of a block of so many saved tokens. */
  public long savedBytes(int tokens) {
    return handle.use(context -> Nautil.nt_seq_saved_bytes(context, tokens));
  }

  /**
   * Copies the keys and values of some tokens of a sequence.
   *
   * @param first a multiple of 64
   * @param out direct; filled from its start with {@link #savedBytes}
   */
  public void save(int sequence, int first, int tokens, ByteBuffer out) {
    check(
        context ->
            Nautil.nt_seq_save(
                context, sequence, first, tokens, out, out.capacity(), status.error()));
  }

  /**
   * Appends saved tokens to a sequence. The block may come from anywhere.
   *
   * @param block direct, from its start to its limit
   * @throws IllegalArgumentException if it is not what comes next in such a sequence
   * @throws dev.nautil.ContextFullException if there is no room
   */
  public void load(int sequence, ByteBuffer block) {
    ByteBuffer whole = block.duplicate().position(0);
    check(context -> Nautil.nt_seq_load(context, sequence, whole, whole.limit(), status.error()));
  }

  /** A copy of a row of logits of the last decode, one a token of the vocabulary. */
  public float[] logits(int row) {
    float[] out = new float[vocabularySize];
    check(context -> Nautil.nt_get_logits(context, row, out, out.length, status.error()));
    return out;
  }

  /** Values of a hidden state. */
  public int embeddingLength() {
    return embeddingLength;
  }

  /**
   * Adds rows of hidden states of the last decode to a sum.
   *
   * @param first row
   * @param sum of {@link #embeddingLength} values; as it was if the call fails
   */
  public void addHidden(int first, int rows, double[] sum) {
    check(context -> Nautil.nt_add_hidden(context, first, rows, sum, sum.length, status.error()));
  }

  /**
   * The most probable tokens of a row, most probable first, lower id first among equals.
   *
   * @param tokens filled with as many as it has room for
   * @param logprobs natural, of those tokens
   */
  public void topLogprobs(int row, int[] tokens, float[] logprobs) {
    requireLength(tokens.length, logprobs.length);
    check(
        context ->
            Nautil.nt_top_logprobs(context, row, tokens.length, tokens, logprobs, status.error()));
  }

  /** The natural log-probability of {@code tokens[i]} in row {@code rows[i]}. */
  public float[] tokenLogprobs(int[] rows, int[] tokens) {
    requireLength(rows.length, tokens.length);
    float[] out = new float[rows.length];
    check(
        context ->
            Nautil.nt_token_logprobs(context, rows.length, rows, tokens, out, status.error()));
    return out;
  }

  /**
   * Samples a token from each of some rows of the last decode.
   *
   * @param params for each of {@code rows}
   * @param masks null, or {@link #maskWords()} words for each of {@code rows} in which a set bit
   *     allows a token
   */
  public int[] sample(int[] rows, SamplingBatch params, @Nullable LongBuffer masks) {
    if (params.capacity() < rows.length) {
      throw new IllegalArgumentException(
          rows.length + " rows, but sampling parameters for " + params.capacity());
    }
    if (masks != null && masks.remaining() < (long) rows.length * maskWords()) {
      throw new IllegalArgumentException(
          rows.length + " rows need " + (long) rows.length * maskWords() + " words of masks");
    }
    int[] tokens = new int[rows.length];
    check(
        context ->
            Nautil.nt_sample(
                context,
                rows.length,
                IntBuffer.wrap(rows),
                params.pointer(),
                masks,
                IntBuffer.wrap(tokens),
                status.error()));
    params.update(rows.length);
    return tokens;
  }

  /** Words of 64 bits that one row's mask takes. */
  public int maskWords() {
    return (vocabularySize + 63) / 64;
  }

  /** Cancels a running decode, waits for it and frees the context. */
  @Override
  public void close() {
    handle.close();
  }

  private interface Call {
    int apply(NtContext context);
  }

  private void check(Call call) {
    handle.use(
        context -> {
          status.check(call.apply(context));
          return true;
        });
  }

  private static void requireLength(int expected, int actual) {
    if (expected != actual) {
      throw new IllegalArgumentException("arrays of " + expected + " and " + actual + " elements");
    }
  }

  static NtContextParams write(ContextParams params, boolean blas) {
    NtContextParams struct = new NtContextParams(Struct.allocate(NtContextParams.class, 1));
    return struct
        .n_ctx(params.contextLength())
        .n_seq_max(params.sequences())
        .n_batch(params.batchSize())
        .kv_capacity(params.kvCapacity())
        .exact(params.exact() ? 1 : 0)
        .overcommit(params.overcommit() ? 1 : 0)
        .kv_type(
            switch (params.kvType()) {
              case F16 -> Nautil.NT_CACHE_F16;
              case Q8_0 -> Nautil.NT_CACHE_Q8_0;
            })
        .sgemm(blas ? Blas.sgemm() : null);
  }

  private static List<OperationProfile> readProfile(NtContext context) {
    int n = Nautil.nt_context_get_profile(context, new NtOperation((Pointer) null), 0);
    NtOperation operations = new NtOperation(Struct.allocate(NtOperation.class, n));
    Nautil.nt_context_get_profile(context, operations, n);
    List<OperationProfile> profile = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      NtOperation operation = operations.getPointer(i);
      profile.add(
          new OperationProfile(
              operation.name().getString(),
              operation.calls(),
              Duration.ofNanos((long) (operation.seconds() * 1e9)),
              operation.bytes(),
              operation.macs()));
    }
    return profile;
  }

  private static ContextInfo readInfo(NtContext context) {
    NtContextInfo info = new NtContextInfo(Struct.allocate(NtContextInfo.class, 1));
    Nautil.nt_context_get_info(context, info);
    return new ContextInfo(
        info.n_ctx(),
        info.n_seq_max(),
        info.n_batch(),
        info.n_threads(),
        info.kv_capacity(),
        info.kv_bytes_per_token(),
        info.kv_bytes(),
        info.n_decoded());
  }
}
