package dev.nautil.grammar;

/** A state of a frame's automaton. Set up by {@link Determinizer} and {@link GrammarCompiler}. */
final class State {
  static final int[] NONE = {};

  final Frame frame;

  /** First byte, last byte, number of the target: one edge after another. */
  int[] bytes = NONE;

  /** Frame, number of the target: one edge after another. */
  int[] calls = NONE;

  /** Token, number of the target: one edge after another. */
  int[] tokens = NONE;

  /** What may have ended here: of {@link Frame.Kind#MEMBERS}, which member; else 0. */
  int[] tags = NONE;

  /**
   * The fewest bytes from here to where the frame accepts, or its round or member does: at least so
   * many, where other frames are called.
   */
  int leastToAccept;

  /** The first byte of a text of so few, or −1 if that is one of a frame that is called. */
  int wayByte = -1;

  /** The frame's states, which the numbers of targets are of. */
  State[] peers = {};

  /** Of {@link Frame.Kind#MEMBERS}: the members that may end at a state that this one leads to. */
  long[] reachable = {};

  /**
   * For at least how many plain characters (see {@link GrammarVocabulary}) every text of them leads
   * on from here, within the frame and one round of it.
   */
  int plainCapacity;

  /** Of {@link Frame.Kind#MEMBERS}: the same where additional members may come. */
  int additionalCapacity;

  State(Frame frame) {
    this.frame = frame;
  }

  boolean isAccepting() {
    return tags.length > 0;
  }

  /** Whether a byte or a token leads on from here. */
  boolean isActive() {
    return bytes.length > 0 || tokens.length > 0 || frame.kind == Frame.Kind.INTERSECTION;
  }

  /** Whether all there is to do here is to return to who called the frame. */
  boolean onlyReturns() {
    return frame.kind == Frame.Kind.RULE && isAccepting() && !isActive() && calls.length == 0;
  }
}
