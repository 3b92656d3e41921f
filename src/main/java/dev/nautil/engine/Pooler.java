package dev.nautil.engine;

import dev.nautil.Pooling;
import dev.nautil.internal.NativeContext;
import java.util.Arrays;

/**
 * The hidden states of a text's tokens on their way to one vector. They are summed in double
 * precision, in the order of the text, whatever steps they come in. The engine thread's alone.
 */
final class Pooler {
  private final Pooling pooling;
  private final int tokens;
  private double[] sum = {};
  private int pooled;

  // Of the current step, one after the other: a generation's tokens follow each other in a batch.
  private int firstRow;
  private int rows;

  /**
   * @param tokens of the text
   */
  Pooler(Pooling pooling, int tokens) {
    this.pooling = pooling;
    this.tokens = tokens;
  }

  boolean wants(int token) {
    return switch (pooling) {
      case MEAN -> true;
      case FIRST -> token == 0;
      case LAST -> token == tokens - 1;
    };
  }

  void clearRows() {
    rows = 0;
  }

  /** Begins anew. */
  void clear() {
    Arrays.fill(sum, 0);
    pooled = 0;
  }

  /** The hidden state in this row of the step's is of this text. */
  void addRow(int row) {
    if (rows == 0) {
      firstRow = row;
    }
    rows++;
  }

  /** Takes in the rows of the step that was decoded. */
  void pool(NativeContext context) {
    if (sum.length == 0) {
      sum = new double[context.embeddingLength()];
    }
    if (rows > 0) {
      context.addHidden(firstRow, rows, sum);
      pooled += rows;
    }
  }

  /** The mean of all states that were wanted, which may be one. */
  double[] result() {
    for (int i = 0; i < sum.length; i++) {
      sum[i] /= pooled;
    }
    return sum;
  }
}
