package dev.nautil.cli;

import dev.nautil.ModelDescription;

/** What a user should know of the context, besides that it works. */
final class ContextNotes {
  private ContextNotes() {}

  /**
   * Such as "context 8192 tokens", and why it is less than the model's own where memory bounds it.
   */
  static String describe(ModelDescription model, int asked, int limit) {
    int size = model.contextSize();
    int trained = model.trainedContext();
    String all = size == trained ? "" : " of " + trained;
    return "context "
        + size
        + all
        + " tokens"
        + (isBoundByMemory(model, asked, limit) ? ", as memory allows" : "");
  }

  /**
   * Whether the user gets less than the model has.
   *
   * @param asked what --ctx-size said; 0: the model's own
   * @param limit tokens that the model's publisher chose at most
   */
  static boolean isBoundByMemory(ModelDescription model, int asked, int limit) {
    return asked == 0 && model.contextSize() < Math.min(limit, model.trainedContext());
  }

  /** Warns where more is asked for than a model was trained for. */
  static void warnIfBeyond(Io io, int asked, int trained) {
    if (asked > trained) {
      io.err()
          .printf(
              "(--ctx-size %d is beyond the %d tokens that the model was trained for: what it"
                  + " writes after those may make no sense)%n",
              asked, trained);
    }
  }
}
