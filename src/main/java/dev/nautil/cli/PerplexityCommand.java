package dev.nautil.cli;

import dev.nautil.engine.LoadedModel;
import dev.nautil.internal.ContextParams;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code nautil perplexity}. */
@Command(
    name = "perplexity",
    description = {
      "Measures how well a model predicts a text, as llama.cpp's llama-perplexity does: in windows"
          + " of -c tokens, of which the second half is scored."
    },
    sortOptions = false)
final class PerplexityCommand implements Callable<Integer> {
  private final Io io;

  @Spec private CommandSpec spec;

  @Parameters(paramLabel = "MODEL", description = "A GGUF file, a reference or an id.")
  private String model;

  @Option(
      names = {"-f", "--file"},
      paramLabel = "FILE",
      required = true,
      description = "The text, in UTF-8.")
  private String file;

  @Option(
      names = {"-c", "--ctx-size"},
      paramLabel = "N",
      defaultValue = "512",
      description = "Tokens of a window; ${DEFAULT-VALUE}.")
  private int window;

  @Mixin private ThreadOptions threads;

  @Mixin private KvTypeOption kvType;

  @Mixin private OvercommitOption overcommit;

  @Option(
      names = "--json",
      description = "Prints {\"perplexity\", \"nll\", \"tokens\", \"windows\", \"n_ctx\"}.")
  private boolean json;

  @Mixin private StandardOptions standard;

  PerplexityCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() throws IOException {
    if (window < 4) {
      throw new ParameterException(
          spec.commandLine(), "--ctx-size is " + window + "; it must be 4 or more");
    }
    Path path = ModelArgument.resolve(io, model).path();
    String text = text(ModelArgument.path(file));
    ContextParams params =
        new ContextParams(window, 1, 0, false, overcommit.isAllowed(), kvType.type(), true);
    try (LoadedModel loaded = LoadedModel.open(path, false, threads.count(), params, null, null);
        ProgressBar bar = new ProgressBar(io, "perplexity")) {
      ContextNotes.warnIfBeyond(io, window, loaded.model().info().contextLength());
      int[] tokens = Completer.encode(loaded.tokenizer(), text);
      if (tokens.length < window) {
        throw new Failure(
            file + " has " + tokens.length + " tokens; one window takes " + window + " (-c)");
      }
      Perplexity.Result result =
          Perplexity.measure(
              loaded,
              tokens,
              params,
              (soFar, windows) ->
                  bar.update(
                      soFar.windows(),
                      windows,
                      String.format(Locale.ROOT, ", %.4f so far", soFar.perplexity())));
      bar.hide();
      print(result);
    }
    return 0;
  }

  private void print(Perplexity.Result result) throws IOException {
    if (json) {
      PerplexityJson.print(io, result);
    } else {
      io.out()
          .printf(
              Locale.ROOT,
              "perplexity %.4f (%d of %d tokens scored, in %d windows of %d)%n",
              result.perplexity(),
              result.scored(),
              result.tokens(),
              result.windows(),
              result.contextSize());
    }
  }

  private static String text(Path path) throws IOException {
    try {
      // Bytes that are not UTF-8 become U+FFFD, which Files.readString would refuse.
      return new String(Files.readAllBytes(path), StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw new Failure(path + ": there is no such file", e);
    } catch (IOException e) {
      throw new Failure(path + ": " + e.getMessage(), e);
    }
  }
}
