package dev.nautil.engine;

import dev.nautil.grammar.CompiledGrammar;
import dev.nautil.grammar.Grammar;
import dev.nautil.grammar.GrammarMatcher;
import dev.nautil.grammar.GrammarVocabulary;
import dev.nautil.tokenizer.Tokenizer;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * The grammars that a model's replies are held to, as they were used last.
 *
 * <p>A large one takes long to compile. Who asks for the same one meanwhile waits, since he could
 * not have it sooner; who asks for another one does not. Thread-safe.
 */
public final class Grammars {
  private static final int MAX_KEPT = 32;

  /** Something that is made when it is first asked for; where that fails, the next time. */
  private static final class Made<T> {
    private @Nullable T made;

    synchronized T get(Supplier<T> maker) {
      if (made == null) {
        made = maker.get();
      }
      return made;
    }
  }

  private final Tokenizer tokenizer;
  private final Made<GrammarVocabulary> vocabulary = new Made<>();

  /** Guarded by itself. */
  private final Map<Object, Made<CompiledGrammar>> kept =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Object, Made<CompiledGrammar>> eldest) {
          return size() > MAX_KEPT;
        }
      };

  public Grammars(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /**
   * A matcher for a reply.
   *
   * @param key of the grammar: equal keys are of the same one
   * @param grammar is asked if it is not kept
   * @throws dev.nautil.GrammarException if the grammar cannot be used
   */
  public GrammarMatcher newMatcher(Object key, Supplier<Grammar> grammar) {
    Made<CompiledGrammar> compiled;
    synchronized (kept) {
      compiled = kept.computeIfAbsent(key, any -> new Made<>());
    }
    try {
      return compiled.get(() -> compile(grammar)).newMatcher();
    } catch (Throwable e) {
      synchronized (kept) {
        kept.remove(key, compiled);
      }
      throw e;
    }
  }

  private CompiledGrammar compile(Supplier<Grammar> grammar) {
    return new CompiledGrammar(
        grammar.get(), vocabulary.get(() -> GrammarVocabulary.of(tokenizer)));
  }
}
