package dev.nautil.schema;

import dev.nautil.grammar.CharSet;
import dev.nautil.grammar.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.UnaryOperator;

/** The parts of JSON texts that schemas have in common. */
final class JsonText {
  /**
   * Most characters of whitespace in one place: thirty levels indented by four spaces, while a
   * model that writes nothing else is soon brought back to the matter.
   */
  static final int MAX_WHITESPACE = 128;

  private static final CharSet ASCII = CharSet.range(0, 0x7f);

  /**
   * What common writers of JSON escape by number in names and constants: control characters, all
   * but ASCII (Python), and what means something in HTML (Go, Gson).
   */
  private static final CharSet COMMONLY_NUMBERED =
      ASCII.complement().union(CharSet.range(0, 0x1f)).union(CharSet.of("\u007f<>&='"));

  private final CharacterSpelling anySpelling;
  private final CharacterSpelling commonSpelling;

  /** Any run of whitespace, or none. */
  final Rule whitespace;

  /** A comma and what whitespace follows it. */
  final Rule separator;

  JsonText(RuleSet rules) {
    anySpelling = new CharacterSpelling(rules, CharSet.ALL);
    commonSpelling = new CharacterSpelling(rules, COMMONLY_NUMBERED);
    whitespace =
        rules.defineAs(
            "whitespace", new Rule.Repeat(Rule.chars(CharSet.of(" \t\n\r")), 0, MAX_WHITESPACE));
    separator = Rule.sequence(Rule.text(","), whitespace);
  }

  /** One character of a string, however it is spelled. */
  Rule character(CharSet set) {
    return anySpelling.of(set);
  }

  /** One character of a name or constant, as common writers spell it. */
  Rule commonCharacter(CharSet set) {
    return commonSpelling.of(set);
  }

  /** A name and its value, with the whitespace after each. */
  Rule member(Rule name, Rule value) {
    return Rule.sequence(name, whitespace, Rule.text(":"), whitespace, value, whitespace);
  }

  /** Members in braces, in any order. */
  Rule object(List<Rule.Member> members, Optional<Rule> additional, int min, int max) {
    return Rule.sequence(
        Rule.text("{"),
        whitespace,
        new Rule.Members(members, additional, separator, min, max),
        Rule.text("}"));
  }

  /** A string of what a rule says of its characters. */
  Rule string(Rule content) {
    return Rule.sequence(Rule.text("\""), content, Rule.text("\""));
  }

  /** A name's or constant's characters, as common writers spell them. */
  List<Rule> commonCharacters(String text) {
    List<Rule> parts = new ArrayList<>();
    StringBuilder plain = new StringBuilder();
    text.codePoints()
        .forEach(
            c -> {
              if (c < 0x80 && !COMMONLY_NUMBERED.contains(c) && "\"\\/".indexOf(c) < 0) {
                plain.appendCodePoint(c);
                return;
              }
              flush(plain, parts);
              parts.add(commonCharacter(CharSet.range(c, c)));
            });
    flush(plain, parts);
    return parts;
  }

  private static void flush(StringBuilder plain, List<Rule> parts) {
    if (plain.length() > 0) {
      parts.add(Rule.text(plain.toString()));
      plain.setLength(0);
    }
  }

  /** What a rule says of a string's characters, said of their spellings. */
  Rule spelled(Rule content) {
    if (content instanceof Rule.Text text) {
      List<Rule> characters = new ArrayList<>();
      text.text().codePoints().forEach(c -> characters.add(character(CharSet.range(c, c))));
      return new Rule.Sequence(characters);
    }
    if (content instanceof Rule.Chars chars) {
      return character(chars.set());
    }
    if (content instanceof Rule.Sequence sequence) {
      return new Rule.Sequence(map(sequence.parts(), this::spelled));
    }
    if (content instanceof Rule.Choice choice) {
      return new Rule.Choice(map(choice.alternatives(), this::spelled));
    }
    if (content instanceof Rule.Repeat repeat) {
      return new Rule.Repeat(spelled(repeat.rule()), repeat.min(), repeat.max());
    }
    if (content instanceof Rule.Intersection intersection) {
      return new Rule.Intersection(map(intersection.rules(), this::spelled));
    }
    throw new IllegalArgumentException("no characters are spelled by " + content);
  }

  private static List<Rule> map(List<Rule> rules, UnaryOperator<Rule> function) {
    return rules.stream().map(function).toList();
  }
}
