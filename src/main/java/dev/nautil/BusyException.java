package dev.nautil;

/**
 * The model has as much to do as it may accept: every place is taken, and as many requests wait as
 * {@link ModelOptions#maxWaiting} allows. Nothing was begun; the same request can be made again.
 */
public class BusyException extends NautilException {
  private static final long serialVersionUID = 1;

  private final int waiting;
  private final int limit;

  /**
   * @param waiting requests that wait already
   * @param limit that may wait
   */
  public BusyException(int waiting, int limit) {
    super(
        "the model is busy: "
            + waiting
            + " requests wait, and "
            + limit
            + " may (ModelOptions.maxWaiting); try again later");
    this.waiting = waiting;
    this.limit = limit;
  }

  /** Requests that wait already. */
  public int waiting() {
    return waiting;
  }

  /** Requests that may wait. */
  public int limit() {
    return limit;
  }
}
