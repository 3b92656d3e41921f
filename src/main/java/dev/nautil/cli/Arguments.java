package dev.nautil.cli;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;

/**
 * The arguments as they were typed: in a locale without UTF-8, such as LANG=C, Java 17 has already
 * replaced every character that is not ASCII.
 */
final class Arguments {
  private static final Path COMMAND_LINE = Path.of("/proc/self/cmdline");

  private Arguments() {}

  /** The arguments decoded from UTF-8, where the system tells their bytes; else as they are. */
  static String[] recover(String[] arguments) {
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
    String text;
    try {
      text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(commandLine)).toString();
    } catch (CharacterCodingException e) {
      return arguments;
    }
    // What follows the last NUL is empty.
    String[] all = text.split("\0", -1);
    int first = all.length - 1 - arguments.length;
    if (first < 0) {
      return arguments;
    }
    String[] recovered = Arrays.copyOfRange(all, first, all.length - 1);
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
