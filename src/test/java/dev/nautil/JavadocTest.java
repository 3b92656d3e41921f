package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Objects;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.tools.Diagnostic;
import javax.tools.DiagnosticCollector;
import javax.tools.DocumentationTool;
import javax.tools.JavaFileObject;
import javax.tools.StandardJavaFileManager;
import javax.tools.StandardLocation;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** All that users import is documented, and javadoc has nothing to say against it. */
class JavadocTest {
  private static final Path SOURCES = Path.of("src/main/java/dev/nautil");

  /** What javadoc says of code that has no comment at all. */
  private static final Pattern NO_COMMENT = Pattern.compile("no comment");

  /** Of what a record's own comment tells, and of fields that are not public. */
  private static final Pattern TOLD_ELSEWHERE = Pattern.compile("public \\w+ \\{|private .*");

  @Test
  void allThatIsPublicHasAComment(@TempDir Path folder) throws IOException {
    List<Path> files = new ArrayList<>();
    for (Path source : List.of(SOURCES, SOURCES.resolve("annotation"))) {
      try (Stream<Path> list = Files.list(source)) {
        list.filter(file -> file.toString().endsWith(".java")).forEach(files::add);
      }
    }
    assertTrue(files.size() > 60, files.size() + " files");
    DocumentationTool javadoc = ToolProvider.getSystemDocumentationTool();
    DiagnosticCollector<JavaFileObject> said = new DiagnosticCollector<>();
    try (StandardJavaFileManager manager = javadoc.getStandardFileManager(null, null, null)) {
      manager.setLocationFromPaths(
          DocumentationTool.Location.DOCUMENTATION_OUTPUT, List.of(folder));
      manager.setLocationFromPaths(
          StandardLocation.CLASS_PATH,
          Stream.of(System.getProperty("java.class.path").split(java.io.File.pathSeparator))
              .map(Path::of)
              .toList());
      List<String> options = List.of("-quiet", "-Xdoclint:all", "-Xmaxwarns", "10000");
      Iterable<? extends JavaFileObject> sources = manager.getJavaFileObjectsFromPaths(files);
      assertTrue(
          javadoc.getTask(null, manager, said, null, options, sources).call(), said.toString());
    }
    List<String> missing = new ArrayList<>();
    for (Diagnostic<? extends JavaFileObject> diagnostic : said.getDiagnostics()) {
      String message = diagnostic.getMessage(Locale.ROOT);
      if (NO_COMMENT.matcher(message).find() && !isToldElsewhere(diagnostic)) {
        missing.add(
            Objects.requireNonNull(diagnostic.getSource()).getName()
                + ":"
                + diagnostic.getLineNumber());
      }
    }
    assertEquals(List.of(), missing);
  }

  private static boolean isToldElsewhere(Diagnostic<? extends JavaFileObject> diagnostic)
      throws IOException {
    Path file = Path.of(diagnostic.getSource().toUri());
    String line = Files.readAllLines(file).get((int) diagnostic.getLineNumber() - 1);
    return TOLD_ELSEWHERE.matcher(line.strip()).matches();
  }
}
