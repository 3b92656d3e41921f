package dev.nautil;

/** What becomes of a conversation that has no room left in the context. */
public enum ContextPolicy {
  /** The next turn fails with a {@link ContextFullException}, and changes nothing. */
  FAIL,

  /**
   * The oldest turns are forgotten, each whole: what the user said, the replies to it, and the
   * calls of tools with their results. The system prompt and the turn that begins stay. {@link
   * Event.TurnsDropped} tells how many turns went, and they are no longer in {@link
   * Session#history}.
   *
   * <p>Turns go before a reply that might not fit: if the prompt leaves less than a quarter of the
   * context, or less than {@link SessionOptions#maxTokens} if that is less. So many go that the
   * prompt takes no more than half of the context, since all that is after them must be read anew,
   * and is not to be with every turn. Where the turn that begins is longer than that by itself, all
   * before it goes; where it does not fit into the context at all, it fails as with {@link #FAIL}.
   *
   * <p>A reply that comes to the end of the context ends there, with {@link
   * FinishReason#CONTEXT_FULL}; the next turn makes room.
   */
  DROP_OLDEST_TURNS
}
