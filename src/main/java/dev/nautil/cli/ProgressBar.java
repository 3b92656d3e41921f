package dev.nautil.cli;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * A line on standard error that says how far long work is; nothing where that is no terminal. It
 * appears only once the work has taken a while, and is gone when it ends.
 */
final class ProgressBar implements AutoCloseable {
  private static final long DELAY = 300_000_000;
  private static final long BETWEEN = 100_000_000;
  private static final int WIDTH = 30;

  private final Io io;
  private final String label;
  private final long start = System.nanoTime();
  private long lastDraw = start + DELAY - BETWEEN;
  private @Nullable Thread atExit;

  ProgressBar(Io io, String label) {
    this.io = io;
    this.label = label;
  }

  void update(long done, long total) {
    update(done, total, "");
  }

  /**
   * @param note shown behind the bar
   */
  void update(long done, long total, String note) {
    long now = System.nanoTime();
    if (!io.canRedraw() || now - lastDraw < BETWEEN) {
      return;
    }
    lastDraw = now;
    if (atExit == null) {
      atExit = new Thread(this::erase);
      Runtime.getRuntime().addShutdownHook(atExit);
    }
    double part = total <= 0 ? 0 : Math.min(1, (double) done / total);
    int filled = (int) (part * WIDTH);
    String bar = "=".repeat(filled) + " ".repeat(WIDTH - filled);
    String left = remaining(now - start, part);
    io.err()
        .print(
            String.format(
                Locale.ROOT, "\r%s [%s] %3.0f %%%s%s\033[K", label, bar, 100 * part, left, note));
  }

  /** The time that is left, once it can be told and is worth telling. */
  private static String remaining(long elapsed, double part) {
    double seconds = part < 0.02 ? 0 : elapsed / 1e9 * (1 - part) / part;
    return seconds < 5 ? "" : String.format(Locale.ROOT, ", %s left", duration(seconds));
  }

  private static String duration(double seconds) {
    long s = Math.round(seconds);
    return s < 90 ? s + " s" : (s + 30) / 60 + " min";
  }

  private void erase() {
    io.err().print("\r\033[K");
  }

  @Override
  public void close() {
    hide();
  }

  /** Takes the bar away; the next update may show it again. */
  void hide() {
    if (atExit == null) {
      return;
    }
    try {
      Runtime.getRuntime().removeShutdownHook(atExit);
    } catch (IllegalStateException e) {
      // The process is ending, and the hook erases the bar.
      return;
    }
    atExit = null;
    erase();
  }
}
