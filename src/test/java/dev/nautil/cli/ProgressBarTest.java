package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
  private static String draw(boolean terminal, long millis) throws InterruptedException {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    PrintStream stream = new PrintStream(err, true, StandardCharsets.UTF_8);
    Io io =
        new Io(
            InputStream.nullInputStream(),
            stream,
            stream,
            new Io.Terminals(false, false, terminal),
            Map.of());
    try (ProgressBar bar = new ProgressBar(io, "work")) {
      bar.update(1, 2);
      Thread.sleep(millis);
      bar.update(1, 2);
    }
    return err.toString(StandardCharsets.UTF_8);
  }

  @Test
  void showsLongWorkAndGoes() throws InterruptedException {
    String drawn = draw(true, 400);
    assertTrue(drawn.startsWith("\rwork [===============               ]  50 %"), drawn);
    assertTrue(drawn.endsWith("\r\033[K"), drawn);
  }

  @Test
  void showsNothingOtherwise() throws InterruptedException {
    assertEquals("", draw(true, 0));
    assertEquals("", draw(false, 400));
  }
}
