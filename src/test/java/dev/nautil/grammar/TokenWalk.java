package dev.nautil.grammar;

import dev.nautil.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.Random;
import java.util.stream.IntStream;

/** Writes texts as a model would that is as hot as can be: tokens, any that a mask allows. */
public final class TokenWalk {
  private final Random random;
  private final Tokenizer tokenizer = GrammarMatcherTest.tekken();
  private final GrammarVocabulary vocabulary = GrammarVocabulary.of(tokenizer);
  private final int[] ends;

  public TokenWalk(long seed) {
    random = new Random(seed);
    ends =
        IntStream.range(0, tokenizer.size())
            .filter(t -> tokenizer.isEndOfGeneration(t) || isEnd(tokenizer.piece(t)))
            .toArray();
  }

  private static boolean isEnd(byte[] piece) {
    return piece.length > 0 && new String(piece, StandardCharsets.UTF_8).matches("[\"\\]},: ]+");
  }

  /**
   * @param isFinished whether the model has ended it
   */
  public record Text(byte[] bytes, boolean isFinished) {}

  /** The grammar, made ready for texts of it. */
  public CompiledGrammar compile(Grammar grammar) {
    return new CompiledGrammar(grammar, vocabulary);
  }

  /** A text of so many tokens at most. */
  public Text next(CompiledGrammar grammar, int tokens) {
    GrammarMatcher matcher = grammar.newMatcher();
    long[] mask = new long[matcher.maskWords()];
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    for (int i = 0; i < tokens; i++) {
      matcher.mask(mask);
      int token = pick(mask);
      matcher.accept(token);
      if (tokenizer.isEndOfGeneration(token)) {
        return new Text(text.toByteArray(), true);
      }
      text.writeBytes(tokenizer.piece(token));
    }
    return new Text(text.toByteArray(), false);
  }

  /** Any, but those that end things more often than by chance. */
  private int pick(long[] mask) {
    if (random.nextInt(3) == 0) {
      int[] allowed = Arrays.stream(ends).filter(t -> (mask[t / 64] >> t & 1) != 0).toArray();
      if (allowed.length > 0) {
        return allowed[random.nextInt(allowed.length)];
      }
    }
    int skip = random.nextInt(Arrays.stream(mask).mapToInt(Long::bitCount).sum());
    int word = 0;
    while (skip >= Long.bitCount(mask[word])) {
      skip -= Long.bitCount(mask[word++]);
    }
    long left = mask[word];
    for (; skip > 0; skip--) {
      left &= left - 1;
    }
    return 64 * word + Long.numberOfTrailingZeros(left);
  }
}
