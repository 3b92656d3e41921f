package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

class StopStringsTest {
  /**
   * Against looking at the whole text, in two letters, where strings overlap themselves and others.
   */
  @Test
  void cutsWhereAStringIsFirstComplete() {
    Random random = new Random(1);
    for (int round = 0; round < 20_000; round++) {
      List<String> stops = new ArrayList<>();
      for (int i = random.nextInt(4); i > 0; i--) {
        stops.add(letters(random, 1 + random.nextInt(6)));
      }
      String text = letters(random, random.nextInt(30));
      String expected = expected(stops, text);

      StopStrings filter = new StopStrings(stops);
      StringBuilder out = new StringBuilder();
      int read = 0;
      while (read < text.length()) {
        int end = Math.min(text.length(), read + 1 + random.nextInt(5));
        out.append(filter.accept(text.substring(read, end)));
        read = end;
        assertTrue(expected.startsWith(out.toString()), "let through too much");
        if (!filter.isFound()) {
          String rest = text.substring(out.length(), read);
          assertTrue(
              rest.isEmpty() || stops.stream().anyMatch(s -> s.startsWith(rest)),
              "held back without need");
        }
      }
      boolean found = filter.isFound();
      out.append(filter.finish());
      assertEquals(expected, out.toString(), stops + " in " + text);
      assertEquals(expected.length() < text.length(), found);
    }
  }

  private static String expected(List<String> stops, String text) {
    for (int end = 1; end <= text.length(); end++) {
      String read = text.substring(0, end);
      int longest = stops.stream().filter(read::endsWith).mapToInt(String::length).max().orElse(0);
      if (longest > 0) {
        return read.substring(0, end - longest);
      }
    }
    return text;
  }

  private static String letters(Random random, int n) {
    StringBuilder text = new StringBuilder();
    for (int i = 0; i < n; i++) {
      text.append((char) ('a' + random.nextInt(2)));
    }
    return text.toString();
  }
}
