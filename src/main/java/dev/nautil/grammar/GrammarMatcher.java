package dev.nautil.grammar;

import java.io.ByteArrayOutputStream;
import java.util.Arrays;
import java.util.OptionalInt;

/**
 * Where one generation is in a grammar.
 *
 * <p>A token is allowed if its text can go on, to some end, what came so far. An end of generation
 * is allowed where the text so far is a whole one. Control tokens are allowed where the grammar
 * names them ({@link Rule.Token}).
 *
 * <p>Not thread-safe; matchers of the same grammar may be used by different threads.
 */
public final class GrammarMatcher {
  /** Bytes of a text that is forced, above which no more are looked at. */
  private static final int MAX_FORCED = 1 << 16;

  private final CompiledGrammar grammar;
  private Config config;
  private boolean ended;

  GrammarMatcher(CompiledGrammar grammar, Config config) {
    this.grammar = grammar;
    this.config = config;
  }

  /** A matcher at the same place, which goes its own way. */
  public GrammarMatcher copy() {
    GrammarMatcher copy = new GrammarMatcher(grammar, config);
    copy.ended = ended;
    return copy;
  }

  /** Words of a mask: a bit for each token of the vocabulary. */
  public int maskWords() {
    return (grammar.vocabulary().size() + 63) / 64;
  }

  /** Whether a token is allowed. */
  public boolean allows(int token) {
    check(token);
    if (ended) {
      return false;
    }
    return !grammar.next(config, token).isDead() || isEndHere(token);
  }

  /**
   * Goes past a token.
   *
   * @throws IllegalArgumentException if it is not allowed; the matcher stays where it is
   */
  public void accept(int token) {
    check(token);
    Config next = grammar.next(config, token);
    if (!ended && !next.isDead()) {
      config = next;
    } else if (!ended && isEndHere(token)) {
      ended = true;
    } else {
      throw new IllegalArgumentException("token " + token + " is not allowed by the grammar here");
    }
  }

  /**
   * Goes past text, which need not be whole characters, and gives true; or stays where it is and
   * gives false, if the text is not allowed.
   */
  public boolean accept(byte[] text) {
    Config next = grammar.next(config, text);
    if (ended || next.isDead()) {
      return false;
    }
    config = next;
    return true;
  }

  /** Whether the text so far is a whole one. */
  public boolean isComplete() {
    return config.isComplete;
  }

  /** Whether the text so far is a whole one, and nothing may follow. */
  public boolean mustEnd() {
    return ended || config.isComplete && config.nodes.length == 0;
  }

  /**
   * Sets the bits of the tokens that are allowed, and clears the others: token t is bit t mod 64 of
   * word t / 64.
   *
   * @param words at least {@link #maskWords}
   */
  public void mask(long[] words) {
    if (ended) {
      Arrays.fill(words, 0);
    } else {
      grammar.mask(config, words);
    }
  }

  /** The token that is the only one allowed, if there is such a one. */
  public OptionalInt forced() {
    long[] words = new long[maskWords()];
    mask(words);
    int token = -1;
    for (int i = 0; i < words.length; i++) {
      if (words[i] != 0) {
        if (token >= 0 || Long.bitCount(words[i]) > 1) {
          return OptionalInt.empty();
        }
        token = 64 * i + Long.numberOfTrailingZeros(words[i]);
      }
    }
    return token < 0 ? OptionalInt.empty() : OptionalInt.of(token);
  }

  /**
   * The text that must follow, whichever tokens it comes in: up to where there is a choice, or the
   * text may end. It need not be whole characters. Empty if there is none.
   */
  public byte[] forcedText() {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    Config at = config;
    while (!ended && !at.isComplete && text.size() < MAX_FORCED) {
      int b = grammar.onlyByte(at);
      if (b < 0) {
        break;
      }
      text.write(b);
      at = grammar.next(at, new byte[] {(byte) b});
    }
    return text.toByteArray();
  }

  private boolean isEndHere(int token) {
    return config.isComplete && grammar.vocabulary().isEnd(token);
  }

  private void check(int token) {
    if (token < 0 || token >= grammar.vocabulary().size()) {
      throw new IndexOutOfBoundsException("token " + token + " of " + grammar.vocabulary().size());
    }
  }
}
