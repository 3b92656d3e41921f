package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import org.junit.jupiter.api.Test;

class MainTest {
  private static final OutputStream FULL =
      new OutputStream() {
        @Override
        public void write(int b) throws IOException {
          throw new IOException("No space left on device");
        }
      };

  @Test
  void tellsInOneLineThatHelpCannotBeWritten() {
    ByteArrayOutputStream err = new ByteArrayOutputStream();
    Io io =
        new Io(
            new ByteArrayInputStream(new byte[0]),
            Io.print(FULL),
            new PrintStream(err, true, StandardCharsets.UTF_8),
            Io.Terminals.NONE,
            Map.of());
    assertEquals(1, Main.execute(io, "--help"));
    assertEquals(
        "nautil: cannot write to standard output: No space left on device\n",
        err.toString(StandardCharsets.UTF_8));
  }
}
