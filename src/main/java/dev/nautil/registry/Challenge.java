package dev.nautil.registry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * How a server wants to be authenticated to: a challenge of a {@code WWW-Authenticate} header (RFC
 * 9110, section 11.6.1).
 *
 * @param scheme in lower case
 * @param parameters by names in lower case
 */
record Challenge(String scheme, Map<String, String> parameters) {
  /** The challenges of all headers of that name; what is malformed is passed over. */
  static List<Challenge> parse(List<String> headers) {
    List<Challenge> all = new ArrayList<>();
    for (String header : headers) {
      new Reader(header).read(all);
    }
    return all;
  }

  /** By hand, since Java's regular expressions take a level of the stack a character. */
  private static final class Reader {
    private final String text;
    private int at;

    Reader(String text) {
      this.text = text;
    }

    void read(List<Challenge> all) {
      Challenge last = null;
      while (at < text.length()) {
        String word = token();
        if (word.isEmpty()) {
          // A comma, a space, or what has no place here.
          at++;
          continue;
        }
        int end = at;
        skipSpace();
        boolean isParameter = at < text.length() && text.charAt(at) == '=';
        if (isParameter && last != null) {
          at++;
          skipSpace();
          last.parameters.putIfAbsent(word.toLowerCase(Locale.ROOT), value());
        } else {
          at = end;
          last = new Challenge(word.toLowerCase(Locale.ROOT), new LinkedHashMap<>());
          all.add(last);
        }
      }
    }

    private void skipSpace() {
      while (at < text.length() && (text.charAt(at) == ' ' || text.charAt(at) == '\t')) {
        at++;
      }
    }

    private String token() {
      int start = at;
      while (at < text.length() && isToken(text.charAt(at))) {
        at++;
      }
      return text.substring(start, at);
    }

    private static boolean isToken(char c) {
      return (c >= '0' && c <= '9')
          || (c >= 'A' && c <= 'Z')
          || (c >= 'a' && c <= 'z')
          || "!#$%&'*+-.^_`|~".indexOf(c) >= 0;
    }

    /** Between quotes, or up to a comma or a space. */
    private String value() {
      StringBuilder value = new StringBuilder();
      boolean quoted = at < text.length() && text.charAt(at) == '"';
      if (quoted) {
        at++;
      }
      while (at < text.length()) {
        char c = text.charAt(at++);
        if (quoted ? c == '"' : c == ',' || c == ' ' || c == '\t') {
          break;
        }
        if (quoted && c == '\\' && at < text.length()) {
          c = text.charAt(at++);
        }
        value.append(c);
      }
      return value.toString();
    }
  }
}
