package dev.nautil.engine;

import dev.nautil.Sampling;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * What a generation is to do.
 *
 * @param prompt token ids, one at least; not copied
 * @param seed of the draws
 * @param maxTokens ends it; {@link Integer#MAX_VALUE} for no limit
 * @param isEnd tells the tokens that end the reply
 * @param conversation the same for all turns of one; refers to nothing
 * @param restored what it may go on from besides what this model computed; null for nothing
 */
public record GenerationRequest(
    int[] prompt,
    Sampling sampling,
    long seed,
    int maxTokens,
    IntPredicate isEnd,
    Object conversation,
    @Nullable RestoredKv restored) {}
