package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ProgressBarTest {
  private static String draw(boolean terminal, long millis) throws InterruptedException {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    try (ProgressBar bar = new ProgressBar(Cli.errorsOn(err, terminal, Map.of()), "work")) {
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
