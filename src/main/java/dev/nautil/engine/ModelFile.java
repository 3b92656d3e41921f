package dev.nautil.engine;

import dev.nautil.MemoryEstimate;
import dev.nautil.Pooling;
import dev.nautil.UnsupportedModelException;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.Native;
import dev.nautil.internal.NativeFile;
import dev.nautil.internal.TensorInfo;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/** What a GGUF file says of itself, in words. */
public final class ModelFile {
  /** GGUF's general.file_type: the label of a mix of tensor types. */
  private static final Map<Integer, String> FILE_TYPES =
      Map.ofEntries(
          Map.entry(0, "F32"),
          Map.entry(1, "F16"),
          Map.entry(2, "Q4_0"),
          Map.entry(3, "Q4_1"),
          Map.entry(7, "Q8_0"),
          Map.entry(8, "Q5_0"),
          Map.entry(9, "Q5_1"),
          Map.entry(10, "Q2_K"),
          Map.entry(11, "Q3_K_S"),
          Map.entry(12, "Q3_K_M"),
          Map.entry(13, "Q3_K_L"),
          Map.entry(14, "Q4_K_S"),
          Map.entry(15, "Q4_K_M"),
          Map.entry(16, "Q5_K_S"),
          Map.entry(17, "Q5_K_M"),
          Map.entry(18, "Q6_K"),
          Map.entry(19, "IQ2_XXS"),
          Map.entry(20, "IQ2_XS"),
          Map.entry(21, "Q2_K_S"),
          Map.entry(22, "IQ3_XS"),
          Map.entry(23, "IQ3_XXS"),
          Map.entry(24, "IQ1_S"),
          Map.entry(25, "IQ4_NL"),
          Map.entry(26, "IQ3_S"),
          Map.entry(27, "IQ3_M"),
          Map.entry(28, "IQ2_S"),
          Map.entry(29, "IQ2_M"),
          Map.entry(30, "IQ4_XS"),
          Map.entry(31, "IQ1_M"),
          Map.entry(32, "BF16"));

  private ModelFile() {}

  /**
   * What a context of the file's model takes, as {@link NativeFile#estimate} tells it.
   *
   * @param limit tokens of the context at most where the parameters do not say its length; 0: none
   */
  public static MemoryEstimate estimate(
      NativeFile file, int threads, ContextParams params, int limit, boolean copy) {
    MemoryEstimate estimate = file.estimate(threads, params, copy);
    return params.contextLength() != 0 || limit == 0 || estimate.contextSize() <= limit
        ? estimate
        : file.estimate(threads, params.contextLength(limit), copy);
  }

  /** general.name, or the file's name. */
  public static String name(NativeFile file) {
    return file.get("general.name") instanceof String name && !name.isBlank()
        ? name
        : String.valueOf(file.path().getFileName());
  }

  /** general.architecture, or "unknown". */
  public static String architecture(NativeFile file) {
    return file.get("general.architecture") instanceof String name ? name : "unknown";
  }

  /** The label of the file's mix of types, or the type that most of its bytes have. */
  public static String quantization(NativeFile file) {
    Object type = file.get("general.file_type");
    String label = type instanceof Number n ? FILE_TYPES.get(n.intValue()) : null;
    return label != null ? label : commonestType(file);
  }

  /**
   * How the file says that a text's hidden states become one vector: GGUF's key {@code
   * <architecture>.pooling_type}, whose values are llama.cpp's. Empty where it says nothing, or
   * that they stay apart.
   *
   * @throws UnsupportedModelException if it says something else
   */
  public static Optional<Pooling> pooling(NativeFile file) {
    String key = architecture(file) + ".pooling_type";
    Object value = file.get(key);
    if (value == null) {
      return Optional.empty();
    }
    return switch (value instanceof Number number ? number.intValue() : Integer.MIN_VALUE) {
      case -1, 0 -> Optional.empty(); // unspecified (also as 2³² − 1), none
      case 1 -> Optional.of(Pooling.MEAN);
      case 2 -> Optional.of(Pooling.FIRST);
      case 3 -> Optional.of(Pooling.LAST);
      default ->
          throw new UnsupportedModelException(
              file.path()
                  + ": "
                  + key
                  + " is "
                  + value
                  + "; supported are 1 (mean), 2 (first token) and 3 (last token), but not 4 (rank:"
                  + " the model scores pairs of texts). A pooling that the options name is used"
                  + " instead");
    };
  }

  /** Number of weights in all tensors. */
  public static long parameters(NativeFile file) {
    long parameters = 0;
    for (TensorInfo tensor : file.tensors()) {
      parameters += tensor.elements();
    }
    return parameters;
  }

  private static String commonestType(NativeFile file) {
    Map<Integer, Long> bytes = new TreeMap<>();
    file.tensors().forEach(tensor -> bytes.merge(tensor.type(), tensor.bytes(), Long::sum));
    return bytes.entrySet().stream()
        .max(Map.Entry.comparingByValue())
        .map(entry -> typeName(entry.getKey()))
        .orElse("none");
  }

  /** The name of a tensor type, such as "Q4_K" for 12. */
  public static String typeName(int type) {
    String name = Native.typeName(type);
    return name != null ? name : "type " + type;
  }
}
