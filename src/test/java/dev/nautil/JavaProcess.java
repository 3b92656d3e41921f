package dev.nautil;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Programs that tests run on this JDK, in a process of their own. */
public final class JavaProcess {
  private JavaProcess() {}

  /**
   * Such a process, not yet started.
   *
   * @param arguments options, the main class and its arguments
   */
  public static ProcessBuilder of(String classPath, List<String> arguments) {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    // Silences the notice on native code, where there is one: before 22 the option belongs to an
    // incubator module.
    if (Runtime.version().feature() >= 22) {
      command.add("--enable-native-access=ALL-UNNAMED");
    }
    command.addAll(List.of("-cp", classPath));
    command.addAll(arguments);
    return new ProcessBuilder(command);
  }

  /** On the class path of the tests. */
  public static ProcessBuilder of(List<String> arguments) {
    return of(System.getProperty("java.class.path"), arguments);
  }
}
