package dev.nautil.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.IVersionProvider;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code nautil}. */
@Command(
    name = "nautil",
    description = "Runs GGUF language models.",
    versionProvider = Main.Version.class,
    synopsisSubcommandLabel = "COMMAND",
    footer = {
      "",
      "Exit codes: 0 done, 1 failed, 2 wrong usage, 130 ended by Ctrl-C, 141 when the reader of the"
          + " output has gone.",
      "Environment: NO_COLOR for no colours, NAUTIL_DEFAULT_MODEL for run's model,"
          + " NAUTIL_HOME for the folder of models, NAUTIL_STACKTRACE to see where a failure comes from;"
          + " the guide's chapter on models has those for networks."
    })
public final class Main implements Callable<Integer> {
  /** The commands, each made only when it is asked for: picocli reads a class in 10 ms. */
  private static final Map<String, Function<Io, Object>> COMMANDS = new LinkedHashMap<>();

  static {
    COMMANDS.put("run", RunCommand::new);
    COMMANDS.put("pull", PullCommand::new);
    COMMANDS.put("ls", ListCommand::new);
    COMMANDS.put("rm", RemoveCommand::new);
    COMMANDS.put("tag", TagCommand::new);
    COMMANDS.put("df", DiskCommand::new);
    COMMANDS.put("verify", VerifyCommand::new);
    COMMANDS.put("inspect", InspectCommand::new);
    COMMANDS.put("complete", CompleteCommand::new);
    COMMANDS.put("embed", EmbedCommand::new);
    COMMANDS.put("tokenize", TokenizeCommand::new);
    COMMANDS.put("template", TemplateCommand::new);
    COMMANDS.put("perplexity", PerplexityCommand::new);
    COMMANDS.put("bench", BenchCommand::new);
    COMMANDS.put("completion", CompletionCommand::new);
  }

  @Mixin private StandardOptions standard;

  @Option(names = "--version", versionHelp = true, description = "Shows the version and ends.")
  private boolean version;

  @Spec private CommandSpec spec;

  private Main() {}

  /** Runs a command and ends the process. */
  public static void main(String[] arguments) {
    // Or the JDK gives a proxy no password for HTTPS, not even the user's own. Read once, so early.
    String disabled = "jdk.http.auth.tunneling.disabledSchemes";
    System.setProperty(disabled, System.getProperty(disabled, ""));
    System.exit(execute(Io.system(), Arguments.recover(arguments)));
  }

  /** Runs a command; returns its exit code. */
  static int execute(Io io, String... arguments) {
    try {
      // Printed here: picocli would answer a failure to write with a stack trace.
      StringWriter help = new StringWriter();
      int code = commandLine(io, help, arguments).execute(arguments);
      io.out().print(help);
      io.out().flush();
      return code;
    } catch (Throwable e) {
      return Failures.report(e, io, io.wantsStackTraces());
    }
  }

  /** The command with all of its subcommands. */
  static CommandLine all(Io io) {
    return commandLine(io, new StringWriter(), new String[0]);
  }

  private static CommandLine commandLine(Io io, StringWriter help, String[] arguments) {
    CommandLine line = new CommandLine(new Main());
    boolean one = arguments.length > 0 && COMMANDS.containsKey(arguments[0]);
    COMMANDS.forEach(
        (name, command) -> {
          if (!one || name.equals(arguments[0])) {
            line.addSubcommand(name, command.apply(io));
          }
        });
    return line.setOut(new PrintWriter(help, true))
        .setErr(new PrintWriter(io.err(), true))
        .setColorScheme(CommandLine.Help.defaultColorScheme(io.ansi()))
        // A prompt may start with @.
        .setExpandAtFiles(false)
        .setCaseInsensitiveEnumValuesAllowed(true)
        .setParameterExceptionHandler((e, args) -> Failures.reportUsage(e, io))
        .setExecutionExceptionHandler(
            (e, failed, result) -> Failures.report(e, io, StandardOptions.of(result, io)));
  }

  @Override
  public Integer call() {
    throw new ParameterException(spec.commandLine(), "name a command");
  }

  static final class Version implements IVersionProvider {
    @Override
    public String[] getVersion() {
      return new String[] {
        "nautil "
            + dev.nautil.internal.Native.version()
            + " ("
            + dev.nautil.internal.Native.isa()
            + ")"
      };
    }
  }
}
