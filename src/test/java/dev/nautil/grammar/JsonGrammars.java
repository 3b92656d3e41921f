package dev.nautil.grammar;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** Grammars of JSON texts such as schemas lead to. */
final class JsonGrammars {
  private static final Rule SPACE = new Rule.Repeat(Rule.chars(CharSet.of(" \n\t\r")), 0, 64);
  private static final Rule DIGIT = Rule.chars(CharSet.range('0', '9'));
  private static final CharSet PLAIN =
      CharSet.range(0x20, Character.MAX_CODE_POINT).minus(CharSet.of("\"\\"));
  static final Rule CHARACTER =
      Rule.choice(
          Rule.chars(PLAIN),
          Rule.sequence(
              Rule.text("\\"),
              Rule.choice(
                  Rule.chars(CharSet.of("\"\\/bfnrt")),
                  Rule.sequence(
                      Rule.text("u"),
                      new Rule.Repeat(
                          Rule.chars(
                              CharSet.range('0', '9')
                                  .union(CharSet.range('a', 'f'))
                                  .union(CharSet.range('A', 'F'))),
                          4,
                          4)))));

  /** A text of {@link #person}. */
  static final String PERSON =
      """
      {"name": "Ada Lovelace, née Byron", "age": 36, "role": "admin",
       "biography": "English mathematician and writer, chiefly known for her work on Charles Babbage's proposed mechanical general-purpose computer, the \\"Analytical Engine\\".\\nShe was the first to recognise that the machine had applications beyond pure calculation. 数学者 😀",
       "addresses": [{"street": "12 St James's Square", "city": "London", "zip": "12345"},
        {"city": "Ockham Park in Surrey", "street": "The long road to the village, second house on the left"}],
       "note": {"tags": ["poet", "countess", 1.5e3, true, null, [[["deep"]]]], "x": {"y": {"z": "w"}}}}""";

  /** A schema of strings that have patterns or formats, and lengths. */
  static final String PATTERNS =
      """
      {"type": "object", "additionalProperties": false, "required": ["id", "title", "note", "mail"],
       "properties": {
        "id": {"type": "string", "pattern": "^[A-Za-z][A-Za-z0-9_-]*$", "maxLength": 64},
        "title": {"type": "string", "pattern": "^[A-Z].*[.!?]$", "minLength": 3, "maxLength": 200},
        "note": {"type": "string", "pattern": "^[^<>]*$", "minLength": 20, "maxLength": 2000},
        "mail": {"type": "string", "format": "email", "maxLength": 100}}}""";

  /** A text of {@link #PATTERNS}. */
  static final String PATTERNS_TEXT =
      """
      {"id": "countess_of-lovelace_1815", "title": "Ada Lovelace, the enchantress of number!",
       "note": "She was the first to recognise that the machine had applications beyond pure calculation. 数学者 😀 Between 1842 and 1843 she translated an article by the military engineer Luigi Menabrea about the engine, supplementing it with seven long notes, of which the last was an algorithm to calculate a sequence of \\"Bernoulli numbers\\" by machine.",
       "mail": "ada.lovelace@engines.example.org"}""";

  private JsonGrammars() {}

  private static Rule string(int min, int max) {
    return Rule.sequence(Rule.text("\""), new Rule.Repeat(CHARACTER, min, max), Rule.text("\""));
  }

  private static Rule number() {
    return Rule.sequence(
        Rule.optional(Rule.text("-")),
        Rule.choice(
            Rule.text("0"),
            Rule.sequence(Rule.chars(CharSet.range('1', '9')), Rule.zeroOrMore(DIGIT))),
        Rule.optional(Rule.sequence(Rule.text("."), Rule.oneOrMore(DIGIT))),
        Rule.optional(
            Rule.sequence(
                Rule.chars(CharSet.of("eE")),
                Rule.optional(Rule.chars(CharSet.of("+-"))),
                Rule.oneOrMore(DIGIT))));
  }

  private static Map<String, Rule> common() {
    Map<String, Rule> rules = new HashMap<>();
    rules.put("space", SPACE);
    rules.put("string", string(0, Rule.UNBOUNDED));
    rules.put("number", number());
    Rule space = Rule.reference("space");
    Rule comma = Rule.sequence(space, Rule.text(","), space);
    Rule value = Rule.reference("value");
    rules.put(
        "array",
        Rule.sequence(
            Rule.text("["),
            space,
            Rule.optional(
                Rule.sequence(value, Rule.zeroOrMore(Rule.sequence(comma, value)), space)),
            Rule.text("]")));
    Rule member = Rule.sequence(Rule.reference("string"), space, Rule.text(":"), space, value);
    rules.put(
        "object",
        Rule.sequence(
            Rule.text("{"),
            space,
            Rule.optional(
                Rule.sequence(member, Rule.zeroOrMore(Rule.sequence(comma, member)), space)),
            Rule.text("}")));
    rules.put(
        "value",
        Rule.choice(
            Rule.reference("string"),
            Rule.reference("number"),
            Rule.reference("array"),
            Rule.reference("object"),
            Rule.text("true"),
            Rule.text("false"),
            Rule.text("null")));
    return rules;
  }

  /** Any JSON value. */
  static Grammar any() {
    return new Grammar(common(), "value");
  }

  private static Rule member(String name, Rule value) {
    Rule space = Rule.reference("space");
    return Rule.sequence(Rule.text("\"" + name + "\""), space, Rule.text(":"), space, value);
  }

  private static Rule object(Optional<Rule> additional, Rule.Member... members) {
    Rule space = Rule.reference("space");
    Rule comma = Rule.sequence(space, Rule.text(","), space);
    return Rule.sequence(
        Rule.text("{"),
        space,
        new Rule.Members(List.of(members), additional, comma, 0, Rule.UNBOUNDED),
        space,
        Rule.text("}"));
  }

  /** A record with strings with and without bounds, numbers, a list of records, an enumeration. */
  static Grammar person() {
    Map<String, Rule> rules = common();
    Rule space = Rule.reference("space");
    Rule comma = Rule.sequence(space, Rule.text(","), space);
    Rule address =
        object(
            Optional.empty(),
            new Rule.Member(member("street", string(1, 100)), true),
            new Rule.Member(member("city", string(1, 50)), true),
            new Rule.Member(
                member(
                    "zip",
                    Rule.sequence(Rule.text("\""), new Rule.Repeat(DIGIT, 5, 5), Rule.text("\""))),
                false));
    rules.put("address", address);
    rules.put(
        "person",
        object(
            Optional.empty(),
            new Rule.Member(member("name", string(1, 200)), true),
            new Rule.Member(member("age", Rule.reference("number")), true),
            new Rule.Member(member("biography", Rule.reference("string")), false),
            new Rule.Member(
                member(
                    "role",
                    Rule.choice(
                        Rule.text("\"admin\""), Rule.text("\"user\""), Rule.text("\"guest\""))),
                true),
            new Rule.Member(
                member(
                    "addresses",
                    Rule.sequence(
                        Rule.text("["),
                        space,
                        Rule.reference("address"),
                        new Rule.Repeat(Rule.sequence(comma, Rule.reference("address")), 0, 1000),
                        space,
                        Rule.text("]"))),
                false),
            new Rule.Member(member("note", Rule.reference("value")), false)));
    return new Grammar(rules, "person");
  }

  /** A record of so many members. */
  static Grammar wide(int members) {
    List<Rule.Member> all = new ArrayList<>();
    for (int i = 0; i < members; i++) {
      all.add(new Rule.Member(member("member" + i, Rule.reference("number")), i % 2 == 0));
    }
    Map<String, Rule> rules = common();
    rules.put("wide", object(Optional.empty(), all.toArray(Rule.Member[]::new)));
    return new Grammar(rules, "wide");
  }

  /** A record of one named member and any others of names that are not its own. */
  static Grammar open() {
    Map<String, Rule> rules = common();
    Rule space = Rule.reference("space");
    Rule colon = Rule.sequence(space, Rule.text(":"), space);
    // Names of up to three characters, or of more, but not those that begin with "name".
    Rule other =
        Rule.choice(
            new Rule.Repeat(CHARACTER, 0, 3),
            Rule.sequence(
                new Rule.Repeat(CHARACTER, 3, 3),
                Rule.chars(PLAIN.minus(CharSet.of("e"))),
                Rule.zeroOrMore(CHARACTER)));
    Rule additional =
        Rule.sequence(Rule.text("\""), other, Rule.text("\""), colon, Rule.reference("number"));
    rules.put(
        "open",
        object(
            Optional.of(additional),
            new Rule.Member(member("name", Rule.reference("number")), true)));
    return new Grammar(rules, "open");
  }
}
