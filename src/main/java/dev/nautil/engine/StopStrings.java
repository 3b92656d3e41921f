package dev.nautil.engine;

import java.util.List;

/**
 * Ends a text before the first of some strings, though it comes in pieces: what may be the
 * beginning of one waits until it is or is not.
 *
 * <p>Of strings that are complete at the same character, the longest counts. Knuth, Morris and
 * Pratt's matching, so that a character costs the same however long the strings are.
 *
 * <p>Not thread-safe.
 */
public final class StopStrings {
  private static final class Matcher {
    final String stop;

    /** Of each length of what has matched, the longest shorter beginning that it ends in. */
    final int[] shorter;

    int matched;

    Matcher(String stop) {
      this.stop = stop;
      shorter = new int[stop.length() + 1];
      for (int i = 1, length = 0; i < stop.length(); i++) {
        while (length > 0 && stop.charAt(i) != stop.charAt(length)) {
          length = shorter[length];
        }
        if (stop.charAt(i) == stop.charAt(length)) {
          length++;
        }
        shorter[i + 1] = length;
      }
    }

    boolean completes(char c) {
      while (matched > 0 && stop.charAt(matched) != c) {
        matched = shorter[matched];
      }
      if (stop.charAt(matched) == c) {
        matched++;
      }
      return matched == stop.length();
    }
  }

  private final List<Matcher> matchers;
  private final StringBuilder held = new StringBuilder();
  private boolean found;

  /**
   * @param stops not empty, each
   */
  public StopStrings(List<String> stops) {
    matchers = stops.stream().map(Matcher::new).toList();
  }

  /** Whether one of the strings came; nothing is let through after that. */
  public boolean isFound() {
    return found;
  }

  /** Takes more text and gives what is known not to belong to one of the strings. */
  public String accept(String text) {
    for (int i = 0; i < text.length() && !found; i++) {
      char c = text.charAt(i);
      held.append(c);
      int length = 0;
      for (Matcher m : matchers) {
        if (m.completes(c)) {
          length = Math.max(length, m.stop.length());
        }
      }
      if (length > 0) {
        found = true;
        held.setLength(held.length() - length);
      }
    }
    return let(found ? 0 : matchers.stream().mapToInt(m -> m.matched).max().orElse(0));
  }

  /** Ends the text and gives what was waiting. */
  public String finish() {
    return let(0);
  }

  private String let(int kept) {
    int end = held.length() - kept;
    String text = held.substring(0, end);
    held.delete(0, end);
    return text;
  }
}
