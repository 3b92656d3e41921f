package dev.nautil.engine;

/** Where the signals of a generation come from. */
public interface SignalSource {
  /** Waits for the next signal. */
  Generation.Signal take() throws InterruptedException;

  /** Ends the generation soon, with a signal; does nothing once it has ended. */
  void cancel();
}
