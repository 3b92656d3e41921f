package dev.nautil.store;

import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class PullSpeedTest {
  private static final int MEGABYTES = Integer.getInteger("nautil.test.pullMegabytes", 128);
  private static final int ROUNDS = Integer.getInteger("nautil.test.pullRounds", 5);
  private static final double LEAST = 0.6;

  @TempDir Path folder;

  @Test
  void besideCurl() throws Exception {
    try (Origin origin = new Origin(folder)) {
      double ratio = new PullSpeed(folder, origin).ratio(MEGABYTES, ROUNDS);
      assertTrue(ratio >= LEAST, "the ratio is " + ratio);
    }
  }
}
