package dev.nautil.cli;

import picocli.CommandLine.Option;
import picocli.CommandLine.ParseResult;

/** What every command has. */
final class StandardOptions {
  @Option(
      names = {"-h", "--help"},
      usageHelp = true,
      description = "Shows this and ends.")
  private boolean help;

  @Option(
      names = "--stacktrace",
      hidden = true,
      description = "Shows where in the program a failure comes from.")
  private boolean stackTrace;

  /** Whether a failure of the parsed command is to come with its stack trace. */
  static boolean of(ParseResult result, Io io) {
    ParseResult command = result.hasSubcommand() ? result.subcommand() : result;
    return io.wantsStackTraces() || command.hasMatchedOption("--stacktrace");
  }
}
