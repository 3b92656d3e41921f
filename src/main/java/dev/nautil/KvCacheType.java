package dev.nautil;

/** How a model's keys and values are kept: the memory that each token of a conversation takes. */
public enum KvCacheType {
  /** Two bytes a value: the default. */
  F16("f16"),

  /**
   * Signed bytes, with a scale for every 32: 17/32 of the memory of {@link #F16}. Where nothing
   * else is quantised, SmolLM2's log-probabilities over a page of English differ from those with
   * {@link #F16} by 0.023 nats on average; the 8-bit activations that models run with differ by
   * 0.09 from exact ones, with either type. For models whose heads are multiples of 32 values wide;
   * others cannot be opened with it.
   */
  Q8_0("q8_0");

  private final String label;

  KvCacheType(String label) {
    this.label = label;
  }

  /** As the command line takes it, such as "q8_0". */
  public String label() {
    return label;
  }
}
