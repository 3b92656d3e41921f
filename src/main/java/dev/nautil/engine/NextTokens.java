package dev.nautil.engine;

import dev.nautil.FinishReason;
import dev.nautil.grammar.GrammarMatcher;
import dev.nautil.internal.NativeContext;
import dev.nautil.internal.SamplingBatch;
import java.nio.LongBuffer;
import java.util.List;
import java.util.concurrent.Executor;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/**
 * Draws the next tokens of the generations that have a row of a step's logits. The engine thread's
 * alone.
 */
final class NextTokens {
  private final NativeContext context;
  private final SamplingBatch batch;
  private final Masks masks;
  private final BiConsumer<Generation, FinishReason> end;
  private final BiConsumer<Generation, Throwable> fail;

  /**
   * @param places generations of a step at most
   * @param maskWorkers compute masks
   * @param end what becomes of generations that come to an end
   * @param fail what becomes of those that cannot go on
   */
  NextTokens(
      NativeContext context,
      int places,
      Executor maskWorkers,
      BiConsumer<Generation, FinishReason> end,
      BiConsumer<Generation, Throwable> fail) {
    this.context = context;
    this.end = end;
    this.fail = fail;
    batch = new SamplingBatch(places);
    masks = new Masks(context.maskWords(), maskWorkers);
  }

  /** Begins to compute which tokens may come, while the step is decoded. */
  void prepare(List<Generation> active) {
    withRow(active).forEach(masks::begin);
  }

  /** Gives each generation that has a row of logits its next token. */
  void draw(List<Generation> active) {
    List<Generation> drawn = withRow(active);
    if (!drawn.isEmpty()) {
      drawTogether(drawn);
    }
  }

  private static List<Generation> withRow(List<Generation> active) {
    return active.stream().filter(generation -> generation.row >= 0).toList();
  }

  /** A row that cannot be sampled, or a token that cannot be, ends its generation alone. */
  private void drawTogether(List<Generation> drawn) {
    int[] tokens;
    @Nullable Logprobs[] logprobs = new Logprobs[drawn.size()];
    try {
      tokens = sample(drawn, logprobs);
    } catch (Masks.Failed e) {
      fail.accept(e.generation, e.getCause());
      draw(drawn.stream().filter(generation -> generation != e.generation).toList());
      return;
    } catch (RuntimeException | OutOfMemoryError e) {
      if (drawn.size() == 1) {
        fail.accept(drawn.get(0), e);
      } else {
        drawn.forEach(generation -> drawTogether(List.of(generation)));
      }
      return;
    }
    for (int i = 0; i < tokens.length; i++) {
      try {
        take(drawn.get(i), tokens[i], logprobs[i]);
      } catch (RuntimeException | Error e) {
        fail.accept(drawn.get(i), e);
      }
    }
  }

  private int[] sample(List<Generation> drawn, @Nullable Logprobs[] logprobs) throws Masks.Failed {
    LongBuffer allowed = masks.join(drawn);
    int[] rows = new int[drawn.size()];
    for (int i = 0; i < rows.length; i++) {
      Generation generation = drawn.get(i);
      GenerationRequest request = generation.request;
      rows[i] = generation.row;
      batch.set(i, request.sampling(), request.prompt().length + (long) generation.generated);
    }
    int[] tokens = context.sample(rows, batch, allowed);
    for (int i = 0; i < rows.length; i++) {
      int alternatives = drawn.get(i).request.logprobs();
      logprobs[i] =
          alternatives < 0 ? null : Logprobs.of(context, rows[i], tokens[i], alternatives);
    }
    return tokens;
  }

  private void take(Generation generation, int token, @Nullable Logprobs logprobs) {
    if (generation.request.isEnd().test(token)) {
      end.accept(generation, FinishReason.STOP);
      return;
    }
    generation.nextToken = token;
    generation.generated++;
    generation.request.sampling().append(token);
    generation.put(new Generation.Signal.Token(token, logprobs));
    GrammarMatcher matcher = generation.request.matcher();
    if (matcher != null) {
      generation.mask = null;
      matcher.accept(token);
      if (matcher.mustEnd()) {
        end.accept(generation, FinishReason.STOP);
        return;
      }
    }
    if (generation.generated >= generation.request.maxTokens()) {
      end.accept(generation, FinishReason.MAX_TOKENS);
    }
  }
}
