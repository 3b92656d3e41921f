package dev.nautil.internal;

import dev.nautil.MemoryEstimate;
import dev.nautil.internal.bindings.Nautil;
import dev.nautil.internal.bindings.NtFile;
import dev.nautil.internal.bindings.NtFileInfo;
import dev.nautil.internal.bindings.NtKv;
import dev.nautil.internal.bindings.NtMemoryEstimate;
import dev.nautil.internal.bindings.NtTensorInfo;
import dev.nautil.tokenizer.StringTable;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.BiFunction;
import org.jspecify.annotations.Nullable;

/** An open GGUF file, all parts of a split one. Thread-safe. */
public final class NativeFile implements AutoCloseable {
  private final Path path;
  private final NativeHandle<NtFile> handle;
  private final FileInfo info;
  private final Map<String, Long> keys;

  private NativeFile(Path path, NtFile file) {
    this.path = path;
    handle = new NativeHandle<>(this, "file", file, Nautil::nt_file_close, () -> {});
    info = handle.use(NativeFile::readInfo);
    keys = call(NativeFile::readKeys);
  }

  /**
   * Opens and validates a file.
   *
   * @param path of a split model, its first part
   * @param copy reads the file into memory instead of mapping it: safe where the file may shrink
   *     while it is open
   * @throws dev.nautil.ModelFileException if the file cannot be opened or read
   * @throws dev.nautil.GgufException if it is malformed
   */
  public static NativeFile open(Path path, boolean copy) {
    return open(path, copy ? Nautil.NT_FILE_COPY : 0);
  }

  /**
   * Reads what precedes the tensors' data: metadata, and the tensors' names, shapes and sizes. The
   * file may be the beginning of a larger one that ends anywhere after that. {@link
   * FileInfo#fileBytes} is then what the whole has at least.
   *
   * @param path of a split model, its first part; the others are found beside it
   * @throws IncompleteHeaderException if the file ends before that, and how much is needed
   * @throws dev.nautil.ModelFileException if the file cannot be opened or read
   * @throws dev.nautil.GgufException if it is malformed
   */
  public static NativeFile openHeader(Path path) {
    return open(path, Nautil.NT_FILE_HEADER);
  }

  private static NativeFile open(Path path, int flags) {
    CallStatus status = new CallStatus(path);
    NtFile file =
        status.check(
            Nautil.nt_file_open(
                Struct.string(path.toAbsolutePath().toString()), flags, status.error()));
    return new NativeFile(path, file);
  }

  public Path path() {
    return path;
  }

  public FileInfo info() {
    return info;
  }

  /** The metadata's keys, in the file's order. */
  public Set<String> keys() {
    return keys.keySet();
  }

  /**
   * A metadata value, or null where the key is missing.
   *
   * <p>Strings, booleans and floats become their Java types. Integers become {@link Integer} as far
   * as their type fits (up to UINT16 and INT32), else {@link Long}, or {@link java.math.BigInteger}
   * for a UINT64 beyond it. An array becomes a {@link StringTable}, a primitive array by the same
   * rule, or, of arrays and of UINT64, a {@link List} of such values.
   */
  public @Nullable Object get(String key) {
    Long index = keys.get(key);
    return index == null ? null : call((file, status) -> readValue(file, status, index));
  }

  /** The tensors of all parts, in the files' order. */
  public List<TensorInfo> tensors() {
    return call(
        (file, status) -> {
          NtTensorInfo tensor = new NtTensorInfo(Struct.allocate(NtTensorInfo.class, 1));
          List<TensorInfo> tensors = new ArrayList<>();
          for (long i = 0; i < info.tensorCount(); i++) {
            status.check(Nautil.nt_file_get_tensor(file, i, tensor, status.error()));
            tensors.add(readTensor(tensor));
          }
          return List.copyOf(tensors);
        });
  }

  /**
   * Decodes rows of a tensor, counted over all its outer dimensions.
   *
   * @param tensor its index in {@link #tensors()}
   * @return {@code (rows, shape[0])} values
   */
  public float[] decodeRows(int tensor, long firstRow, int rows) {
    return call(
        (file, status) -> {
          NtTensorInfo shape = new NtTensorInfo(Struct.allocate(NtTensorInfo.class, 1));
          status.check(Nautil.nt_file_get_tensor(file, tensor, shape, status.error()));
          float[] out = new float[Math.toIntExact(Math.multiplyExact(shape.shape(0), rows))];
          status.check(
              Nautil.nt_file_decode_rows(
                  file, tensor, firstRow, rows, out, out.length, status.error()));
          return out;
        });
  }

  /**
   * What a context of the file's model takes; a header is enough.
   *
   * @param threads that will compute; 0: as many as the process may run at once
   * @param copy whether the weights are yet to be read into memory
   * @throws dev.nautil.UnsupportedModelException if the core does not run such a model
   * @throws dev.nautil.GgufException if a tensor is missing or has a wrong shape
   */
  public MemoryEstimate estimate(int threads, ContextParams params, boolean copy) {
    return call(
        (file, status) -> {
          NtMemoryEstimate out = new NtMemoryEstimate(Struct.allocate(NtMemoryEstimate.class, 1));
          status.check(
              Nautil.nt_file_estimate(
                  file,
                  threads,
                  NativeContext.write(params, false),
                  copy ? 1 : 0,
                  out,
                  status.error()));
          return new MemoryEstimate(
              out.n_ctx(),
              params.kvType(),
              out.weight_bytes(),
              out.kv_bytes(),
              out.working_bytes(),
              out.available_bytes(),
              out.physical_bytes(),
              out.fits() != 0,
              out.max_n_ctx());
        });
  }

  /** Reads a range into the page cache; offsets run over all parts, one after another. */
  public void touch(long offset, long bytes) {
    call(
        (file, status) -> {
          status.check(Nautil.nt_file_touch(file, offset, bytes, status.error()));
          return true;
        });
  }

  NativeHandle<NtFile> handle() {
    return handle;
  }

  @Override
  public void close() {
    handle.close();
  }

  private <R> R call(BiFunction<NtFile, CallStatus, R> function) {
    return handle.use(file -> function.apply(file, new CallStatus(path)));
  }

  private static FileInfo readInfo(NtFile file) {
    NtFileInfo info = new NtFileInfo(Struct.allocate(NtFileInfo.class, 1));
    Nautil.nt_file_get_info(file, info);
    return new FileInfo(
        info.version(),
        info.n_parts(),
        info.alignment(),
        info.n_kv(),
        info.n_tensors(),
        info.file_bytes(),
        info.tensor_bytes());
  }

  private static Map<String, Long> readKeys(NtFile file, CallStatus status) {
    long count = readInfo(file).metadataCount();
    NtKv kv = new NtKv(Struct.allocate(NtKv.class, 1));
    Map<String, Long> keys = new LinkedHashMap<>();
    for (long i = 0; i < count; i++) {
      status.check(Nautil.nt_file_get_kv(file, i, kv, status.error()));
      keys.put(Struct.utf8(kv.key(), kv.key_bytes()), i);
    }
    return Collections.unmodifiableMap(keys);
  }

  private static Object readValue(NtFile file, CallStatus status, long index) {
    NtKv kv = new NtKv(Struct.allocate(NtKv.class, 1));
    status.check(Nautil.nt_file_get_kv(file, index, kv, status.error()));
    if (kv.type() == Nautil.NT_KV_ARRAY && kv.element_type() == Nautil.NT_KV_STRING) {
      return readStrings(file, status, index, Math.toIntExact(kv.count()));
    }
    MetadataReader reader = new MetadataReader(Struct.view(kv.data(), kv.data_bytes()));
    return kv.type() == Nautil.NT_KV_ARRAY
        ? reader.array(kv.element_type(), kv.count())
        : reader.value(kv.type());
  }

  private static StringTable readStrings(NtFile file, CallStatus status, long index, int count) {
    int[] offsets = new int[count + 1];
    byte[] none = null;
    status.check(
        Nautil.nt_file_copy_strings(file, index, none, 0, offsets, offsets.length, status.error()));
    byte[] bytes = new byte[offsets[count]];
    status.check(
        Nautil.nt_file_copy_strings(
            file, index, bytes, bytes.length, offsets, offsets.length, status.error()));
    return new StringTable(bytes, offsets);
  }

  private static TensorInfo readTensor(NtTensorInfo tensor) {
    long[] shape = new long[tensor.n_dims()];
    for (int i = 0; i < shape.length; i++) {
      shape[i] = tensor.shape(i);
    }
    return new TensorInfo(
        Struct.utf8(tensor.name(), tensor.name_bytes()),
        tensor.type(),
        shape,
        tensor.part(),
        tensor.offset(),
        tensor.bytes());
  }
}
