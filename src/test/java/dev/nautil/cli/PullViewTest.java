package dev.nautil.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.PullProgress;
import dev.nautil.PullProgress.Kind;
import dev.nautil.PullProgress.Layer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

/** What is seen of a pull that goes on for long, the time being told to it. */
class PullViewTest {
  private static final long SECOND = 1_000_000_000;
  private static final long SIZE = 100 << 20;

  private final ByteArrayOutputStream err = new ByteArrayOutputStream();
  private long now = 7 * SECOND;

  private PullView view(boolean terminal, Map<String, String> environment) {
    return new PullView(Cli.errorsOn(err, terminal, environment), "ai/model", () -> now);
  }

  /** Of layers of the same size, so much of each, in hundredths. */
  private static PullProgress progress(int... hundredths) {
    List<Layer> layers = new ArrayList<>();
    for (int i = 0; i < hundredths.length; i++) {
      String digest = "sha256:" + String.format("%012x", i) + "0".repeat(52);
      layers.add(new Layer(digest, Kind.WEIGHTS, hundredths[i] * SIZE / 100, SIZE));
    }
    return new PullProgress(layers);
  }

  private static long lines(String drawn) {
    return drawn.chars().filter(c -> c == '\n').count();
  }

  private String said() {
    String said = err.toString(StandardCharsets.UTF_8);
    err.reset();
    return said;
  }

  /** Ten times a second, a hundredth a second. */
  private void pullForHalfAMinute(PullView view) {
    try (view) {
      for (int tenth = 0; tenth <= 300; tenth++) {
        view.accept(progress(20 + tenth / 10));
        now += SECOND / 10;
      }
    }
  }

  private static void assertFewLines(String said) {
    List<String> lines = said.lines().toList();
    // Every five seconds, the pull going on at 1 MiB a second from 20 MiB on.
    assertEquals(6, lines.size(), said);
    assertEquals(
        "pulling ai/model: 25.0 MiB of 100.0 MiB, 25 %, 1.0 MiB/s, 75 s left", lines.get(0));
    assertEquals(
        "pulling ai/model: 50.0 MiB of 100.0 MiB, 50 %, 1.0 MiB/s, 50 s left", lines.get(5));
    assertFalse(said.contains("\033") || said.contains("\r"), said);
  }

  @Test
  void aLineEveryFewSecondsWithoutATerminal() {
    pullForHalfAMinute(view(false, Map.of()));
    assertFewLines(said());
  }

  @Test
  void aTerminalThatCannotRedrawGetsLines() {
    pullForHalfAMinute(view(true, Map.of("TERM", "dumb")));
    assertFewLines(said());
  }

  @Test
  void whatIsThereAtOnceSaysNothing() {
    try (PullView view = view(false, Map.of())) {
      view.accept(progress(100));
      now += SECOND;
      view.accept(progress(100));
    }
    assertEquals("", said());
  }

  @Test
  void barsAreDrawnInPlaceAndGo() {
    PullView view = view(true, Map.of("TERM", "xterm"));
    now += SECOND;
    view.accept(progress(50, 0));
    String drawn = said();
    assertTrue(drawn.contains("000000000000 [" + "=".repeat(15) + " ".repeat(15) + "]  50 % of"));
    assertEquals(3, lines(drawn), drawn);
    // A line that is wider than the terminal must not take two.
    assertTrue(drawn.startsWith("\033[?7l\r") && drawn.endsWith("\033[?7h"), drawn);
    now += SECOND;
    view.accept(progress(100, 50));
    drawn = said();
    // Up by what was drawn, and the bar of what is there is gone.
    assertTrue(drawn.startsWith("\033[3A"), drawn);
    assertEquals(2, lines(drawn), drawn);
    view.close();
    assertEquals("\033[2A\r\033[J", said());
  }

  @Test
  void aModelOfManyPartsStaysOnTheScreen() {
    int[] parts = new int[60];
    parts[0] = 100;
    parts[1] = 10;
    PullView view = view(true, Map.of());
    now += SECOND;
    view.accept(progress(parts));
    String drawn = said();
    assertTrue(lines(drawn) <= 12, drawn);
    assertTrue(drawn.contains("000000000001 [==="), drawn);
  }
}
