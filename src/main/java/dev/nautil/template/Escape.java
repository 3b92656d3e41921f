package dev.nautil.template;

import org.jspecify.annotations.Nullable;

/**
 * HTML escaping, which {@code escape} does and what {@code safe} returns does to its neighbours.
 */
final class Escape {
  private Escape() {}

  /** The text as markup, escaped unless it is markup already. */
  static Str markup(Budget budget, Str s) {
    return s.markup ? s : always(budget, s);
  }

  static Str always(Budget budget, Str s) {
    budget.scan(8L * s.units());
    StrBuilder out = new StrBuilder(budget);
    int from = 0;
    for (int i = 0; i < s.units(); i++) {
      String entity = entity(s.text.charAt(i));
      if (entity != null) {
        budget.step();
        boolean trusted = s.isTrusted(i);
        out.append(s, from, i).append(entity, trusted);
        from = i + 1;
      }
    }
    return out.append(s, from, s.units()).toStr(true);
  }

  private static @Nullable String entity(char c) {
    return switch (c) {
      case '&' -> "&amp;";
      case '<' -> "&lt;";
      case '>' -> "&gt;";
      case '"' -> "&#34;";
      case '\'' -> "&#39;";
      default -> null;
    };
  }
}
