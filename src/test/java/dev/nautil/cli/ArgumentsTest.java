package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import java.nio.charset.StandardCharsets;
import org.junit.jupiter.api.Test;

class ArgumentsTest {
  private static byte[] commandLine(String... arguments) {
    return (String.join("\0", arguments) + "\0").getBytes(StandardCharsets.UTF_8);
  }

  private static void assertRecovered(String[] expected, String[] given, byte[] commandLine) {
    assertArrayEquals(expected, Arguments.recover(given, commandLine));
  }

  @Test
  void recoversWhatTheLocaleLacks() {
    String[] typed = {"run", "Où ?", ""};
    byte[] line = commandLine("java", "-cp", "é", "Main", "run", "Où ?", "");
    assertRecovered(typed, new String[] {"run", "O?? ?", ""}, line);
    assertRecovered(typed, typed, line);
    assertRecovered(new String[0], new String[0], line);
  }

  @Test
  void keepsWhatItCannotRecover() {
    String[] given = {"run", "O?"};
    assertRecovered(given, given, commandLine("Main", "walk", "Où"));
    assertRecovered(given, given, commandLine("Où"));
    assertRecovered(given, given, new byte[0]);
    assertRecovered(given, given, "run\0O\u00f9\0".getBytes(StandardCharsets.ISO_8859_1));
  }
}
