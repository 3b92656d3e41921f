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

/** The grammars that a model's replies are held to, as they were used last. Thread-safe. */
public final class Grammars {
  private static final int MAX_KEPT = 32;

  private final Tokenizer tokenizer;
  private @Nullable GrammarVocabulary vocabulary;

  private final Map<Object, CompiledGrammar> kept =
      new LinkedHashMap<>(16, 0.75f, true) {
        private static final long serialVersionUID = 1;

        @Override
        protected boolean removeEldestEntry(Map.Entry<Object, CompiledGrammar> eldest) {
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
  public synchronized GrammarMatcher newMatcher(Object key, Supplier<Grammar> grammar) {
    CompiledGrammar compiled = kept.get(key);
    if (compiled == null) {
      if (vocabulary == null) {
        vocabulary = GrammarVocabulary.of(tokenizer);
      }
      compiled = new CompiledGrammar(grammar.get(), vocabulary);
      kept.put(key, compiled);
    }
    return compiled.newMatcher();
  }
}
