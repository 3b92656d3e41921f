package dev.nautil.grammar;

import java.util.List;
import java.util.Objects;
import java.util.Optional;

/** What a part of a text may be. Immutable. */
public sealed interface Rule {
  /** {@link Repeat#max} of what may come any number of times. */
  int UNBOUNDED = -1;

  /** Exactly this text; empty for nothing. */
  record Text(String text) implements Rule {
    public Text {
      Objects.requireNonNull(text, "text");
    }
  }

  /** One character of a set. */
  record Chars(CharSet set) implements Rule {
    public Chars {
      Objects.requireNonNull(set, "set");
    }
  }

  /**
   * One token of the vocabulary, whatever its text: what stands for a control token, which no text
   * matches.
   */
  record Token(int id) implements Rule {
    public Token {
      if (id < 0) {
        throw new IllegalArgumentException("token " + id);
      }
    }
  }

  /** One after another. */
  record Sequence(List<Rule> parts) implements Rule {
    public Sequence {
      parts = List.copyOf(parts);
    }
  }

  /** Any one of these; nothing at all matches a choice of none. */
  record Choice(List<Rule> alternatives) implements Rule {
    public Choice {
      alternatives = List.copyOf(alternatives);
    }
  }

  /**
   * The same several times.
   *
   * @param max {@link #UNBOUNDED} or at least min
   */
  record Repeat(Rule rule, int min, int max) implements Rule {
    public Repeat {
      Objects.requireNonNull(rule, "rule");
      if (min < 0 || (max != UNBOUNDED && max < min)) {
        throw new IllegalArgumentException("a repetition of " + min + " to " + max);
      }
    }
  }

  /** The grammar's rule of this name. */
  record Reference(String name) implements Rule {
    public Reference {
      Objects.requireNonNull(name, "name");
    }
  }

  /**
   * What matches all of these at once, of which there is at least one. Each must be regular: a
   * reference in it must not lead back to itself. There is no {@link Token} in it.
   */
  record Intersection(List<Rule> rules) implements Rule {
    public Intersection {
      rules = List.copyOf(rules);
      if (rules.isEmpty()) {
        throw new IllegalArgumentException("an intersection of nothing");
      }
    }
  }

  /**
   * Members in any order, each at most once, and any number of additional ones among them, with a
   * separator between two. Members and additional ones begin differently, so that it is clear after
   * some characters which of them has begun.
   *
   * @param additional a member that may come any number of times; empty for none
   * @param min members there must be, the additional ones counted
   * @param max members there may be, or {@link #UNBOUNDED}
   */
  record Members(List<Member> members, Optional<Rule> additional, Rule separator, int min, int max)
      implements Rule {
    public Members {
      members = List.copyOf(members);
      Objects.requireNonNull(additional, "additional");
      Objects.requireNonNull(separator, "separator");
      if (min < 0 || (max != UNBOUNDED && max < min)) {
        throw new IllegalArgumentException("a number of members from " + min + " to " + max);
      }
    }
  }

  /** One of {@link Members}. */
  record Member(Rule rule, boolean required) {
    public Member {
      Objects.requireNonNull(rule, "rule");
    }
  }

  static Rule text(String text) {
    return new Text(text);
  }

  static Rule chars(CharSet set) {
    return new Chars(set);
  }

  static Rule sequence(Rule... parts) {
    return new Sequence(List.of(parts));
  }

  static Rule choice(Rule... alternatives) {
    return new Choice(List.of(alternatives));
  }

  static Rule optional(Rule rule) {
    return new Repeat(rule, 0, 1);
  }

  static Rule zeroOrMore(Rule rule) {
    return new Repeat(rule, 0, UNBOUNDED);
  }

  static Rule oneOrMore(Rule rule) {
    return new Repeat(rule, 1, UNBOUNDED);
  }

  static Rule reference(String name) {
    return new Reference(name);
  }
}
