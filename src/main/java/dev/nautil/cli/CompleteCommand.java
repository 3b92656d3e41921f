package dev.nautil.cli;

import dev.nautil.engine.LoadedModel;
import dev.nautil.internal.ContextParams;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code nautil complete}. */
@Command(
    name = "complete",
    description = {
      "Continues text greedily, never ending early, and tells the log-probabilities.",
      "The prompt is encoded as llama.cpp does: special tokens are recognised, and BOS is added if"
          + " the model wants it."
    },
    sortOptions = false)
final class CompleteCommand implements Callable<Integer> {
  private final Io io;

  @Spec private CommandSpec spec;
  @Mixin private StandardOptions standard;
  @Mixin private ThreadOptions threads;

  @Mixin private KvTypeOption kvType;

  @Mixin private OvercommitOption overcommit;

  @Parameters(paramLabel = "MODEL", description = "A GGUF file, a reference or an id.")
  private String model;

  @Option(names = "--prompt", paramLabel = "TEXT", description = "What is continued.")
  private @Nullable String prompt;

  @Option(
      names = "--tokens",
      paramLabel = "IDS",
      converter = TokenIds.Converter.class,
      description = "The same as token ids, fed as they are: 1,2,3.")
  private @Nullable TokenIds tokens;

  @Option(
      names = "--n-predict",
      paramLabel = "N",
      description = "Tokens to predict; 16, or as many as --force has.")
  private @Nullable Integer predict;

  @Option(
      names = "--top",
      paramLabel = "K",
      defaultValue = "20",
      description = "Most probable tokens to tell at each step; ${DEFAULT-VALUE}.")
  private int top;

  @Option(
      names = "--force",
      paramLabel = "IDS",
      converter = TokenIds.Converter.class,
      description = "Tokens to feed in place of the choices; their log-probabilities are told.")
  private @Nullable TokenIds force;

  @Option(
      names = "--json",
      description = "Prints {\"text\", \"tokens\", \"steps\": [{\"id\", \"logprob\", \"top\"}]}.")
  private boolean json;

  @Option(
      names = "--jsonl",
      description =
          "Reads lines {\"prompt\" or \"tokens\", \"n_predict\", \"top\", \"force\"} from standard"
              + " input, and answers each with a line as --json does, or {\"error\"}.")
  private boolean jsonl;

  @Option(names = "--exact", hidden = true, description = "Computes in F32 throughout; slow.")
  private boolean exact;

  CompleteCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() throws IOException {
    check();
    Path path = ModelArgument.resolve(io, model).path();
    ContextParams params =
        new ContextParams(0, 1, 0, exact, overcommit.isAllowed(), kvType.type(), true);
    try (LoadedModel loaded = LoadedModel.open(path, false, threads.count(), params, null, null);
        Completer completer = new Completer(loaded, params)) {
      if (jsonl) {
        CompletionJson.answerLines(io, completer, predict(), top);
        return 0;
      }
      int[] ids = tokens != null ? tokens.ids() : completer.encode(prompt);
      Completer.Completion completion =
          completer.complete(new Completer.Request(ids, predict(), top, forced()));
      if (json) {
        CompletionJson.print(io, completion);
      } else {
        io.out().println(completion.text());
      }
      return 0;
    } catch (Failure e) {
      throw new Failure(path + ": " + e.getMessage(), e);
    }
  }

  private int[] forced() {
    return force == null ? new int[0] : force.ids();
  }

  private int predict() {
    return predict != null ? predict : force != null ? force.ids().length : 16;
  }

  private void check() {
    if (jsonl
        ? prompt != null || tokens != null || force != null
        : (prompt == null) == (tokens == null)) {
      throw usage("give one of --prompt, --tokens and --jsonl");
    }
    for (Integer count : List.of(predict(), top)) {
      if (count < 0) {
        throw usage("--n-predict and --top must be 0 or more");
      }
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
