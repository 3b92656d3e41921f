package dev.nautil.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.nautil.EmbeddingOptions;
import dev.nautil.Model;
import dev.nautil.ModelOptions;
import dev.nautil.Pooling;
import java.io.IOException;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** {@code nautil embed}. */
@Command(
    name = "embed",
    description = {
      "Reads JSON lines {\"text\"} from standard input and prints {\"embedding\"} for each, or"
          + " {\"texts\"} and prints {\"embeddings\"}, which is quicker for many. A line that cannot"
          + " be answered gives {\"error\"}."
    },
    sortOptions = false)
final class EmbedCommand implements Callable<Integer> {
  private final Io io;

  @Mixin private StandardOptions standard;
  @Mixin private ThreadOptions threads;
  @Mixin private OvercommitOption overcommit;

  @Parameters(paramLabel = "MODEL", description = "A GGUF file, a reference or an id.")
  private String model;

  @Option(
      names = "--pooling",
      paramLabel = "KIND",
      description =
          "How a text's tokens become one vector: mean, first or last (token); by default what the"
              + " file declares, or else mean.")
  private @Nullable Pooling pooling;

  @Option(
      names = "--no-normalize",
      description = "Leaves vectors as long as they come, not of length 1.")
  private boolean raw;

  @Option(names = "--truncate", description = "Cuts texts that are too long, at their end.")
  private boolean truncate;

  EmbedCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() throws IOException {
    ModelOptions modelOptions = Model.options().threads(threads.count());
    if (overcommit.isAllowed()) {
      modelOptions = modelOptions.allowOvercommit();
    }
    try (Model open = ModelArgument.resolve(io, model).open(modelOptions)) {
      EmbeddingOptions options = options();
      Json.answerLines(io, question -> answer(question, open, options));
    }
    return 0;
  }

  private EmbeddingOptions options() {
    EmbeddingOptions options = Model.embeddingOptions();
    options = pooling == null ? options : options.pooling(pooling);
    options = raw ? options.withoutNormalization() : options;
    return truncate ? options.truncate() : options;
  }

  private static Json.Value answer(
      Map<String, Object> question, Model model, EmbeddingOptions options) {
    boolean several = question.containsKey("texts");
    List<float[]> vectors = embed(several ? texts(question) : text(question), model, options);
    return json -> {
      json.writeStartObject();
      if (several) {
        json.writeArrayFieldStart("embeddings");
        for (float[] vector : vectors) {
          write(json, vector);
        }
        json.writeEndArray();
      } else {
        json.writeFieldName("embedding");
        write(json, vectors.get(0));
      }
      json.writeEndObject();
    };
  }

  private static List<float[]> embed(List<String> texts, Model model, EmbeddingOptions options) {
    try {
      return model.embed(texts, options);
    } catch (IllegalArgumentException e) {
      throw new Failure(String.valueOf(e.getMessage()), e);
    }
  }

  private static List<String> text(Map<String, Object> question) {
    if (question.get("text") instanceof String text) {
      return List.of(text);
    }
    throw new Failure("\"text\" (a string) or \"texts\" (a list of strings) is missing");
  }

  private static List<String> texts(Map<String, Object> question) {
    if (question.get("texts") instanceof List<?> list
        && list.stream().allMatch(String.class::isInstance)) {
      return list.stream().map(String.class::cast).toList();
    }
    throw new Failure("\"texts\" is no list of strings: " + question.get("texts"));
  }

  private static void write(JsonGenerator json, float[] vector) throws IOException {
    json.writeStartArray();
    for (float value : vector) {
      json.writeNumber(value);
    }
    json.writeEndArray();
  }
}
