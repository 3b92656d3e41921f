package dev.nautil;

import java.time.Duration;

/**
 * How long a reply took.
 *
 * @param queued until the model had a place for it
 * @param prompt to read the prompt's tokens that were not cached
 * @param reply to generate the tokens after the first
 */
public record Timings(Duration queued, Duration prompt, Duration reply) {
  Timings plus(Timings other) {
    return new Timings(
        queued.plus(other.queued), prompt.plus(other.prompt), reply.plus(other.reply));
  }
}
