package dev.nautil.engine;

import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * What a model has read and said in a conversation, as text and as the tokens that it really was.
 *
 * <p>A reply can often be written in other tokens than the model chose. A later prompt has those
 * that it chose, wherever the reply stands in it, as long as it begins behind the same special
 * token as it did, in the same words, and a special token is behind it: there every tokenizer cuts,
 * so that the rest can be encoded by itself. That is so for each reply that nobody edits, in the
 * formats that put special tokens around replies. Elsewhere a prompt is encoded anew: a reply that
 * the format trims, as Mistral's does with spaces at its end, and text without a format.
 *
 * <p>Not thread-safe.
 */
public final class Transcript {
  /** A place: after so many characters and tokens. */
  private record Mark(int characters, int tokens) {}

  /** A prompt and its tokens. */
  public static final class Prompt {
    private final PromptText text;
    private final int[] tokens;

    /**
     * The start and the end of each reply whose tokens are those that the model chose, and the
     * start of the reply to come; a reply starts with the last special token before it.
     */
    private final List<Mark> marks;

    private Prompt(PromptText text, int[] tokens, List<Mark> marks) {
      this.text = text;
      this.tokens = tokens;
      this.marks = marks;
    }

    /** A prompt of nothing. */
    public static Prompt empty() {
      return new Prompt(PromptText.plain(""), new int[0], List.of(new Mark(0, 0)));
    }

    /** As they go to the model; not to be changed. */
    public int[] tokens() {
      return tokens;
    }

    /** The transcript up to the end of the last reply in it whose tokens the model chose. */
    public State known() {
      List<Mark> known = marks.subList(0, marks.size() - 1);
      Mark end = known.isEmpty() ? new Mark(0, 0) : known.get(known.size() - 1);
      return new State(
          text.to(end.characters),
          Arrays.copyOf(tokens, end.tokens),
          known.stream().mapToInt(Mark::characters).toArray(),
          known.stream().mapToInt(Mark::tokens).toArray());
    }
  }

  /**
   * A transcript as it is kept: after so many characters and tokens, a reply starts or ends.
   *
   * @param characterMarks ascending; of each reply the start and the end
   * @param tokenMarks ascending, as many
   */
  public record State(PromptText text, int[] tokens, int[] characterMarks, int[] tokenMarks) {
    /**
     * @throws IllegalArgumentException if the marks are none of this text and these tokens
     */
    public State {
      if (characterMarks.length != tokenMarks.length || tokenMarks.length % 2 != 0) {
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

  /** The start and the end of each reply. */
  private List<Mark> marks = List.of();

  private PromptText text = PromptText.plain("");
  private int[] tokens = {};

  public Transcript() {}

  /** A copy, which goes on by itself. */
  public Transcript(Transcript other) {
    marks = other.marks;
    text = other.text;
    tokens = other.tokens;
  }

  /** What was kept. */
  public Transcript(State state) {
    text = state.text;
    tokens = state.tokens;
    List<Mark> kept = new ArrayList<>();
    for (int i = 0; i < state.characterMarks.length; i++) {
      kept.add(new Mark(state.characterMarks[i], state.tokenMarks[i]));
    }
    marks = List.copyOf(kept);
  }

  /** The tokens of a prompt. */
  public Prompt encode(PromptText prompt, Tokenizer tokenizer) {
    return new Encoding(prompt, tokenizer).prompt();
  }

  /**
   * Notes what the model replied to a prompt.
   *
   * @param reply as a prompt has it that goes on from it
   */
  public void add(Prompt prompt, PromptText reply, int[] replyTokens) {
    text = prompt.text.plus(reply);
    tokens = Arrays.copyOf(prompt.tokens, prompt.tokens.length + replyTokens.length);
    System.arraycopy(replyTokens, 0, tokens, prompt.tokens.length, replyTokens.length);
    List<Mark> more = new ArrayList<>(prompt.marks);
    more.add(new Mark(text.text().length(), tokens.length));
    marks = List.copyOf(more);
  }

  /** A prompt being encoded. */
  private final class Encoding {
    private final PromptText prompt;
    private final Tokenizer tokenizer;

    /** Those of the transcript, and those of the prompt. */
    private final List<Tokenizer.Special> before;

    private final List<Tokenizer.Special> now;
    private final List<Mark> found = new ArrayList<>();
    private final List<int[]> ids = new ArrayList<>();

    /** So much is encoded. */
    private Mark done = new Mark(0, 0);

    Encoding(PromptText prompt, Tokenizer tokenizer) {
      this.prompt = prompt;
      this.tokenizer = tokenizer;
      before = marks.isEmpty() ? List.of() : tokenizer.specials(text);
      now = tokenizer.specials(prompt);
    }

    Prompt prompt() {
      int next = beginning();
      if (next == 0 && tokenizer.addBos() && !beginsWithBos()) {
        append(0, new int[] {tokenizer.bos()});
      }
      for (Tokenizer.Special special : now) {
        if (special.start() >= done.characters) {
          next = replyAt(special.start(), next);
        }
      }
      encodeUntil(now.isEmpty() ? 0 : now.get(now.size() - 1).start());
      found.add(done);
      encodeUntil(prompt.text().length());
      int[] all = ids.stream().flatMapToInt(Arrays::stream).toArray();
      return new Prompt(prompt, all, List.copyOf(found));
    }

    private boolean beginsWithBos() {
      return !now.isEmpty() && now.get(0).start() == 0 && now.get(0).id() == tokenizer.bos();
    }

    /**
     * Takes over the longest part of the transcript that the prompt begins with: how many marks.
     */
    private int beginning() {
      for (int i = marks.size(); i > 0; i -= 2) {
        Mark end = marks.get(i - 1);
        if (isAt(0, new Mark(0, 0), end)) {
          append(end.characters, Arrays.copyOf(tokens, end.tokens));
          found.addAll(marks.subList(0, i));
          return i;
        }
      }
      return 0;
    }

    /**
     * Takes over the reply that is at a place, if one is.
     *
     * @param next the mark from which on replies are looked for: they keep their order
     * @return the mark from which on the next is to be looked for
     */
    private int replyAt(int place, int next) {
      for (int i = next; i < marks.size(); i += 2) {
        Mark start = marks.get(i);
        Mark end = marks.get(i + 1);
        if (isAt(place, start, end)) {
          encodeUntil(place);
          found.add(done);
          append(
              place + end.characters - start.characters,
              Arrays.copyOfRange(tokens, start.tokens, end.tokens));
          found.add(done);
          return i + 2;
        }
      }
      return next;
    }

    /** Whether a part of the transcript stands at a place, with a special token behind it. */
    private boolean isAt(int place, Mark from, Mark to) {
      int length = to.characters - from.characters;
      return prompt.text().regionMatches(place, text.text(), from.characters, length)
          && now.stream().anyMatch(special -> special.start() == place + length)
          && within(now, place, length).equals(within(before, from.characters, length));
    }

    private static List<Tokenizer.Special> within(
        List<Tokenizer.Special> specials, int from, int length) {
      return specials.stream()
          .filter(special -> special.start() >= from && special.start() < from + length)
          .map(s -> new Tokenizer.Special(s.start() - from, s.end() - from, s.id()))
          .toList();
    }

    private void encodeUntil(int end) {
      append(end, tokenizer.encode(prompt.to(end).from(done.characters)));
    }

    private void append(int end, int[] more) {
      ids.add(more);
      done = new Mark(end, done.tokens + more.length);
    }
  }
}
