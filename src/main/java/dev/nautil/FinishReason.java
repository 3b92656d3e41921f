package dev.nautil;

/** Why a reply ended. */
public enum FinishReason {
  /** The model ended its turn. */
  STOP,
  /** The model calls tools that the caller is to run: {@link Reply#toolCalls()}. */
  TOOL_CALLS,
  /** One of {@link SessionOptions#stop()} came; the text ends before it. */
  STOP_STRING,
  /** {@link SessionOptions#maxTokens()} were generated. */
  MAX_TOKENS,
  /**
   * The context has no room for another token; the text so far is whole. What the next turn does is
   * up to {@link SessionOptions#contextPolicy()}.
   */
  CONTEXT_FULL,
  /** The caller closed the stream. */
  CANCELLED
}
