package dev.nautil.engine;

import dev.nautil.grammar.GrammarMatcher;
import dev.nautil.internal.SamplingRow;
import java.util.function.IntPredicate;
import org.jspecify.annotations.Nullable;

/**
 * What a generation is to do.
 *
 * @param prompt token ids, one at least; not copied
 * @param sampling from {@link Samplers#row}; this generation's alone, since it remembers its tokens
 * @param logprobs how many alternatives are told with each token's log-probability; −1: neither
 * @param matcher of the grammar that the reply is held to, this generation's alone; null for none
 * @param maxTokens ends it; {@link Integer#MAX_VALUE} for no limit
 * @param isEnd tells the tokens that end the reply
 * @param conversation the same for all turns of one; refers to nothing
 * @param restored what it may go on from besides what this model computed; null for nothing
 * @param goesOn whether it is a part of a turn that was begun, so that it may wait though others
 *     may not: what tools did in the turn cannot be taken back
 */
public record GenerationRequest(
    int[] prompt,
    SamplingRow sampling,
    int logprobs,
    @Nullable GrammarMatcher matcher,
    int maxTokens,
    IntPredicate isEnd,
    Object conversation,
    @Nullable RestoredKv restored,
    boolean goesOn) {

  /** Of a conversation of its own. */
  GenerationRequest(
      int[] prompt,
      SamplingRow sampling,
      int logprobs,
      @Nullable GrammarMatcher matcher,
      int maxTokens,
      IntPredicate isEnd) {
    this(prompt, sampling, logprobs, matcher, maxTokens, isEnd, new Object(), null, false);
  }
}
