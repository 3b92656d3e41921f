package dev.nautil.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/**
 * The arguments as they were typed: in a locale without UTF-8, such as LANG=C, Java 17 has already
 * replaced every character that is not ASCII.
 */
final class Arguments {
  private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

  private Arguments() {}

  /** The arguments decoded from UTF-8, where the system tells their bytes; else as they are. */
  static String[] recover(String[] arguments) {
    if ("UTF-8".equals(System.getProperty("sun.jnu.encoding"))) {
      return arguments;
    }
    try {
      return recover(arguments, Files.readAllBytes(COMMAND_LINE));
    } catch (IOException e) {
      return arguments;
    }
  }

  /**
   * The same from the process's whole command line.
   *
   * @param commandLine arguments that end with NUL; the program's own are the last ones
   */
  static String[] recover(String[] arguments, byte[] commandLine) {
    List<String> all = new ArrayList<>();
    for (int start = 0, end = 0; end < commandLine.length; end++) {
      if (commandLine[end] == 0) {
        all.add(new String(commandLine, start, end - start, StandardCharsets.UTF_8));
        start = end + 1;
      }
    }
    int first = all.size() - arguments.length;
    if (first < 0) {
      return arguments;
    }
    String[] recovered = all.subList(first, all.size()).toArray(String[]::new);
    return areThese(recovered, arguments) ? recovered : arguments;
  }

  /** Whether those without a character beyond ASCII are the same. */
  private static boolean areThese(String[] recovered, String[] arguments) {
    for (int i = 0; i < arguments.length; i++) {
      boolean ascii = recovered[i].chars().allMatch(c -> c < 0x80);
      if (ascii && !recovered[i].equals(arguments[i])) {
        return false;
      }
    }
    return true;
  }
}
