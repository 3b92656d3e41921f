package dev.nautil.grammar;

import org.jspecify.annotations.Nullable;

/**
 * The plain tokens (see {@link GrammarVocabulary}), or the others, that lead on from a place of an
 * intersection, within it.
 *
 * <p>Those of an open place ({@link Product.Place#open}) are found once and hold for all places
 * that differ from it in counts alone, but for tokens that come near to a bound: whatever the
 * length of a string so far, a token leads on if it does so by the string's pattern, and as many
 * characters more as its least length wants can be had where the pattern has a loop.
 */
final class PlaceTokens {
  /** Counted characters or rounds that are left beside those of a token, for them not to matter. */
  private static final int MIN_SLACK = 16;

  /**
   * Which tokens.
   *
   * @param isPlain whether the plain ones
   * @param isBelow whether for places below a least count
   */
  record Key(Product.Place open, boolean isPlain, boolean isBelow) {}

  private final Key key;
  private final TokenTrie trie;

  /** The tokens, but for {@link #withoutLoop}. */
  final long[] words;

  /** Those that lead to where no loop is near, if places are below a least count. */
  final IntStack withoutLoop = new IntStack();

  /**
   * The most of {@link Product.Place#toEnd()} where a token leads; below a least count, of {@link
   * Product.Place#toEndByLoop()} where one of {@link #words} does.
   */
  int toEnd;

  /**
   * Rounds that are left after any token where a place was taken for its relaxed one: for the text
   * that leads to an end, and as many characters more as are needed.
   */
  int slack = Integer.MAX_VALUE;

  private PlaceTokens(Key key, GrammarVocabulary vocabulary) {
    this.key = key;
    trie = part(key, vocabulary).trie();
    words = new long[(vocabulary.size() + 63) / 64];
  }

  private static GrammarVocabulary.Part part(Key key, GrammarVocabulary vocabulary) {
    return key.isPlain ? vocabulary.plain : vocabulary.other;
  }

  static PlaceTokens of(Key key, GrammarVocabulary vocabulary) {
    PlaceTokens tokens = new PlaceTokens(key, vocabulary);
    if (key.isPlain && tokens.leadOnAnyway()) {
      vocabulary.addPlain(GrammarVocabulary.LAST_LEVEL, tokens.words);
      return tokens;
    }
    tokens.walk(key.open, MIN_SLACK);
    if (tokens.toEnd > tokens.slack) {
      tokens = new PlaceTokens(key, vocabulary);
      tokens.walk(key.open, Integer.MAX_VALUE);
    }
    return tokens;
  }

  /** Whether any plain text leads on, and to a loop if that is wanted. */
  private boolean leadOnAnyway() {
    int far = key.open.plainToEnd();
    if (far >= 0 && key.isBelow) {
      for (Product.Place place : key.open.plainPlaces()) {
        if (place.toEndByLoop() < 0) {
          return false;
        }
        far = Math.max(far, place.toEndByLoop());
      }
    }
    toEnd = Math.max(far, 0);
    return far >= 0;
  }

  /**
   * @param minSlack below which places are not taken for their relaxed ones
   */
  private void walk(Product.Place from, int minSlack) {
    Product.Place[] path = new Product.Place[trie.maxDepth + 1];
    path[0] = from;
    for (int i = 0; i < trie.size; ) {
      int depth = trie.depth(i);
      Product.Place before = path[depth - 1];
      if (key.isPlain && before.loop != null && before.loop.covers(trie, i)) {
        add(i, trie.end(i), before);
        i = trie.end(i);
        continue;
      }
      Product.@Nullable Place at = before.next(trie.label(i));
      if (at == null) {
        i = trie.end(i);
        continue;
      }
      Product.Place relaxed = at.relaxed();
      int left = at.room() - trie.maxChars(i);
      if (relaxed != at && left >= minSlack) {
        slack = Math.min(slack, left);
        at = relaxed;
      }
      if (key.isPlain && at == before && at.loop == null && trie.end(i) - i > Loop.MIN_SUBTREE) {
        at.findLoop();
      }
      path[depth] = at;
      add(i, i + 1, at);
      i++;
    }
  }

  /** Adds the tokens of a range of nodes, which lead to a place. */
  private void add(int from, int to, Product.Place place) {
    int first = trie.firstToken(from);
    int last = trie.firstToken(to);
    if (first == last) {
      return;
    }
    int far = key.isBelow ? place.toEndByLoop() : place.toEnd();
    if (far < 0) {
      for (int t = first; t < last; t++) {
        withoutLoop.push(trie.tokens[t]);
      }
      return;
    }
    toEnd = Math.max(toEnd, far);
    for (int t = first; t < last; t++) {
      words[trie.tokens[t] / 64] |= 1L << trie.tokens[t];
    }
  }
}
