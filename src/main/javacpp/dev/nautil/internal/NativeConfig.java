package dev.nautil.internal;

import org.bytedeco.javacpp.annotation.Platform;
import org.bytedeco.javacpp.annotation.Properties;
import org.bytedeco.javacpp.tools.Info;
import org.bytedeco.javacpp.tools.InfoMap;
import org.bytedeco.javacpp.tools.InfoMapper;

/**
 * How JavaCPP reads {@code nautil.h}: compiled first in the build, then handed to JavaCPP's parser.
 *
 * <p>Handles become opaque pointers that own nothing; numbers cross as primitive arrays or direct
 * buffers. The static library of the core reaches the linker through the build file and not through
 * {@code link} here, since JavaCPP's Loader would look for what is named here at run time.
 */
@Properties(
    value = @Platform(include = "nautil.h", library = "jninautil"),
    target = "dev.nautil.internal.bindings",
    global = "dev.nautil.internal.bindings.Nautil")
public class NativeConfig implements InfoMapper {
  @Override
  public void map(InfoMap infoMap) {
    infoMap
        .put(new Info("NT_API").cppTypes().annotations())
        .put(new Info("NT_STATIC").define(true))
        .put(new Info("nt_file").pointerTypes("NtFile"))
        .put(new Info("nt_pool").pointerTypes("NtPool"))
        .put(new Info("nt_model").pointerTypes("NtModel"))
        .put(new Info("nt_context").pointerTypes("NtContext"))
        .put(new Info("nt_error").pointerTypes("NtError"))
        .put(new Info("nt_kv").pointerTypes("NtKv"))
        .put(new Info("nt_file_info").pointerTypes("NtFileInfo"))
        .put(new Info("nt_tensor_info").pointerTypes("NtTensorInfo"))
        .put(new Info("nt_model_info").pointerTypes("NtModelInfo"))
        .put(new Info("nt_context_info").pointerTypes("NtContextInfo"))
        .put(new Info("nt_operation").pointerTypes("NtOperation"))
        .put(new Info("nt_memory_estimate").pointerTypes("NtMemoryEstimate"))
        .put(new Info("nt_context_params").pointerTypes("NtContextParams"))
        .put(new Info("nt_sampling").pointerTypes("NtSampling"))
        .put(new Info("int32_t").valueTypes("int").pointerTypes("IntBuffer", "int[]"))
        .put(new Info("int64_t").cast().valueTypes("long").pointerTypes("LongBuffer", "long[]"))
        .put(new Info("uint64_t").cast().valueTypes("long").pointerTypes("LongBuffer", "long[]"))
        .put(new Info("float").valueTypes("float").pointerTypes("FloatBuffer", "float[]"))
        .put(new Info("double").valueTypes("double").pointerTypes("DoubleBuffer", "double[]"));
  }
}
