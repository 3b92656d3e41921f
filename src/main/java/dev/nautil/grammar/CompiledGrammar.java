package dev.nautil.grammar;

import dev.nautil.GrammarException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * A grammar made ready to hold a model's replies to it. Generations that use the same one share
 * what it has learnt: the steps from one place in the grammar to another, and masks.
 *
 * <p>Thread-safe.
 */
public final class CompiledGrammar {
  /** Masks that are kept: 16 KiB each at 131,072 tokens. */
  private static final int MAX_MASKS = 256;

  /** Places of which the tokens are kept: 16 KiB each, and those of no loop. */
  private static final int MAX_PLACES = 256;

  /** Tokens that lead to no loop, above which it is quicker to follow all tokens together. */
  private static final int MAX_WITHOUT_LOOP = 4096;

  private final GrammarVocabulary vocabulary;
  private final Machine machine;
  private final Config[] path;

  /**
   * @param toEnd the most of {@link Config#toEnd} where a token leads
   */
  private record Mask(long[] words, int toEnd) {}

  private final Map<Config, Mask> masks = lastUsed(MAX_MASKS);
  private final Map<PlaceTokens.Key, PlaceTokens> tokensOfPlaces = lastUsed(MAX_PLACES);

  private static <K, V> Map<K, V> lastUsed(int most) {
    return new LinkedHashMap<>(16, 0.75f, true) {
      private static final long serialVersionUID = 1;

      @Override
      protected boolean removeEldestEntry(Map.Entry<K, V> eldest) {
        return size() > most;
      }
    };
  }

  /**
   * Compiles a grammar.
   *
   * @throws GrammarException if it matches no text, refers to a rule that is missing, or is too
   *     large; the message names the rule
   */
  public CompiledGrammar(Grammar grammar, GrammarVocabulary vocabulary) {
    this.vocabulary = vocabulary;
    machine = new Machine(GrammarCompiler.compile(grammar));
    path = new Config[vocabulary.longest() + 1];
  }

  /** A matcher at the start of a text. */
  public GrammarMatcher newMatcher() {
    return new GrammarMatcher(this, machine.initial());
  }

  GrammarVocabulary vocabulary() {
    return vocabulary;
  }

  /** What follows after a token; dead if it may not come. */
  synchronized Config next(Config config, int token) {
    Config named = machine.nextToken(config, token);
    if (vocabulary.isControl(token)) {
      return named;
    }
    Config spelled = next(config, vocabulary.text(token));
    return named.isDead() ? spelled : machine.union(named, spelled);
  }

  /** What follows after bytes; dead if they may not come. */
  synchronized Config next(Config config, byte[] text) {
    Config at = config;
    for (int i = 0; i < text.length && !at.isDead(); i++) {
      at = machine.next(at, text[i] & 0xff);
    }
    return at;
  }

  /** The only byte that may come, or −1 if there are several, or none. */
  synchronized int onlyByte(Config config) {
    int only = -1;
    for (int b = 0; b < 256; b++) {
      if (!machine.next(config, b).isDead()) {
        if (only >= 0) {
          return -1;
        }
        only = b;
      }
    }
    return only;
  }

  /** Sets the bits of the tokens that may come, and clears the others. */
  synchronized void mask(Config config, long[] words) {
    long[] known = mask(config).words;
    System.arraycopy(known, 0, words, 0, known.length);
    Arrays.fill(words, known.length, words.length, 0);
  }

  private Mask mask(Config config) {
    Mask mask = masks.get(config);
    if (mask == null) {
      mask = newMask(config);
      masks.put(config, mask);
    }
    return mask;
  }

  private Mask newMask(Config config) {
    long[] words = new long[(vocabulary.size() + 63) / 64];
    int level = -1;
    int toEnd = 0;
    Config relaxed = config.isBelow() ? config : machine.relaxed(config);
    if (!relaxed.equals(config)) {
      Mask other = mask(relaxed);
      toEnd = other.toEnd;
      level = vocabulary.level(config.room - toEnd);
      if (level == GrammarVocabulary.LAST_LEVEL) {
        return other;
      }
      if (level >= 0) {
        vocabulary.addAllowed(level, other.words, words);
      }
    }
    int plainLevel = Math.max(level, vocabulary.level(config.plainCapacity()));
    toEnd = Math.max(toEnd, config.plainToEnd());
    if (plainLevel > level) {
      vocabulary.addPlain(plainLevel, words);
    }
    int plainChars = GrammarVocabulary.charsOfLevel(plainLevel);
    int otherChars = GrammarVocabulary.charsOfLevel(level);
    toEnd = Math.max(toEnd, walk(vocabulary.plain, config, words, plainChars));
    toEnd = Math.max(toEnd, walk(vocabulary.other, config, words, otherChars));
    addNamed(config, words);
    return new Mask(words, toEnd);
  }

  /**
   * Allows the tokens of a part that may come.
   *
   * @param known characters up to which tokens are allowed already, or known not to be
   * @return the most of {@link Config#toEnd} on the way
   */
  private int walk(GrammarVocabulary.Part part, Config config, long[] words, int known) {
    if (!config.isInIntersection) {
      return walk(part.trie(), config, words, known);
    }
    int toEnd = 0;
    List<Node> others = new ArrayList<>();
    for (Node node : config.nodes) {
      if (node.data instanceof Product.Place place && staysWithin(part, place, node)) {
        toEnd = Math.max(toEnd, walkPlace(part, config, node, place, words, known));
      } else {
        others.add(node);
      }
    }
    return others.isEmpty()
        ? toEnd
        : Math.max(toEnd, walk(part.trie(), machine.part(config, others), words, known));
  }

  /** Whether no token of a part, or none of few bytes, leads out of an intersection. */
  private boolean staysWithin(GrammarVocabulary.Part part, Product.Place place, Node node) {
    return part.isPlain() ? !machine.plainFollows(node.returns) : place.need() > 0;
  }

  /** Allows the tokens of a part that lead on from a place, within its intersection. */
  private int walkPlace(
      GrammarVocabulary.Part part,
      Config config,
      Node node,
      Product.Place place,
      long[] words,
      int known) {
    boolean isBelow = place.need() > 0;
    PlaceTokens.Key key = new PlaceTokens.Key(place.open(), part.isPlain(), isBelow);
    PlaceTokens tokens = tokensOfPlaces.computeIfAbsent(key, k -> PlaceTokens.of(k, vocabulary));
    int most = place.openChars(tokens.toEnd);
    if (!part.isPlain()) {
      most = Math.min(most, place.need() - 1);
    }
    boolean isTooFar = isBelow && place.need() + tokens.toEnd > tokens.slack;
    if (isTooFar || tokens.withoutLoop.size() > MAX_WITHOUT_LOOP) {
      most = 0;
    }
    int level = vocabulary.level(most);
    int chars = GrammarVocabulary.charsOfLevel(level);
    int toEnd = place.need() + tokens.toEnd;
    if (chars > known) {
      part.add(level, tokens.words, words);
      for (int i = 0; i < tokens.withoutLoop.size(); i++) {
        int token = tokens.withoutLoop.get(i);
        int end = toEnd(place, token);
        if (end >= 0 && part.has(level, token)) {
          toEnd = Math.max(toEnd, end);
          words[token / 64] |= 1L << token;
        }
      }
    }
    boolean isAll = part.isPlain() && chars >= place.plainRoom();
    if (isAll || level == GrammarVocabulary.LAST_LEVEL) {
      return toEnd;
    }
    Config only = machine.part(config, List.of(node));
    return Math.max(toEnd, walk(part.trie(), only, words, Math.max(known, chars)));
  }

  /** As {@link Product.Place#toEnd()}, of where a token leads; negative if it may not come. */
  private int toEnd(Product.Place from, int token) {
    Product.@Nullable Place at = from;
    for (byte b : vocabulary.text(token)) {
      at = at == null ? null : at.next(b & 0xff);
    }
    return at == null ? -1 : at.toEnd();
  }

  /** Allows the tokens that stand for themselves. */
  private void addNamed(Config config, long[] words) {
    for (Node node : config.nodes) {
      int[] edges = node.state.tokens;
      for (int e = 0; e < edges.length; e += 2) {
        if (edges[e] < vocabulary.size()) {
          words[edges[e] / 64] |= 1L << edges[e];
        }
      }
    }
    if (config.isComplete) {
      for (int end : vocabulary.ends) {
        words[end / 64] |= 1L << end;
      }
    }
  }

  /**
   * Allows the tokens of a trie that may come.
   *
   * @param known characters up to which tokens are allowed already, or known not to be
   * @return the most of {@link Config#toEnd} on the way
   */
  private int walk(TokenTrie trie, Config from, long[] words, int known) {
    int toEnd = from.toEnd;
    boolean isPlain = trie == vocabulary.plain.trie();
    path[0] = from;
    for (int i = 0; i < trie.size; ) {
      if (trie.maxChars(i) <= known) {
        i = trie.end(i);
        continue;
      }
      int depth = trie.depth(i);
      Config before = path[depth - 1];
      if (before.loop != null && isPlain && before.loop.covers(trie, i)) {
        allow(trie, i, trie.end(i), words);
        i = trie.end(i);
        continue;
      }
      Config at = machine.next(before, trie.label(i));
      if (at.isDead()) {
        i = trie.end(i);
        continue;
      }
      if (at == before && at.loop == null && isPlain && trie.end(i) - i > Loop.MIN_SUBTREE) {
        machine.findLoop(at);
      }
      path[depth] = at;
      toEnd = Math.max(toEnd, at.toEnd);
      allow(trie, i, i + 1, words);
      i++;
    }
    return toEnd;
  }

  /** Allows the tokens of a range of nodes. */
  private static void allow(TokenTrie trie, int from, int to, long[] words) {
    for (int t = trie.firstToken(from); t < trie.firstToken(to); t++) {
      words[trie.tokens[t] / 64] |= 1L << trie.tokens[t];
    }
  }
}
