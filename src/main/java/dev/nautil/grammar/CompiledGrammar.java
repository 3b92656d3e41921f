package dev.nautil.grammar;

import dev.nautil.GrammarException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A grammar made ready to hold a model's replies to it. Generations that use the same one share
 * what it has learnt: the steps from one place in the grammar to another, and masks.
 *
 * <p>Thread-safe.
 */
public final class CompiledGrammar {
  /** Masks that are kept: 16 KiB each at 131,072 tokens. */
  private static final int MAX_MASKS = 256;

  /**
   * Nodes below one of a trie, for fewer of which no loop is looked for: to visit all 261,714 of
   * Tekken's plain tokens takes 2.7 ms, so that a hundred take a microsecond, about as long as
   * looking.
   */
  private static final int MIN_SUBTREE = 100;

  private final GrammarVocabulary vocabulary;
  private final Machine machine;
  private final Config[] path;

  /**
   * @param toEnd the most of {@link Config#toEnd} where a token leads
   */
  private record Mask(long[] words, int toEnd) {}

  private final Map<Config, Mask> masks =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Config, Mask> eldest) {
          return size() > MAX_MASKS;
        }
      };

  /**
   * Compiles a grammar.
   *
   * @throws GrammarException if it matches no text, refers to a rule that is missing, or is too
   *     large; the message names the rule
   */
  public CompiledGrammar(Grammar grammar, GrammarVocabulary vocabulary) {
    this.vocabulary = vocabulary;
    machine = new Machine(GrammarCompiler.compile(grammar));
    path = new Config[Math.max(vocabulary.plain.maxDepth, vocabulary.other.maxDepth) + 1];
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
    Config relaxed = machine.relaxed(config);
    if (!relaxed.equals(config)) {
      Mask other = mask(relaxed);
      toEnd = other.toEnd;
      level = vocabulary.level(config.room - toEnd);
      if (GrammarVocabulary.isLast(level)) {
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
    // Where there is no intersection, the fields of loops need not even be read at each node.
    boolean mayLoop = trie == vocabulary.plain && from.isInIntersection;
    path[0] = from;
    for (int i = 0; i < trie.size; ) {
      if (trie.maxChars[i] <= known) {
        i = trie.end[i];
        continue;
      }
      int depth = trie.depth[i];
      Config before = path[depth - 1];
      if (mayLoop && before.loop != null && before.loop.covers(trie, i)) {
        toEnd = Math.max(toEnd, before.loop.toEnd());
        allow(trie, i, trie.end[i], words);
        i = trie.end[i];
        continue;
      }
      Config at = machine.next(before, trie.label[i] & 0xff);
      if (at.isDead()) {
        i = trie.end[i];
        continue;
      }
      if (mayLoop && at.loop == null && trie.end[i] - i > MIN_SUBTREE) {
        at.findLoop(before);
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
    for (int t = trie.firstToken[from]; t < trie.firstToken[to]; t++) {
      words[trie.tokens[t] / 64] |= 1L << trie.tokens[t];
    }
  }
}
