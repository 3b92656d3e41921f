package dev.nautil.engine;

import dev.nautil.Sampling;
import java.util.function.IntPredicate;

/**
 * What a generation is to do.
 *
 * @param prompt token ids, one at least; not copied
 * @param seed of the draws
 * @param maxTokens ends it; {@link Integer#MAX_VALUE} for no limit
 * @param isEnd tells the tokens that end the reply
 */
public record GenerationRequest(
    int[] prompt, Sampling sampling, long seed, int maxTokens, IntPredicate isEnd) {}
