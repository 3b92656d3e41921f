package dev.nautil;

/**
 * How the hidden states of a text's tokens become one vector. A model of the llama family sees at
 * each token what is before it, and the last one has seen all.
 */
public enum Pooling {
  /** The mean of all tokens' states. */
  MEAN,

  /** The first token's state: of use where the model was trained for it. */
  FIRST,

  /** The last token's state. */
  LAST
}
