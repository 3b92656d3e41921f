package dev.nautil.engine;

import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a model has read and said in a conversation, as text and as the tokens that it really was.
 *
 * <p>A reply can often be written in other tokens than the model chose, so that encoding a
 * conversation anew would give a prompt that the KV cache holds only up to there. So a prompt takes
 * the tokens of the longest part of it that ends with a reply and has not been changed, and only
 * the rest is encoded. That is exact where the rest begins with a special token, at which every
 * tokenizer cuts; elsewhere, as where a format moves the system prompt or trims a reply, all is
 * encoded.
 *
 * <p>Not thread-safe.
 */
public final class Transcript {
  /** So many characters and tokens end with a reply. */
  private record Mark(int characters, int tokens) {}

  /**
   * A prompt and its tokens.
   *
   * @param marks of the transcript that it goes on from
   */
  public record Prompt(PromptText text, int[] tokens, int marks) {}

  /**
   * A transcript as it is kept: after so many characters and tokens, a reply ended.
   *
   * @param characterMarks ascending
   * @param tokenMarks ascending, as many
   */
  public record State(PromptText text, int[] tokens, int[] characterMarks, int[] tokenMarks) {
    /**
     * @throws IllegalArgumentException if the marks are none of this text and these tokens
     */
    public State {
      if (characterMarks.length != tokenMarks.length) {
        throw new IllegalArgumentException("a mark without a place");
      }
      requireAscending(characterMarks, text.text().length());
      requireAscending(tokenMarks, tokens.length);
    }

    private static void requireAscending(int[] marks, int last) {
      int previous = 0;
      for (int mark : marks) {
        if (mark < previous || mark > last) {
          throw new IllegalArgumentException(
              "the mark " + mark + " is not between " + previous + " and " + last);
        }
        previous = mark;
      }
    }
  }

  private final List<Mark> marks = new ArrayList<>();
  private PromptText text = PromptText.plain("");
  private int[] tokens = {};

  public Transcript() {}

  /** A copy, which goes on by itself. */
  public Transcript(Transcript other) {
    marks.addAll(other.marks);
    text = other.text;
    tokens = other.tokens;
  }

  /** What was kept. */
  public Transcript(State state) {
    text = state.text;
    tokens = state.tokens;
    for (int i = 0; i < state.characterMarks.length; i++) {
      marks.add(new Mark(state.characterMarks[i], state.tokenMarks[i]));
    }
  }

  /** As much of this as a prompt, which was encoded last, goes on from. */
  public State upTo(Prompt prompt) {
    List<Mark> kept = marks.subList(0, prompt.marks);
    Mark end = kept.isEmpty() ? new Mark(0, 0) : kept.get(kept.size() - 1);
    return new State(
        text.to(end.characters),
        Arrays.copyOf(tokens, end.tokens),
        kept.stream().mapToInt(Mark::characters).toArray(),
        kept.stream().mapToInt(Mark::tokens).toArray());
  }

  /** The tokens of a prompt. */
  public Prompt encode(PromptText prompt, Tokenizer tokenizer) {
    int known = lastMark(prompt, tokenizer);
    if (known < 0) {
      return new Prompt(prompt, ChatFormat.withBos(tokenizer, tokenizer.encode(prompt)), 0);
    }
    Mark mark = marks.get(known);
    return new Prompt(
        prompt,
        concatenated(tokens, mark.tokens, tokenizer.encode(prompt.from(mark.characters))),
        known + 1);
  }

  /**
   * Notes what the model replied to the prompt that was encoded last.
   *
   * @param reply as a prompt has it that goes on from it
   */
  public void add(Prompt prompt, PromptText reply, int[] replyTokens) {
    marks.subList(prompt.marks, marks.size()).clear();
    text = prompt.text.plus(reply);
    tokens = concatenated(prompt.tokens, prompt.tokens.length, replyTokens);
    marks.add(new Mark(text.text().length(), tokens.length));
  }

  private static int[] concatenated(int[] first, int n, int[] second) {
    int[] all = Arrays.copyOf(first, n + second.length);
    System.arraycopy(second, 0, all, n, second.length);
    return all;
  }

  /** The last mark up to which a prompt is the same, with the same special tokens; −1 for none. */
  private int lastMark(PromptText prompt, Tokenizer tokenizer) {
    if (marks.isEmpty()) {
      return -1;
    }
    List<Tokenizer.Special> before = tokenizer.specials(text);
    List<Tokenizer.Special> now = tokenizer.specials(prompt);
    for (int i = marks.size() - 1; i >= 0; i--) {
      int length = marks.get(i).characters;
      boolean same = prompt.text().regionMatches(0, text.text(), 0, length);
      if (same && until(length, now).equals(until(length, before)) && begins(length, now)) {
        return i;
      }
    }
    return -1;
  }

  private static List<Tokenizer.Special> until(int end, List<Tokenizer.Special> specials) {
    return specials.stream().takeWhile(s -> s.start() < end).toList();
  }

  private static boolean begins(int at, List<Tokenizer.Special> specials) {
    return specials.stream().anyMatch(s -> s.start() == at);
  }
}
