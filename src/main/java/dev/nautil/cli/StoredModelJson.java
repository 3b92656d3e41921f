package dev.nautil.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.nautil.StoredModel;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A model of the store as JSON. */
final class StoredModelJson {
  private StoredModelJson() {}

  static void write(JsonGenerator json, StoredModel model) throws IOException {
    json.writeStartObject();
    writeFields(json, model);
    json.writeEndObject();
  }

  static void writeFields(JsonGenerator json, StoredModel model) throws IOException {
    json.writeStringField("id", model.id());
    json.writeArrayFieldStart("tags");
    for (String reference : model.references()) {
      json.writeString(reference);
    }
    json.writeEndArray();
    write(json, "created", model.created());
    json.writeObjectFieldStart("config");
    write(json, "parameters", model.parameters());
    write(json, "quantization", model.quantization());
    write(json, "architecture", model.architecture());
    if (model.contextSize() != null) {
      json.writeNumberField("context_size", model.contextSize());
    }
    json.writeEndObject();
    json.writeNumberField("size", model.bytes());
    json.writeStringField("file", model.file().toString());
    write(json, "chat_template", model.chatTemplate());
    write(json, "default_parameters", model.parametersJson());
    json.writeArrayFieldStart("licenses");
    for (String license : model.licenses()) {
      json.writeString(license);
    }
    json.writeEndArray();
  }

  private static void write(JsonGenerator json, String name, @Nullable String value)
      throws IOException {
    if (value != null) {
      json.writeStringField(name, value);
    }
  }
}
