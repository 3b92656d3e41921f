package dev.nautil.registry;

import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How a server wants to be authenticated to: a challenge of a {@code WWW-Authenticate} header (RFC
 * 9110, section 11.6.1).
 *
 * @param scheme in lower case
 * @param parameters by names in lower case
 */
record Challenge(String scheme, Map<String, String> parameters) {
  private static final String TOKEN = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
  private static final Pattern PARAMETER =
      Pattern.compile("\\s*(" + TOKEN + ")\\s*=\\s*(?:\"((?:[^\"\\\\]|\\\\.)*+)\"|([^\\s,\"]*))");
  private static final Pattern SCHEME = Pattern.compile("\\s*(" + TOKEN + ")(?=\\s|,|$)");
  private static final Pattern SEPARATOR = Pattern.compile("[\\s,]+|.", Pattern.DOTALL);

  /** The challenges of all headers of that name; what is malformed is passed over. */
  static List<Challenge> parse(List<String> headers) {
    List<Challenge> all = new ArrayList<>();
    for (String header : headers) {
      Matcher match = PARAMETER.matcher(header);
      int at = 0;
      while (at < header.length()) {
        match.region(at, header.length());
        if (!all.isEmpty() && match.usePattern(PARAMETER).lookingAt()) {
          String quoted = match.group(2);
          String value = quoted == null ? match.group(3) : quoted.replaceAll("\\\\(.)", "$1");
          all.get(all.size() - 1)
              .parameters
              .putIfAbsent(match.group(1).toLowerCase(Locale.ROOT), value);
        } else if (match.usePattern(SCHEME).lookingAt()) {
          String scheme = match.group(1).toLowerCase(Locale.ROOT);
          all.add(new Challenge(scheme, new LinkedHashMap<>()));
        } else {
          match.usePattern(SEPARATOR).lookingAt();
        }
        at = match.end();
      }
    }
    return all;
  }
}
