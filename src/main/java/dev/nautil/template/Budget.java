package dev.nautil.template;

/** What one rendering may still spend. Every operation whose cost can grow charges it first. */
class Budget {
  /** Characters that a search passes in the time of about one step. */
  private static final int SCAN_PER_STEP = 256;

  /** Characters that are looked at one by one in the time of about one step. */
  private static final int VISITS_PER_STEP = 8;

  /** Bytes to charge for an element of a list or an entry of a dict, with the boxed value. */
  private static final int ITEM = 16;

  private final RenderOptions options;
  private long stepsLeft;
  private long memoryLeft;
  private int depth;

  Budget(RenderOptions options) {
    this.options = options;
    this.stepsLeft = options.maxSteps();
    this.memoryLeft = options.maxMemory();
  }

  /** Adds the allowance for a context of so many characters. */
  void allowFor(long contextChars) {
    stepsLeft += contextChars;
    memoryLeft += 32 * contextChars;
  }

  final RenderOptions options() {
    return options;
  }

  final void step() {
    if (--stepsLeft < 0) {
      throw tooManySteps();
    }
  }

  final void steps(long n) {
    if ((stepsLeft -= n) < 0) {
      throw tooManySteps();
    }
  }

  /** Charges reading so many characters. */
  final void scan(long chars) {
    steps(1 + chars / SCAN_PER_STEP);
  }

  /** Charges looking at each of so many characters. */
  final void visit(long chars) {
    steps(1 + chars / VISITS_PER_STEP);
  }

  /** Charges a string of so many UTF-16 units. */
  final void string(long chars) {
    if ((memoryLeft -= chars) < 0 || chars < 0) {
      throw new Fail(
          "strings and lists take more than " + options.maxMemory() + " bytes: memory limit");
    }
  }

  /** Charges a list of so many elements. */
  final void items(long n) {
    if (n > Integer.MAX_VALUE || n < 0) {
      string(Long.MAX_VALUE);
    }
    string(n * ITEM);
    steps(n / 4);
  }

  final void enter(int frames) {
    if ((depth += frames) > options.maxDepth()) {
      throw new Fail("nested more than " + options.maxDepth() + " deep: depth limit");
    }
  }

  final void leave(int frames) {
    depth -= frames;
  }

  private Fail tooManySteps() {
    return new Fail("more than " + options.maxSteps() + " steps: step limit");
  }
}
