package dev.nautil.cli;

import dev.nautil.engine.LoadedModel;
import dev.nautil.internal.ContextParams;
import dev.nautil.internal.NativeContext;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Greedy continuations with their log-probabilities, as llama.cpp's server gives them. */
final class Completer implements AutoCloseable {
  /**
   * What is continued.
   *
   * @param predict how many tokens, never fewer
   * @param top how many of the most probable tokens are told at each step
   * @param force tokens that are fed in place of the first choices
   */
  record Request(int[] prompt, int predict, int top, int[] force) {}

  /** A token, and what was most probable in its place, with natural log-probabilities. */
  record Step(int id, float logprob, int[] topIds, float[] topLogprobs) {}

  record Completion(String text, int[] tokens, List<Step> steps) {}

  private static final byte[] LOGITS = {1};

  private final Tokenizer tokenizer;
  private final NativeContext context;
  private final int vocabulary;

  Completer(LoadedModel model, ContextParams params) {
    tokenizer = model.tokenizer();
    vocabulary = model.model().info().vocabularySize();
    context = model.newContext(params);
  }

  /**
   * A text's tokens as llama.cpp encodes a prompt: special tokens are recognised, and BOS and EOS
   * added as the model wants them.
   */
  static int[] encode(Tokenizer tokenizer, String text) {
    int[] ids = tokenizer.encode(PromptText.trusted(text));
    int before = tokenizer.addBos() ? 1 : 0;
    int after = tokenizer.addEos() ? 1 : 0;
    int[] all = new int[before + ids.length + after];
    System.arraycopy(ids, 0, all, before, ids.length);
    if (before > 0) {
      all[0] = tokenizer.bos();
    }
    if (after > 0) {
      all[all.length - 1] = tokenizer.eos();
    }
    return all;
  }

  int[] encode(String text) {
    return encode(tokenizer, text);
  }

  Completion complete(Request request) {
    check(request);
    int[] tokens = new int[request.predict];
    List<Step> steps = new ArrayList<>();
    context.truncate(0, 0);
    feed(request.prompt);
    for (int i = 0; i < tokens.length; i++) {
      if (i > 0) {
        feed(tokens[i - 1]);
      }
      Step step = step(request, i);
      steps.add(step);
      tokens[i] = step.id;
    }
    return new Completion(text(tokens), tokens, steps);
  }

  private void check(Request request) {
    if (request.prompt.length == 0) {
      throw new Failure("there is no token to continue");
    }
    checkIds(request.prompt);
    checkIds(request.force);
    // The last token predicted is not fed.
    long needed = (long) request.prompt.length + Math.max(0, request.predict - 1);
    int capacity = context.info().contextLength();
    if (needed > capacity) {
      throw new Failure(
          request.prompt.length
              + " tokens and "
              + request.predict
              + " predicted ones are more than the context of "
              + capacity);
    }
  }

  private void checkIds(int[] ids) {
    for (int id : ids) {
      if (id < 0 || id >= vocabulary) {
        throw new Failure("token " + id + " is not in the vocabulary of " + vocabulary);
      }
    }
  }

  /** Decodes tokens after those that are there, for the logits after the last one. */
  private void feed(int... tokens) {
    int start = context.sequenceLength(0);
    int[] positions = new int[tokens.length];
    Arrays.setAll(positions, i -> start + i);
    byte[] wantsLogits = LOGITS;
    if (tokens.length > 1) {
      wantsLogits = new byte[tokens.length];
      wantsLogits[tokens.length - 1] = 1;
    }
    context.decode(tokens, new int[tokens.length], positions, wantsLogits, null);
  }

  private Step step(Request request, int index) {
    int[] ids = new int[Math.min(vocabulary, Math.max(1, request.top))];
    float[] logprobs = new float[ids.length];
    context.topLogprobs(0, ids, logprobs);
    int id = ids[0];
    float logprob = logprobs[0];
    if (index < request.force.length) {
      id = request.force[index];
      logprob = context.tokenLogprobs(new int[] {0}, new int[] {id})[0];
    }
    int told = Math.min(request.top, ids.length);
    return new Step(id, logprob, Arrays.copyOf(ids, told), Arrays.copyOf(logprobs, told));
  }

  /** What the tokens add to the prompt's text: a space at their start stays. */
  private String text(int[] tokens) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    for (int id : tokens) {
      if (id < tokenizer.size() && !tokenizer.isControl(id)) {
        bytes.writeBytes(tokenizer.piece(id));
      }
    }
    return bytes.toString(StandardCharsets.UTF_8);
  }

  @Override
  public void close() {
    context.close();
  }
}
