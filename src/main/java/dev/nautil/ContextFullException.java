package dev.nautil;

/** The KV cache has no room for the tokens that a call wanted to add; nothing was added. */
public class ContextFullException extends NautilException {
  private static final long serialVersionUID = 1;

  private final long used;
  private final long wanted;
  private final long capacity;

  /**
   * @param used tokens held when the call was made
   * @param wanted tokens that the call wanted to add
   * @param capacity tokens that fit
   */
  public ContextFullException(String message, long used, long wanted, long capacity) {
    super(message);
    this.used = used;
    this.wanted = wanted;
    this.capacity = capacity;
  }

  /** Tokens held when the call was made. */
  public long used() {
    return used;
  }

  /** Tokens that the call wanted to add. */
  public long wanted() {
    return wanted;
  }

  /** Tokens that fit. */
  public long capacity() {
    return capacity;
  }
}
