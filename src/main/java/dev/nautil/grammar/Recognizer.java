package dev.nautil.grammar;

import java.nio.charset.StandardCharsets;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Tells whether whole texts match a grammar. Thread-safe. */
public final class Recognizer {
  private final Machine machine;

  private Recognizer(Program program) {
    machine = new Machine(program);
  }

  /**
   * The recognizer of a grammar; empty if the grammar matches no text.
   *
   * @throws dev.nautil.GrammarException if the grammar refers to a rule that is missing, or is too
   *     large
   */
  public static Optional<Recognizer> of(Grammar grammar) {
    @Nullable Program program = GrammarCompiler.compileOrNull(grammar);
    return program == null ? Optional.empty() : Optional.of(new Recognizer(program));
  }

  /** Whether a whole text matches. */
  public synchronized boolean matches(String text) {
    Config at = machine.initial();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      at = machine.next(at, b & 0xff);
      if (at.isDead()) {
        return false;
      }
    }
    return at.isComplete;
  }
}
