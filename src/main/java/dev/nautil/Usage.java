package dev.nautil;

/**
 * What a reply cost, in tokens.
 *
 * @param promptTokens the whole conversation as it was given to the model
 * @param cachedTokens how many of them were still in the KV cache, and so cost nothing
 * @param replyTokens generated
 */
public record Usage(int promptTokens, int cachedTokens, int replyTokens) {
  Usage plus(Usage other) {
    return new Usage(
        promptTokens + other.promptTokens,
        cachedTokens + other.cachedTokens,
        replyTokens + other.replyTokens);
  }
}
