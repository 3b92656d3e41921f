package dev.nautil.engine;

import dev.nautil.Sampling;
import dev.nautil.internal.SamplingRow;

/** What generations of tests are to do. */
final class TestRequests {
  private TestRequests() {}

  /** The most probable tokens after a prompt, up to a number of them. */
  static GenerationRequest greedy(int[] prompt, int tokens) {
    SamplingRow sampling = new SamplingRow(Sampling.greedy(), 0, prompt, null, new int[0]);
    return new GenerationRequest(prompt, sampling, -1, null, tokens, token -> false);
  }
}
