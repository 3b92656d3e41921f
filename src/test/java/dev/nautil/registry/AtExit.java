package dev.nautil.registry;

import java.util.Deque;
import java.util.concurrent.ConcurrentLinkedDeque;

/** What is closed if the JVM ends before its owner closes it; the last opened goes first. */
final class AtExit {
  private static final Deque<AutoCloseable> OPEN = new ConcurrentLinkedDeque<>();

  static {
    Runtime.getRuntime().addShutdownHook(new Thread(AtExit::closeAll, "at-exit"));
  }

  private AtExit() {}

  static void add(AutoCloseable opened) {
    OPEN.push(opened);
  }

  static void remove(AutoCloseable closed) {
    OPEN.remove(closed);
  }

  private static void closeAll() {
    for (AutoCloseable each : OPEN) {
      try {
        each.close();
      } catch (Exception e) {
        // The others are to be closed all the same.
        e.printStackTrace();
      }
    }
  }
}
