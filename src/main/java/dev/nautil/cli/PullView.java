package dev.nautil.cli;

import dev.nautil.PullProgress;
import dev.nautil.PullProgress.Layer;
import dev.nautil.internal.Sizes;
import java.util.List;
import java.util.Locale;
import java.util.function.Consumer;
import java.util.function.LongSupplier;

/**
 * Shows on standard error how far a pull is: on a terminal a bar for each large layer that is not
 * there, which are gone when it ends, else a line every few seconds.
 */
final class PullView implements Consumer<PullProgress>, AutoCloseable {
  private static final long BETWEEN_BARS = 100_000_000;
  private static final long BETWEEN_LINES = 5_000_000_000L;
  private static final int WIDTH = 30;

  /** A layer that is there at once needs no bar. */
  private static final long LARGE = 1 << 20;

  /** Of a model of many parts; what has left the screen cannot be drawn again. */
  private static final int MOST_BARS = 8;

  private final Io io;
  private final String name;
  private final LongSupplier nanoTime;
  private final long start;
  private long last;
  private long first = -1;
  private int drawn;

  PullView(Io io, String name) {
    this(io, name, System::nanoTime);
  }

  /**
   * @param nanoTime what the time is taken from
   */
  PullView(Io io, String name, LongSupplier nanoTime) {
    this.io = io;
    this.name = name;
    this.nanoTime = nanoTime;
    start = nanoTime.getAsLong();
    last = start;
  }

  @Override
  public void accept(PullProgress progress) {
    if (first < 0) {
      // What an earlier pull left says nothing of the speed.
      first = progress.done();
    }
    long now = nanoTime.getAsLong();
    boolean bars = io.canRedraw();
    if (now - last < (bars ? BETWEEN_BARS : BETWEEN_LINES)) {
      return;
    }
    last = now;
    if (bars) {
      draw(progress);
    } else {
      io.err().println("pulling " + name + ": " + rate(progress.done(), progress.total()));
    }
  }

  private void draw(PullProgress progress) {
    List<Layer> arriving =
        progress.layers().stream()
            .filter(each -> each.size() > LARGE && each.done() < each.size())
            .limit(MOST_BARS)
            .toList();
    StringBuilder text = new StringBuilder(drawn == 0 ? "" : "\033[" + drawn + "A");
    // A line that went on in the next one would be drawn again and again.
    text.append("\033[?7l\rpulling ").append(name).append(": ");
    text.append(rate(progress.done(), progress.total())).append("\033[K\n");
    for (Layer layer : arriving) {
      double part = (double) layer.done() / layer.size();
      int filled = (int) (part * WIDTH);
      text.append(
          String.format(
              Locale.ROOT,
              "  %s [%s%s] %3.0f %% of %s\033[K\n",
              layer.digest().substring(7, 19),
              "=".repeat(filled),
              " ".repeat(WIDTH - filled),
              100 * part,
              Sizes.brief(layer.size())));
    }
    text.append("\033[J\033[?7h");
    drawn = arriving.size() + 1;
    io.err().print(text);
    io.err().flush();
  }

  private String rate(long done, long total) {
    double seconds = (nanoTime.getAsLong() - start) / 1e9;
    double speed = (done - first) / Math.max(seconds, 1e-3);
    String left =
        speed > 0 && done < total
            ? String.format(Locale.ROOT, ", %.0f s left", (total - done) / speed)
            : "";
    return String.format(
        Locale.ROOT,
        "%s of %s, %.0f %%, %s/s%s",
        Sizes.brief(done),
        Sizes.brief(total),
        total == 0 ? 100.0 : 100.0 * done / total,
        Sizes.brief((long) speed),
        left);
  }

  @Override
  public void close() {
    if (drawn > 0) {
      io.err().print("\033[" + drawn + "A\r\033[J");
      io.err().flush();
      drawn = 0;
    }
  }
}
