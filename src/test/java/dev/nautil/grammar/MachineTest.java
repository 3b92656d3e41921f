package dev.nautil.grammar;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.GrammarException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

class MachineTest {
  private static final int LENGTH = 5;

  /**
   * Every text of up to five characters: complete if the naive recogniser says so; not viable only
   * if no longer one of these texts matches; and if viable, the naive recogniser must accept what
   * the machine finds to complete it.
   */
  @Test
  void agreesWithTheNaiveRecognizerOnRandomGrammars() {
    List<String> texts = texts();
    int compiled = 0;
    int far = 0;
    for (int seed = 0; seed < 600; seed++) {
      Grammar grammar = new RandomGrammars(seed).next();
      Machine machine = machine(grammar, seed, texts);
      if (machine != null) {
        compiled++;
        far += check(grammar, machine, texts, seed) ? 0 : 1;
      }
    }
    assertTrue(compiled > 300, compiled + " grammars match something");
    assertTrue(far < 30, far + " grammars have ends that are too far away");
  }

  private static List<String> texts() {
    List<String> texts = new ArrayList<>(List.of(""));
    for (int i = 0; i < texts.size(); i++) {
      if (texts.get(i).length() < LENGTH) {
        for (String c : RandomGrammars.ALPHABET) {
          texts.add(texts.get(i) + c);
        }
      }
    }
    return texts;
  }

  private static @Nullable Machine machine(Grammar grammar, int seed, List<String> texts) {
    try {
      return new Machine(GrammarCompiler.compile(grammar));
    } catch (GrammarException e) {
      if (e.getMessage().contains("matches no text")) {
        for (String text : texts) {
          assertFalse(NaiveRecognizer.matches(grammar, text), seed + ": " + grammar);
        }
      } else {
        assertTrue(
            e.getMessage().matches(".*(left-recursive|may be empty|leads back to itself).*"),
            e.getMessage());
      }
      return null;
    }
  }

  /** False if an end was too far away to be found. */
  private static boolean check(Grammar grammar, Machine machine, List<String> texts, int seed) {
    Set<String> viable = new HashSet<>();
    Set<String> matching = new HashSet<>();
    for (String text : texts) {
      if (NaiveRecognizer.matches(grammar, text)) {
        matching.add(text);
        for (int end = 0; end <= text.length(); end++) {
          viable.add(text.substring(0, end));
        }
      }
    }
    Set<Config> checked = new HashSet<>();
    boolean near = true;
    for (String text : texts) {
      String message = seed + " '" + text + "': " + grammar;
      Config config = at(machine, text);
      assertEquals(matching.contains(text), config.isComplete, message);
      if (config.isDead()) {
        assertFalse(viable.contains(text), message);
      } else if (near && !viable.contains(text) && checked.add(config)) {
        String completion = completion(machine, config);
        near = completion != null;
        String whole = text + completion;
        assertTrue(
            !near || NaiveRecognizer.matches(grammar, whole), message + " completed: " + whole);
      }
    }
    return near;
  }

  private static Config at(Machine machine, String text) {
    Config config = machine.initial();
    for (byte b : text.getBytes(StandardCharsets.UTF_8)) {
      config = machine.next(config, b & 0xff);
    }
    return config;
  }

  /** The shortest completion; null if there is none among the nearest 5,000 places. */
  private static @Nullable String completion(Machine machine, Config from) {
    Map<Config, byte[]> found = new HashMap<>(Map.of(from, new byte[0]));
    Deque<Config> waiting = new ArrayDeque<>(List.of(from));
    byte[] bytes = null;
    for (Config at; bytes == null && (at = waiting.poll()) != null; ) {
      byte[] before = found.get(at);
      if (at.isComplete) {
        bytes = before;
      }
      if (found.size() > 5_000) {
        return null;
      }
      for (int b : machine.program().byteOf) {
        Config next = machine.next(at, b);
        if (!next.isDead() && !found.containsKey(next)) {
          byte[] text = Arrays.copyOf(before, before.length + 1);
          text[before.length] = (byte) b;
          found.put(next, text);
          waiting.add(next);
        }
      }
    }
    assertNotNull(bytes, "a dead end");
    return new String(bytes, StandardCharsets.UTF_8);
  }
}
