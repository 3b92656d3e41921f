package dev.nautil.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.nautil.MemoryEstimate;
import dev.nautil.engine.ModelFile;
import dev.nautil.internal.FileInfo;
import dev.nautil.internal.NativeFile;
import dev.nautil.internal.TensorInfo;
import dev.nautil.tokenizer.StringTable;
import java.io.IOException;
import java.math.BigInteger;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/** A GGUF file as JSON, with all of its metadata. Bytes that are not UTF-8 become U+FFFD. */
final class FileJson {
  private FileJson() {}

  static void print(Io io, Inspected inspected) throws IOException {
    Json.print(io, json -> write(json, inspected));
  }

  private static void write(JsonGenerator json, Inspected inspected) throws IOException {
    NativeFile file = inspected.file();
    FileInfo info = file.info();
    json.writeStartObject();
    if (inspected.model() != null) {
      StoredModelJson.writeFields(json, inspected.model());
    }
    json.writeNumberField("version", info.version());
    json.writeNumberField("alignment", info.alignment());
    json.writeNumberField("parts", info.parts());
    json.writeNumberField("file_bytes", info.fileBytes());
    json.writeNumberField("parameters", ModelFile.parameters(file));
    writeTypes(json, file.tensors());
    write(json, inspected.memory());
    json.writeObjectFieldStart("metadata");
    for (String key : file.keys()) {
      json.writeFieldName(key);
      write(json, file.get(key));
    }
    json.writeEndObject();
    json.writeArrayFieldStart("tensors");
    for (TensorInfo tensor : file.tensors()) {
      write(json, tensor, info.parts() > 1);
    }
    json.writeEndArray();
    if (inspected.values() != null) {
      write(json, inspected.values());
    }
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, @Nullable MemoryEstimate memory)
      throws IOException {
    if (memory == null) {
      json.writeNullField("memory");
      return;
    }
    json.writeObjectFieldStart("memory");
    json.writeNumberField("context_size", memory.contextSize());
    json.writeStringField("kv_type", memory.kvCacheType().label());
    json.writeNumberField("weight_bytes", memory.weightBytes());
    json.writeNumberField("kv_bytes", memory.kvCacheBytes());
    json.writeNumberField("working_bytes", memory.workingBytes());
    json.writeNumberField("total_bytes", memory.totalBytes());
    json.writeNumberField("physical_bytes", memory.physicalBytes());
    json.writeNumberField("available_bytes", memory.availableBytes());
    json.writeBooleanField("fits", memory.fits());
    json.writeNumberField("largest_context", memory.largestContext());
    json.writeEndObject();
  }

  private static void writeTypes(JsonGenerator json, List<TensorInfo> tensors) throws IOException {
    Map<String, Integer> types = new TreeMap<>();
    tensors.forEach(tensor -> types.merge(ModelFile.typeName(tensor.type()), 1, Integer::sum));
    json.writeObjectFieldStart("tensor_types");
    for (Map.Entry<String, Integer> type : types.entrySet()) {
      json.writeNumberField(type.getKey(), type.getValue());
    }
    json.writeEndObject();
  }

  private static void write(JsonGenerator json, TensorInfo tensor, boolean split)
      throws IOException {
    json.writeStartObject();
    json.writeStringField("name", tensor.name());
    writeShape(json, tensor);
    if (split) {
      json.writeNumberField("part", tensor.part());
    }
    json.writeNumberField("offset", tensor.offset());
    json.writeNumberField("bytes", tensor.bytes());
    json.writeEndObject();
  }

  private static void writeShape(JsonGenerator json, TensorInfo tensor) throws IOException {
    json.writeStringField("type", ModelFile.typeName(tensor.type()));
    json.writeFieldName("shape");
    json.writeArray(tensor.shape(), 0, tensor.shape().length);
  }

  private static void write(JsonGenerator json, TensorRows rows) throws IOException {
    json.writeObjectFieldStart("tensor");
    json.writeStringField("name", rows.info().name());
    writeShape(json, rows.info());
    json.writeArrayFieldStart("values");
    rows.forEach(
        (values, from, to) -> {
          json.writeStartArray();
          for (int i = from; i < to; i++) {
            json.writeNumber((double) values[i]);
          }
          json.writeEndArray();
        });
    json.writeEndArray();
    json.writeEndObject();
  }

  /** A value as {@link NativeFile#get} gives it. */
  private static void write(JsonGenerator json, @Nullable Object value) throws IOException {
    if (value instanceof StringTable strings) {
      json.writeStartArray();
      for (int i = 0; i < strings.size(); i++) {
        json.writeString(strings.string(i));
      }
      json.writeEndArray();
    } else if (value instanceof List<?> list) {
      json.writeStartArray();
      for (Object element : list) {
        write(json, element);
      }
      json.writeEndArray();
    } else if (value != null && value.getClass().isArray()) {
      writeArray(json, value);
    } else {
      writeScalar(json, value);
    }
  }

  private static void writeScalar(JsonGenerator json, @Nullable Object value) throws IOException {
    if (value instanceof Boolean truth) {
      json.writeBoolean(truth);
    } else if (value instanceof BigInteger number) {
      json.writeNumber(number);
    } else if (value instanceof Float || value instanceof Double) {
      json.writeNumber(((Number) value).doubleValue());
    } else if (value instanceof Number number) {
      json.writeNumber(number.longValue());
    } else {
      json.writeString(String.valueOf(value));
    }
  }

  private static void writeArray(JsonGenerator json, Object array) throws IOException {
    int length = java.lang.reflect.Array.getLength(array);
    json.writeStartArray();
    for (int i = 0; i < length; i++) {
      writeScalar(json, java.lang.reflect.Array.get(array, i));
    }
    json.writeEndArray();
  }
}
