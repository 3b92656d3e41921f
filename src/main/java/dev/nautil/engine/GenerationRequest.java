package dev.nautil.engine;

import dev.nautil.internal.SamplingRow;
import java.util.function.IntPredicate;

/**
 * What a generation is to do.
 *
 * @param prompt token ids, one at least; not copied
 * @param sampling from {@link Samplers#row}; this generation's alone, since it remembers its tokens
 * @param logprobs how many alternatives are told with each token's log-probability; −1: neither
 * @param maxTokens ends it; {@link Integer#MAX_VALUE} for no limit
 * @param isEnd tells the tokens that end the reply
 */
public record GenerationRequest(
    int[] prompt, SamplingRow sampling, int logprobs, int maxTokens, IntPredicate isEnd) {}
