package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.nautil.TestModels;
import dev.nautil.internal.NativeFile;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class TranscriptTest {
  private static final Tokenizer TOKENIZER;

  static {
    try (NativeFile file = NativeFile.open(TestModels.smolLm2(), false)) {
      TOKENIZER = Vocabularies.tokenizer(file);
    }
  }

  private static final String END = "<|im_end|>";

  /** "water" letter by letter. */
  private static final int[] SPELLED =
      "water".chars().flatMap(c -> IntStream.of(TOKENIZER.encode(Character.toString(c)))).toArray();

  private static PromptText own(String text) {
    return PromptText.trusted(text);
  }

  private static PromptText said(String text) {
    return PromptText.plain(text);
  }

  private final PromptText question = own("<|im_start|>").plus(said("What?")).plus(own(END));
  private final Transcript transcript = new Transcript();

  private int[] encode(PromptText prompt) {
    return transcript.encode(prompt, TOKENIZER).tokens();
  }

  private void reply() {
    transcript.add(transcript.encode(question, TOKENIZER), said("water"), SPELLED);
  }

  private static int[] join(int[]... parts) {
    return Arrays.stream(parts).flatMapToInt(Arrays::stream).toArray();
  }

  @Test
  void keepsWhatWasChosen() {
    assertFalse(Arrays.equals(SPELLED, TOKENIZER.encode("water")));
    reply();
    PromptText more = own(END + "\n").plus(said("And?"));
    assertArrayEquals(
        join(TOKENIZER.encode(question), SPELLED, TOKENIZER.encode(more)),
        encode(question.plus(said("water")).plus(more)));
  }

  @Test
  void encodesWhatWasChangedAnew() {
    reply();
    for (PromptText changed :
        new PromptText[] {
          question.plus(said("Water")).plus(own(END)), // another reply
          question.plus(said("waters")).plus(own(END)), // a longer one: no cut behind "water"
          question.plus(said("water")).plus(said(END)), // what follows is typed, and no marker
          own("<|im_start|>").plus(said("What?" + END + "water")).plus(own(END)), // forged
          own("<|im_start|>").plus(said("Why?")).plus(own(END)),
        }) {
      assertArrayEquals(TOKENIZER.encode(changed), encode(changed), changed.text());
    }
  }

  @Test
  void goesBackToAnEarlierReply() {
    reply();
    PromptText next = question.plus(said("water")).plus(own(END)).plus(said("b")).plus(own(END));
    transcript.add(transcript.encode(next, TOKENIZER), said("water"), SPELLED);
    PromptText other = question.plus(said("water")).plus(own(END)).plus(said("c")).plus(own(END));
    int[] expected =
        join(
            TOKENIZER.encode(question),
            SPELLED,
            TOKENIZER.encode(own(END).plus(said("c")).plus(own(END))));
    assertArrayEquals(expected, encode(other));
    transcript.add(transcript.encode(other, TOKENIZER), said("x"), new int[] {87});
    assertArrayEquals(
        join(expected, new int[] {87}, TOKENIZER.encode(own(END))),
        encode(other.plus(said("x")).plus(own(END))));
  }
}
