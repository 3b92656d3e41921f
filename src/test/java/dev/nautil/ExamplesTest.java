package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the guide and the Javadoc show compiles as it stands there. */
class ExamplesTest {
  private static final Pattern IN_GUIDE = Pattern.compile("```java\n(.*?)```", Pattern.DOTALL);

  private static final Pattern IN_JAVADOC =
      Pattern.compile("<pre>\\{@code\n(.*?)\n *\\* }</pre>", Pattern.DOTALL);

  /** An example, with what it takes for granted. */
  private record Example(String name, Path file, String code) {
    String source() {
      String imports = code.lines().filter(l -> l.startsWith("import ")).collect(lines());
      String body = code.lines().filter(l -> !l.startsWith("import ")).collect(lines());
      return imports
          + "\nimport dev.nautil.*;\nimport dev.nautil.annotation.Param;\nimport java.nio.file.Path;\nimport java.util.*;\n"
          + "class "
          + name
          + " {\n  static Model model;\n  static Session chat;\n  static List<String> prompts;\n"
          + "  static void example() throws Exception {\n"
          + body
          + "\n  }\n}\n";
    }

    private static java.util.stream.Collector<CharSequence, ?, String> lines() {
      return Collectors.joining("\n");
    }
  }

  @Test
  void theGuideCompiles(@TempDir Path folder) throws IOException {
    List<Example> examples = examples(Path.of("src/guide"), ".md", IN_GUIDE, "");
    assertTrue(examples.size() > 10, "examples: " + examples.size());
    assertEquals("", errors(examples, folder));
  }

  @Test
  void theJavadocCompiles(@TempDir Path folder) throws IOException {
    List<Example> examples =
        examples(Path.of("src/main/java/dev/nautil"), ".java", IN_JAVADOC, " *\\* ?");
    assertTrue(examples.size() > 3, "examples: " + examples.size());
    assertEquals("", errors(examples, folder));
  }

  private static List<Example> examples(Path folder, String ending, Pattern block, String margin)
      throws IOException {
    List<Example> examples = new ArrayList<>();
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.filter(f -> f.toString().endsWith(ending)).sorted().toList()) {
        for (MatchResult found : block.matcher(Files.readString(file)).results().toList()) {
          String code = found.group(1).replaceAll("(?m)^" + margin, "");
          examples.add(new Example("Example" + examples.size(), file, code));
        }
      }
    }
    return examples;
  }

  private static String errors(List<Example> examples, Path folder) throws IOException {
    StringBuilder errors = new StringBuilder();
    for (Example example : examples) {
      Path source = folder.resolve(example.name() + ".java");
      Files.writeString(source, example.source());
      ByteArrayOutputStream output = new ByteArrayOutputStream();
      String classPath = System.getProperty("java.class.path");
      String[] arguments = {"-parameters", "-proc:none", "-cp", classPath, source.toString()};
      if (ToolProvider.getSystemJavaCompiler().run(null, output, output, arguments) != 0) {
        errors.append(example.file()).append('\n').append(output.toString(StandardCharsets.UTF_8));
      }
    }
    return errors.toString();
  }
}
