package dev.nautil.grammar;

import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/** Writes texts as a model would that knows nothing: byte by byte, any that a grammar allows. */
public final class RandomWalk {
  private static final int MAX_CLOSING = 20_000;

  private final Machine machine;
  private final Random random;
  private final List<String> hints;

  /**
   * @param hints texts that may be needed to end one, which chance would hardly find
   */
  public RandomWalk(Grammar grammar, Collection<String> hints, long seed) {
    this.hints = new ArrayList<>(hints);
    machine = new Machine(GrammarCompiler.compile(grammar));
    random = new Random(seed);
  }

  /**
   * A whole text: random for so many bytes, or until it may end and chance ends it; then closed.
   *
   * @throws IllegalStateException if it leads to where it cannot be ended
   */
  public String next(int bytes) {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    Config at = machine.initial();
    for (int i = 0; i < bytes && !(at.isComplete && random.nextInt(8) == 0); i++) {
      List<Integer> allowed = allowed(at);
      if (allowed.isEmpty()) {
        break;
      }
      int b = pick(allowed);
      text.write(b);
      at = machine.next(at, b);
    }
    return close(at, text);
  }

  /**
   * A whole text that begins so.
   *
   * @throws IllegalStateException if none does, or it leads to where it cannot be ended
   */
  public String close(byte[] beginning) {
    Config at = machine.initial();
    for (byte b : beginning) {
      at = machine.next(at, b & 0xff);
    }
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    text.writeBytes(beginning);
    return close(at, text);
  }

  private String close(Config from, ByteArrayOutputStream text) {
    Config at = from;
    for (int i = 0; !at.isComplete; i++) {
      List<Integer> allowed = allowed(at);
      if (allowed.isEmpty() || i == MAX_CLOSING) {
        throw new IllegalStateException(
            "cannot be ended: " + text.toString(StandardCharsets.UTF_8));
      }
      Config hinted = random.nextBoolean() ? followHint(at, text) : null;
      if (hinted != null) {
        at = hinted;
        continue;
      }
      int b = closing(allowed);
      text.write(b);
      at = machine.next(at, b);
    }
    return text.toString(StandardCharsets.UTF_8);
  }

  private @Nullable Config followHint(Config from, ByteArrayOutputStream text) {
    Collections.shuffle(hints, random);
    for (String hint : hints) {
      byte[] bytes = hint.getBytes(StandardCharsets.UTF_8);
      Config at = from;
      for (byte b : bytes) {
        at = machine.next(at, b & 0xff);
      }
      if (!at.isDead()) {
        text.writeBytes(bytes);
        return at;
      }
    }
    return null;
  }

  private List<Integer> allowed(Config at) {
    List<Integer> allowed = new ArrayList<>();
    for (int b = 0; b < 256; b++) {
      if (!machine.next(at, b).isDead()) {
        allowed.add(b);
      }
    }
    return allowed;
  }

  /** Any, but what ends things more often, and whitespace less, than by chance. */
  private int pick(List<Integer> allowed) {
    int kind = random.nextInt(10);
    if (kind < 3) {
      List<Integer> ends = allowed.stream().filter(b -> "\"]},:".indexOf(b) >= 0).toList();
      if (!ends.isEmpty()) {
        return ends.get(random.nextInt(ends.size()));
      }
    }
    List<Integer> inked = allowed.stream().filter(b -> b > ' ').toList();
    List<Integer> from = inked.isEmpty() || kind == 9 ? allowed : inked;
    return from.get(random.nextInt(from.size()));
  }

  private int closing(List<Integer> allowed) {
    // By chance, since any order would have some text go on for ever.
    List<Integer> ends = allowed.stream().filter(b -> "\"]}:".indexOf(b) >= 0).toList();
    if (!ends.isEmpty() && random.nextInt(8) > 0) {
      return ends.get(random.nextInt(ends.size()));
    }
    List<Integer> shallow =
        allowed.stream().filter(b -> b > ' ' && b != '{' && b != '[' && b != '\\').toList();
    List<Integer> from = shallow.isEmpty() ? allowed : shallow;
    return from.get(random.nextInt(from.size()));
  }
}
