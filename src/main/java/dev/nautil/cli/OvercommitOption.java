package dev.nautil.cli;

import picocli.CommandLine.Option;

/** Whether a model is opened that does not fit into memory. */
final class OvercommitOption {
  @Option(
      names = "--overcommit",
      description =
          "Opens a model even if it does not fit into memory: what does not is read from the disk"
              + " again for each token, or the system ends the process.")
  private boolean allowed;

  boolean isAllowed() {
    return allowed;
  }
}
