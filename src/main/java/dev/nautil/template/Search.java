package dev.nautil.template;

/** Finds text in text, in time that a hostile pair of them cannot make quadratic. */
final class Search {
  /** Up to here the library's search is at worst this many times slower than one pass. */
  private static final int SHORT = 16;

  private Search() {}

  /** The first place at or after a UTF-16 offset where the part lies before the end, or -1. */
  static int find(Budget budget, String text, String part, int from, int end) {
    if (part.length() > end - from) {
      return -1;
    }
    int found = part.length() <= SHORT ? text.indexOf(part, from) : search(text, part, from, end);
    int passed = (found < 0 ? text.length() : found) - from;
    budget.scan((long) passed * Math.min(SHORT, 1 + part.length() / 4));
    return found >= 0 && found + part.length() <= end ? found : -1;
  }

  /** Knuth, Morris and Pratt's search. */
  private static int search(String text, String part, int from, int end) {
    int first = text.indexOf(part.substring(0, SHORT), from);
    if (first < 0 || first + part.length() > end) {
      return -1;
    }
    if (text.startsWith(part, first)) {
      return first;
    }
    int[] border = borders(part);
    int matched = 0;
    for (int i = first; i < end; i++) {
      char c = text.charAt(i);
      while (matched > 0 && part.charAt(matched) != c) {
        matched = border[matched - 1];
      }
      if (part.charAt(matched) == c && ++matched == part.length()) {
        return i - matched + 1;
      }
    }
    return -1;
  }

  private static int[] borders(String part) {
    int[] border = new int[part.length()];
    int k = 0;
    for (int i = 1; i < part.length(); i++) {
      while (k > 0 && part.charAt(k) != part.charAt(i)) {
        k = border[k - 1];
      }
      if (part.charAt(k) == part.charAt(i)) {
        k++;
      }
      border[i] = k;
    }
    return border;
  }

  /** The last place between two UTF-16 offsets where the part lies, or -1. */
  static int findLast(Budget budget, String text, String part, int from, int end) {
    if (part.length() > end - from) {
      return -1;
    }
    budget.scan((long) (end - from) * Math.min(64, 1 + part.length()));
    if (part.length() <= 64) {
      int found = text.lastIndexOf(part, end - part.length());
      return found >= from ? found : -1;
    }
    int last = -1;
    for (int at = find(budget, text, part, from, end);
        at >= 0;
        at = find(budget, text, part, at + 1, end)) {
      last = at;
    }
    return last;
  }
}
