package dev.nautil.internal;

import dev.nautil.internal.bindings.Nautil;
import dev.nautil.internal.bindings.NtModel;
import dev.nautil.internal.bindings.NtModelInfo;
import org.jspecify.annotations.Nullable;

/** The weights and the shape of a model, bound to the memory of its file. Thread-safe. */
public final class NativeModel implements AutoCloseable {
  private final NativeHandle<NtModel> handle;
  private final ModelInfo info;

  /** Computed when it is first asked for; two threads may do so at once, and get the same. */
  private volatile @Nullable Long fingerprint;

  /**
   * @param file may be closed at any time afterwards
   * @throws dev.nautil.UnsupportedModelException if the core does not run such a model
   * @throws dev.nautil.GgufException if a tensor is missing or has a wrong shape
   */
  public NativeModel(NativeFile file) {
    CallStatus status = new CallStatus(file.path());
    NtModel model =
        file.handle().use(pointer -> status.check(Nautil.nt_model_new(pointer, status.error())));
    handle = new NativeHandle<>(this, "model", model, Nautil::nt_model_free, () -> {});
    info = handle.use(NativeModel::readInfo);
  }

  public ModelInfo info() {
    return info;
  }

  /** A number that tells models apart: {@code nt_model_fingerprint} says by what. */
  public long fingerprint() {
    Long known = fingerprint;
    if (known == null) {
      known = handle.use(Nautil::nt_model_fingerprint);
      fingerprint = known;
    }
    return known;
  }

  NativeHandle<NtModel> handle() {
    return handle;
  }

  /** Contexts of the model keep it until they are closed. */
  @Override
  public void close() {
    handle.close();
  }

  private static ModelInfo readInfo(NtModel model) {
    NtModelInfo info = new NtModelInfo(Struct.allocate(NtModelInfo.class, 1));
    Nautil.nt_model_get_info(model, info);
    return new ModelInfo(
        info.n_vocab(),
        info.n_ctx_train(),
        info.n_embd(),
        info.n_layer(),
        info.n_head(),
        info.n_head_kv(),
        info.head_dim(),
        info.n_ff(),
        info.rope_theta(),
        info.rms_eps(),
        info.n_params(),
        info.weight_bytes(),
        info.has_float_weights() != 0);
  }
}
