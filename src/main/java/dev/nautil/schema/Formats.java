package dev.nautil.schema;

import dev.nautil.grammar.CharSet;
import dev.nautil.grammar.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Supplier;

/**
 * The formats of strings that are enforced, as rules of their characters. Each is held to what its
 * specification and the validators that people use both accept.
 */
final class Formats {
  private static final Rule DIGIT = set("0-9");
  private static final Rule HEX = set("0-9a-fA-F");
  private static final Rule ALPHANUMERIC = set("0-9a-zA-Z");

  /** Digits of a fraction of a second: nanoseconds. */
  private static final int MAX_FRACTION = 9;

  /** Characters of a host's name and of one of its labels: RFC 1123, section 2.1. */
  private static final int MAX_HOSTNAME = 253;

  private static final int MAX_LABEL = 63;

  /** Characters before the @: RFC 5321, section 4.5.3.1.1. */
  private static final int MAX_LOCAL_PART = 64;

  private static final int MAX_PORT_DIGITS = 5;
  private static final int IPV6_GROUPS = 8;

  private static final Map<String, Supplier<Rule>> MAKERS =
      Map.of(
          "date", Formats::date,
          "time", Formats::time,
          "date-time", () -> Rule.sequence(date(), Rule.text("T"), time()),
          "duration", Formats::duration,
          "email", Formats::email,
          "hostname", Formats::hostname,
          "ipv4", Formats::ipv4,
          "ipv6", Formats::ipv6,
          "uri", Formats::uri,
          "uuid", Formats::uuid);

  /** What JSON Schema defines for strings and is not enforced. */
  private static final Set<String> OTHERS_OF_STRINGS =
      Set.of(
          "idn-email",
          "idn-hostname",
          "uri-reference",
          "iri",
          "iri-reference",
          "uri-template",
          "json-pointer",
          "relative-json-pointer",
          "regex");

  private Formats() {}

  static boolean isOfStrings(String format) {
    return MAKERS.containsKey(format) || OTHERS_OF_STRINGS.contains(format);
  }

  /** Refuses a format that is not enforced. */
  static void require(String format, Location schema) {
    if (!MAKERS.containsKey(format)) {
      throw schema.error(
          "format",
          "'"
              + format
              + "' cannot be enforced; leave it out, or take one of "
              + String.join(", ", new TreeSet<>(MAKERS.keySet())));
    }
  }

  /** The rule of a format that is enforced. */
  static Rule of(String format) {
    Supplier<Rule> maker = MAKERS.get(format);
    if (maker == null) {
      throw new IllegalArgumentException("there is no format " + format);
    }
    return maker.get();
  }

  /** Characters, of which a dash between two stands for all from one to the other. */
  private static Rule set(String ranges) {
    CharSet set = CharSet.of("");
    for (int i = 0; i < ranges.length(); i++) {
      boolean isRange = i + 2 < ranges.length() && ranges.charAt(i + 1) == '-';
      char last = ranges.charAt(isRange ? i + 2 : i);
      set = set.union(CharSet.range(ranges.charAt(i), last));
      i += isRange ? 2 : 0;
    }
    return Rule.chars(set);
  }

  private static Rule times(Rule rule, int count) {
    return new Rule.Repeat(rule, count, count);
  }

  /** Any of these texts, which are separated by spaces. */
  private static Rule anyOf(String texts) {
    List<Rule> alternatives = new ArrayList<>();
    for (String text : texts.split(" ")) {
      alternatives.add(Rule.text(text));
    }
    return new Rule.Choice(alternatives);
  }

  /** Numbers of two digits. */
  private static Rule twoDigits(int first, int last) {
    List<Rule> alternatives = new ArrayList<>();
    for (int tens = first / 10; tens <= last / 10; tens++) {
      int from = Math.max(first - tens * 10, 0);
      int to = Math.min(last - tens * 10, 9);
      alternatives.add(
          Rule.sequence(
              Rule.text(Integer.toString(tens)), Rule.chars(CharSet.range('0' + from, '0' + to))));
    }
    return new Rule.Choice(alternatives);
  }

  /** RFC 3339, section 5.6: full-date. */
  private static Rule date() {
    Rule year = times(DIGIT, 4);
    Rule dash = Rule.text("-");
    List<Rule> multiplesOfFour = new ArrayList<>();
    for (int i = 4; i < 100; i += 4) {
      multiplesOfFour.add(twoDigits(i, i));
    }
    Rule fourths = new Rule.Choice(multiplesOfFour);
    Rule zeros = Rule.text("00");
    Rule leapYear =
        Rule.choice(
            Rule.sequence(times(DIGIT, 2), fourths),
            Rule.sequence(Rule.choice(zeros, fourths), zeros));
    return Rule.choice(
        Rule.sequence(year, dash, anyOf("01 03 05 07 08 10 12"), dash, twoDigits(1, 31)),
        Rule.sequence(year, dash, anyOf("04 06 09 11"), dash, twoDigits(1, 30)),
        Rule.sequence(year, Rule.text("-02-"), twoDigits(1, 28)),
        Rule.sequence(leapYear, Rule.text("-02-29")));
  }

  /** RFC 3339, section 5.6: full-time, without leap seconds. */
  private static Rule time() {
    Rule colon = Rule.text(":");
    Rule fraction = Rule.sequence(Rule.text("."), new Rule.Repeat(DIGIT, 1, MAX_FRACTION));
    // What java.time reads: up to 18 hours.
    Rule ahead =
        Rule.choice(Rule.sequence(twoDigits(0, 17), colon, twoDigits(0, 59)), Rule.text("18:00"));
    // -00:00, an offset that is not known, is none to ISO 8601 and to validators.
    Rule behind =
        Rule.choice(
            Rule.sequence(Rule.text("00:"), twoDigits(1, 59)),
            Rule.sequence(twoDigits(1, 17), colon, twoDigits(0, 59)),
            Rule.text("18:00"));
    return Rule.sequence(
        twoDigits(0, 23),
        colon,
        twoDigits(0, 59),
        colon,
        twoDigits(0, 59),
        Rule.optional(fraction),
        Rule.choice(
            Rule.text("Z"),
            Rule.sequence(Rule.text("+"), ahead),
            Rule.sequence(Rule.text("-"), behind)));
  }

  /** RFC 3339, appendix A; a unit between two others may be left out, as ISO 8601 has it. */
  private static Rule duration() {
    Rule weeks = Rule.sequence(Rule.oneOrMore(DIGIT), Rule.text("W"));
    Rule time = Rule.sequence(Rule.text("T"), some("H", "M", "S"));
    Rule date = Rule.sequence(some("Y", "M", "D"), Rule.optional(time));
    return Rule.sequence(Rule.text("P"), Rule.choice(date, time, weeks));
  }

  /** Numbers of at least one of three units, in order. */
  private static Rule some(String first, String second, String third) {
    Rule a = Rule.sequence(Rule.oneOrMore(DIGIT), Rule.text(first));
    Rule b = Rule.sequence(Rule.oneOrMore(DIGIT), Rule.text(second));
    Rule c = Rule.sequence(Rule.oneOrMore(DIGIT), Rule.text(third));
    return Rule.choice(
        Rule.sequence(a, Rule.optional(b), Rule.optional(c)),
        Rule.sequence(b, Rule.optional(c)),
        c);
  }

  private static Rule label() {
    Rule inner = new Rule.Repeat(set("0-9a-zA-Z-"), 0, MAX_LABEL - 2);
    return Rule.sequence(ALPHANUMERIC, Rule.optional(Rule.sequence(inner, ALPHANUMERIC)));
  }

  private static Rule atMost(Rule rule, int characters) {
    Rule any = new Rule.Repeat(Rule.chars(CharSet.ALL), 0, characters);
    return new Rule.Intersection(List.of(rule, any));
  }

  /** RFC 1123, section 2.1. */
  private static Rule hostname() {
    Rule more = Rule.zeroOrMore(Rule.sequence(Rule.text("."), label()));
    return atMost(Rule.sequence(label(), more), MAX_HOSTNAME);
  }

  /** RFC 5321, section 4.1.2: a dot-string at a domain whose last label is a known one. */
  private static Rule email() {
    Rule atom = Rule.oneOrMore(set("0-9a-zA-Z!#$%&'*+/=?^_`{|}~-"));
    Rule local = Rule.sequence(atom, Rule.zeroOrMore(Rule.sequence(Rule.text("."), atom)));
    Rule domain =
        Rule.sequence(Rule.oneOrMore(Rule.sequence(label(), Rule.text("."))), topLevelDomain());
    return Rule.sequence(
        atMost(local, MAX_LOCAL_PART), Rule.text("@"), atMost(domain, MAX_HOSTNAME));
  }

  private static Rule topLevelDomain() {
    return anyOf(TopLevelDomains.NAMES);
  }

  /** RFC 2673, section 3.2: dotted-quad. */
  private static Rule ipv4() {
    Rule octet =
        Rule.choice(
            Rule.sequence(Rule.text("25"), set("0-5")),
            Rule.sequence(Rule.text("2"), set("0-4"), DIGIT),
            Rule.sequence(Rule.text("1"), DIGIT, DIGIT),
            Rule.sequence(set("1-9"), DIGIT),
            DIGIT);
    return Rule.sequence(octet, times(Rule.sequence(Rule.text("."), octet), 3));
  }

  /** RFC 4291, section 2.2. */
  private static Rule ipv6() {
    Rule group = new Rule.Repeat(HEX, 1, 4);
    Rule before = Rule.sequence(group, Rule.text(":"));
    Rule after = Rule.sequence(Rule.text(":"), group);
    List<Rule> forms = new ArrayList<>();
    forms.add(Rule.sequence(group, times(after, IPV6_GROUPS - 1)));
    forms.add(Rule.sequence(times(before, IPV6_GROUPS - 2), ipv4()));
    for (int left = 0; left < IPV6_GROUPS; left++) {
      Rule first = left == 0 ? Rule.text("") : Rule.sequence(group, times(after, left - 1));
      int most = IPV6_GROUPS - 1 - left;
      Rule second =
          most == 0
              ? Rule.text("")
              : Rule.optional(Rule.sequence(group, new Rule.Repeat(after, 0, most - 1)));
      forms.add(Rule.sequence(first, Rule.text("::"), second));
      if (most >= 2) {
        Rule more = new Rule.Repeat(before, 0, most - 2);
        forms.add(Rule.sequence(first, Rule.text("::"), more, ipv4()));
      }
    }
    return new Rule.Choice(forms);
  }

  /** RFC 3986, with something after the scheme. */
  private static Rule uri() {
    Rule escaped = Rule.sequence(Rule.text("%"), HEX, HEX);
    Rule unreserved = Rule.choice(set("0-9a-zA-Z._~!$&'()*+,;=-"), escaped);
    Rule pathCharacter = Rule.choice(set("0-9a-zA-Z._~!$&'()*+,;=:@-"), escaped);
    Rule segments = Rule.zeroOrMore(Rule.sequence(Rule.text("/"), Rule.zeroOrMore(pathCharacter)));
    Rule scheme = Rule.sequence(set("a-zA-Z"), Rule.zeroOrMore(set("0-9a-zA-Z+.-")));
    Rule userInfo =
        Rule.sequence(
            Rule.oneOrMore(Rule.choice(set("0-9a-zA-Z._~!$&'()*+,;=:-"), escaped)), Rule.text("@"));
    Rule host =
        Rule.choice(
            Rule.oneOrMore(unreserved), Rule.sequence(Rule.text("["), ipv6(), Rule.text("]")));
    Rule port = Rule.sequence(Rule.text(":"), new Rule.Repeat(DIGIT, 1, MAX_PORT_DIGITS));
    Rule rootless = Rule.sequence(Rule.oneOrMore(pathCharacter), segments);
    Rule absolute = Rule.sequence(Rule.text("/"), Rule.optional(rootless));
    Rule place =
        Rule.choice(
            Rule.sequence(
                Rule.text("//"), Rule.optional(userInfo), host, Rule.optional(port), segments),
            Rule.sequence(Rule.text("//"), absolute),
            absolute,
            rootless);
    Rule more = Rule.zeroOrMore(Rule.choice(pathCharacter, set("/?")));
    return Rule.sequence(
        scheme,
        Rule.text(":"),
        place,
        Rule.optional(Rule.sequence(Rule.text("?"), more)),
        Rule.optional(Rule.sequence(Rule.text("#"), more)));
  }

  /** RFC 4122, section 3. */
  private static Rule uuid() {
    Rule dash = Rule.text("-");
    Rule four = times(HEX, 4);
    return Rule.sequence(times(HEX, 8), dash, four, dash, four, dash, four, dash, times(HEX, 12));
  }
}
