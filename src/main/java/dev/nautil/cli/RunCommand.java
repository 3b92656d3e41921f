package dev.nautil.cli;

import dev.nautil.Model;
import dev.nautil.ModelDescription;
import dev.nautil.ModelOptions;
import dev.nautil.Sampling;
import dev.nautil.Session;
import dev.nautil.SessionOptions;
import dev.nautil.UnsupportedModelException;
import dev.nautil.internal.NativePool;
import java.io.IOException;
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

/** {@code nautil run}. */
@Command(
    name = "run",
    customSynopsis = "nautil run [OPTIONS] [-m MODEL] [MODEL] [PROMPT]",
    description = {
      "Answers a prompt; without one, talks.",
      "",
      "A lone argument is the model if it is a file, ends in .gguf or looks like a reference (has a"
          + " / or : and no space), else the prompt. Piped standard input is appended to the prompt;"
          + " without one it is the prompt, unless it has a line /bye: then it is a chat, line by"
          + " line.",
      ""
    },
    sortOptions = false)
final class RunCommand implements Callable<Integer> {
  private final Io io;

  @Spec private CommandSpec spec;

  @Option(
      names = {"-m", "--model"},
      paramLabel = "MODEL",
      description =
          "A GGUF file, or a reference such as ai/mistral-nemo, which is pulled if it is not here;"
              + " the default model if it is not said.")
  private @Nullable String model;

  @Parameters(arity = "0..*", hidden = true)
  private List<String> arguments = List.of();

  @Option(
      names = "--system",
      paramLabel = "TEXT",
      description = "What the model is to do or to be.")
  private @Nullable String system;

  @Mixin private SamplingOptions sampling;

  @Option(
      names = "--max-tokens",
      paramLabel = "N",
      defaultValue = "0",
      description = "Ends an answer after N tokens; 0, the default: at the end of the context.")
  private int maxTokens;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "Ends an answer where TEXT comes, before it; can be given several times.")
  private List<String> stop = List.of();

  @Option(
      names = "--ctx-size",
      paramLabel = "N",
      defaultValue = "0",
      description =
          "Tokens that a conversation can have; 0, the default: the model's own limit, as far as"
              + " memory allows.")
  private int contextSize;

  @Mixin private ThreadOptions threads;

  @Mixin private KvTypeOption kvType;

  @Mixin private OvercommitOption overcommit;

  @Option(names = "--raw", description = "Continues text as it is, without the chat template.")
  private boolean raw;

  @Option(
      names = {"-v", "--verbose"},
      description = "Tells the context and the speed on standard error.")
  private boolean verbose;

  @Option(
      names = "--profile",
      description =
          "Tells in the end on standard error where the model's time went, by operation, and each"
              + " one's fraction of this machine's limit.")
  private boolean profile;

  @Mixin private StandardOptions standard;

  /** Tokens that the model's publisher chose for a conversation at most. */
  private int limit = Integer.MAX_VALUE;

  RunCommand(Io io) {
    this.io = io;
  }

  @Override
  public Integer call() throws IOException {
    // A wrong usage is told before a model is pulled, on whose defaults the options are set.
    sessionOptions(Sampling.defaults());
    ModelOptions options = modelOptions();
    ModelArgument named = model();
    SessionOptions session = sessionOptions(named.sampling());
    limit = named.contextLimit();
    String prompt = prompt();
    ChatInput input = null;
    if (!io.terminals().in()) {
      PipedInput piped = PipedInput.read(io);
      if (prompt == null && piped.isChat()) {
        input = piped.lines();
      } else {
        prompt = piped.appendTo(prompt, raw);
        if (prompt == null) {
          throw usage("there is no prompt, and standard input is empty");
        }
      }
    }
    try (Model opened = open(named, options)) {
      tell(opened.describe(), prompt == null && io.terminals().in());
      if (prompt == null) {
        int status = chat(opened, session, input);
        printProfile(opened);
        return status;
      }
      new Answers(io, verbose).print(opened.newSession(session).stream(prompt));
      printProfile(opened);
      return 0;
    } catch (UnsupportedModelException e) {
      boolean asRaw = String.valueOf(e.getMessage()).endsWith("raw text");
      throw asRaw ? new Failure(e.getMessage() + ": give --raw", e) : e;
    }
  }

  private void printProfile(Model opened) {
    if (!profile) {
      return;
    }
    try (NativePool pool = new NativePool(opened.describe().threads())) {
      ProfileTable.print(io.err(), opened.profile(), Work.Limits.measure(pool));
    }
  }

  private int chat(Model opened, SessionOptions session, @Nullable ChatInput input)
      throws IOException {
    Answers answers = new Answers(io, verbose);
    if (input != null) {
      return new Chat(io, opened, session, answers, input).run();
    }
    if (io.terminals().in()) {
      ModelDescription description = opened.describe();
      io.err()
          .printf(
              "%s, %s: /? for help, /bye to leave%n",
              Printable.line(description.name()),
              ContextNotes.describe(description, contextSize, limit));
    }
    try (ChatInput lines = ChatInput.open(io, answers)) {
      return new Chat(io, opened, session, answers, lines).run();
    }
  }

  private ModelArgument model() {
    boolean first = arguments.size() == 2 || (arguments.size() == 1 && isModelFirst());
    if (arguments.size() > (model != null ? 1 : 2)) {
      throw usage("too many arguments: put the prompt in quotes");
    }
    String named = model != null ? model : first ? arguments.get(0) : null;
    if (named == null) {
      return DefaultModel.resolve(io);
    }
    boolean guessed = model == null && arguments.size() == 1;
    return guessed ? ModelArgument.resolveGuessed(io, named) : ModelArgument.resolve(io, named);
  }

  private boolean isModelFirst() {
    return model == null && ModelArgument.isModel(arguments.get(0));
  }

  private @Nullable String prompt() {
    return switch (arguments.size()) {
      case 0 -> null;
      case 1 -> isModelFirst() ? null : arguments.get(0);
      default -> arguments.get(1);
    };
  }

  private Model open(ModelArgument named, ModelOptions options) {
    try (ProgressBar bar = new ProgressBar(io, "reading the model")) {
      // Without a terminal nobody sees the bar, for which the whole file is read first.
      return named.open(
          io.terminals().err()
              ? options.onProgress(progress -> bar.update(progress.done(), progress.total()))
              : options);
    }
  }

  /**
   * @param base how tokens are chosen as far as the options do not say
   */
  private SessionOptions sessionOptions(Sampling base) {
    SessionOptions options = Session.options().sampling(sampling.sampling(base));
    if (system != null && raw) {
      throw usage("--raw has no system prompt: leave out --system or --raw");
    }
    if (maxTokens < 0) {
      throw usage("--max-tokens is " + maxTokens + "; it must be 0 (no limit) or more");
    }
    if (stop.contains("")) {
      throw usage("--stop is empty: every text has that in it");
    }
    options = options.maxTokens(maxTokens).stop(stop.toArray(String[]::new));
    if (system != null) {
      options = options.system(system);
    }
    return raw ? options.raw() : options;
  }

  private ModelOptions modelOptions() {
    if (contextSize < 0) {
      throw usage("--ctx-size is " + contextSize + "; it must be 0 (the model's own) or more");
    }
    ModelOptions options =
        Model.options()
            .contextSize(contextSize)
            .threads(threads.count())
            .kvCacheType(kvType.type());
    return overcommit.isAllowed() ? options.allowOvercommit() : options;
  }

  /**
   * Tells what a user asked for or should know.
   *
   * @param greeted whether a banner with the context follows
   */
  private void tell(ModelDescription model, boolean greeted) {
    ContextNotes.warnIfBeyond(io, contextSize, model.trainedContext());
    String context = ContextNotes.describe(model, contextSize, limit);
    if (verbose) {
      io.err()
          .printf(
              "%s: %s, %d threads, %s%n",
              Printable.line(model.name()), context, model.threads(), model.instructionSet());
    } else if (!greeted && ContextNotes.isBoundByMemory(model, contextSize, limit)) {
      io.err().println("(" + context + ")");
    }
  }

  private ParameterException usage(String message) {
    return new ParameterException(spec.commandLine(), message);
  }
}
