package dev.nautil.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import java.io.IOException;
import java.util.List;

/** Measurements as JSON. */
final class BenchJson {
  private BenchJson() {}

  static void print(Io io, BenchCommand.Head head, List<Bench.Row> rows, Bench.Memory memory)
      throws IOException {
    Json.print(
        io,
        json -> {
          json.writeStartObject();
          json.writeStringField("model", head.model());
          json.writeStringField("quantization", head.quantization());
          json.writeStringField("isa", head.instructionSet());
          json.writeStringField("kv_type", head.kvType().label());
          json.writeNumberField("threads", head.threads());
          json.writeNumberField("bandwidth_gb_per_s", head.limits().bytesPerSecond() / 1e9);
          json.writeNumberField("dot_gmac_per_s", head.limits().multiplyAddsPerSecond() / 1e9);
          json.writeNumberField("open_ms", head.openMillis());
          json.writeNumberField("anonymous_bytes", memory.anonymous());
          json.writeNumberField("kv_bytes", memory.kv());
          json.writeArrayFieldStart("rows");
          for (Bench.Row row : rows) {
            write(json, row);
          }
          json.writeEndArray();
          json.writeEndObject();
        });
  }

  private static void write(JsonGenerator json, Bench.Row row) throws IOException {
    json.writeStartObject();
    json.writeStringField("test", row.test());
    json.writeNumberField("tokens", row.tokens());
    json.writeNumberField("batch", row.batch());
    json.writeNumberField("depth", row.depth());
    json.writeNumberField("tok_per_s", row.tokensPerSecond());
    json.writeNumberField("gb_per_s", row.gigabytesPerSecond());
    json.writeNumberField("limit_fraction", row.limitFraction());
    json.writeEndObject();
  }
}
