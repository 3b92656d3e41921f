package dev.nautil.template;

import java.time.Clock;
import java.util.Objects;

/**
 * How one rendering is bounded, and what time it is.
 *
 * <p>A template comes out of a model file, so it is as trustworthy as whoever published the file.
 * Each limit ends a rendering with a {@link TemplateException}. The limits on steps, memory and
 * output grow with the context, since a long conversation is the caller's and not the template's.
 *
 * <p>Immutable and thread-safe.
 *
 * @param maxSteps operations (nodes evaluated, items visited, 256 characters searched) that a
 *     rendering may take, beyond one for every character of the context
 * @param maxDepth how deeply statements, expressions and macro calls may nest, roughly in stack
 *     frames
 * @param maxMemory bytes that strings and lists may take in sum over a rendering, collected or not,
 *     beyond 32 for every character of the context
 * @param maxOutput UTF-16 units that the prompt may hold, beyond 4 for every character of the
 *     context
 * @param clock what {@code strftime_now} reads
 */
public record RenderOptions(
    long maxSteps, int maxDepth, long maxMemory, long maxOutput, Clock clock) {
  private static final RenderOptions DEFAULTS =
      new RenderOptions(2_000_000, 2_000, 64L << 20, 16L << 20, Clock.systemDefaultZone());

  public RenderOptions {
    Objects.requireNonNull(clock, "clock");
    if (maxSteps < 1 || maxDepth < 1 || maxMemory < 1 || maxOutput < 1) {
      throw new IllegalArgumentException("limits must be positive");
    }
  }

  /** 2 million steps, depth 2,000, 64 MiB, 16 Mi characters of output, the system's clock. */
  public static RenderOptions defaults() {
    return DEFAULTS;
  }

  public RenderOptions withMaxSteps(long steps) {
    return new RenderOptions(steps, maxDepth, maxMemory, maxOutput, clock);
  }

  public RenderOptions withMaxDepth(int depth) {
    return new RenderOptions(maxSteps, depth, maxMemory, maxOutput, clock);
  }

  public RenderOptions withMaxMemory(long bytes) {
    return new RenderOptions(maxSteps, maxDepth, bytes, maxOutput, clock);
  }

  public RenderOptions withMaxOutput(long units) {
    return new RenderOptions(maxSteps, maxDepth, maxMemory, units, clock);
  }

  public RenderOptions withClock(Clock newClock) {
    return new RenderOptions(maxSteps, maxDepth, maxMemory, maxOutput, newClock);
  }
}
