package dev.nautil.cli;

import java.io.IOException;

/** A perplexity as JSON. */
final class PerplexityJson {
  private PerplexityJson() {}

  static void print(Io io, Perplexity.Result result) throws IOException {
    Json.print(
        io,
        json -> {
          json.writeStartObject();
          json.writeNumberField("perplexity", result.perplexity());
          json.writeNumberField("nll", result.meanNll());
          json.writeNumberField("tokens", result.tokens());
          json.writeNumberField("windows", result.windows());
          json.writeNumberField("n_ctx", result.contextSize());
          json.writeEndObject();
        });
  }
}
