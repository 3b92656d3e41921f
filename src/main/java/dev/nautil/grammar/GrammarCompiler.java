package dev.nautil.grammar;

import dev.nautil.GrammarException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * Makes a {@link Program} of a {@link Grammar}.
 *
 * <p>A rule that leads back to itself, a repetition with a high count, members and an intersection
 * become a {@link Frame} each. Anything else becomes a part of the automaton of the frame that it
 * is in. What matches nothing is left out, so that whatever has begun can be ended.
 */
final class GrammarCompiler {
  /** Edges of what is repeated, times the count, above which it is counted instead of copied. */
  private static final int MAX_COPIED = 64;

  /** Edges of a rule, above which it is called instead of copied to where it is referred to. */
  private static final int MAX_INLINE = 128;

  /** References within references that are copied. */
  private static final int MAX_INLINE_DEPTH = 32;

  /** Edges in all, above which a grammar is refused: about a gigabyte of states. */
  private static final long MAX_EDGES = 4_000_000;

  private final Grammar grammar;
  private final RuleFacts facts;
  private final Map<String, Long> inlineSizes = new HashMap<>();
  private final Map<String, Integer> inlineDepths = new HashMap<>();
  private final Map<Rule, Long> sizes = new IdentityHashMap<>();
  private final Map<CharSet, Utf8Ranges> utf8 = new IdentityHashMap<>();

  private final List<Frame> frames = new ArrayList<>();
  private final Map<String, Integer> frameOfRule = new HashMap<>();
  private final Map<Rule, Integer> frameOfPart = new IdentityHashMap<>();

  /** Of the frame that is being compiled. */
  private Nfa nfa = new Nfa();

  private String name = "";
  private long edges;

  private GrammarCompiler(Grammar grammar) {
    this.grammar = grammar;
    this.facts = new RuleFacts(grammar);
  }

  /**
   * @throws GrammarException if it matches nothing, refers to a rule that is missing, or is too
   *     large; the message names the rule
   */
  static Program compile(Grammar grammar) {
    GrammarCompiler compiler = new GrammarCompiler(grammar);
    Program program = compiler.compile();
    if (program == null) {
      throw new GrammarException(
          "rule '" + compiler.facts.culprit(grammar.root()) + "' matches no text");
    }
    return program;
  }

  /** Like {@link #compile}, but null if the grammar matches nothing. */
  static @Nullable Program compileOrNull(Grammar grammar) {
    return new GrammarCompiler(grammar).compile();
  }

  private @Nullable Program compile() {
    RuleFacts.Facts root = facts.of(grammar.root());
    if (!root.productive()) {
      return null;
    }
    facts.order().forEach(this::decideInline);
    frameOfRule(grammar.root());
    for (int i = 0; i < frames.size(); i++) {
      compile(frames.get(i));
    }
    LeftRecursion.remove(frames);
    PlainCapacity.set(frames);
    return new Program(inOrder(), frames.get(0), root.nullable(), root.nonEmpty());
  }

  private void decideInline(String rule) {
    int depth = 1 + inlineDepth(facts.rule(rule));
    long size = size(facts.rule(rule));
    if (!facts.isRecursive(rule) && size <= MAX_INLINE && depth <= MAX_INLINE_DEPTH) {
      inlineSizes.put(rule, size);
      inlineDepths.put(rule, depth);
    }
  }

  private int inlineDepth(Rule rule) {
    if (rule instanceof Rule.Reference reference) {
      return inlineDepths.getOrDefault(reference.name(), 0);
    }
    int depth = 0;
    for (Rule part : inlined(rule)) {
      depth = Math.max(depth, inlineDepth(part));
    }
    return depth;
  }

  /** The parts of a rule that are in the same automaton. */
  private static List<Rule> inlined(Rule rule) {
    if (rule instanceof Rule.Sequence sequence) {
      return sequence.parts();
    } else if (rule instanceof Rule.Choice choice) {
      return choice.alternatives();
    } else if (rule instanceof Rule.Repeat repeat) {
      return List.of(repeat.rule());
    }
    return List.of();
  }

  private long size(Rule rule) {
    Long known = sizes.get(rule);
    if (known == null) {
      known = newSize(rule);
      sizes.put(rule, known);
    }
    return known;
  }

  private long newSize(Rule rule) {
    if (rule instanceof Rule.Text text) {
      return text.text().length();
    } else if (rule instanceof Rule.Chars chars) {
      return utf8(chars.set()).size();
    } else if (rule instanceof Rule.Reference reference) {
      return inlineSizes.getOrDefault(reference.name(), 1L);
    } else if (rule instanceof Rule.Repeat repeat) {
      return isCopied(repeat) ? Math.max(1, copies(repeat)) * (size(repeat.rule()) + 1) : 1;
    }
    long size = 1;
    for (Rule part : inlined(rule)) {
      size += size(part);
    }
    return size;
  }

  private Utf8Ranges utf8(CharSet set) {
    return utf8.computeIfAbsent(set, Utf8Ranges::of);
  }

  private static long copies(Rule.Repeat repeat) {
    return repeat.max() == Rule.UNBOUNDED
        ? Math.max(1, repeat.min() == 1 ? 1 : repeat.min() + 1L)
        : repeat.max();
  }

  private boolean isCopied(Rule.Repeat repeat) {
    long copies = copies(repeat);
    return copies <= 1 || size(repeat.rule()) * copies <= MAX_COPIED;
  }

  private int frameOfRule(String rule) {
    Integer frame = frameOfRule.get(rule);
    if (frame == null) {
      frame = add(new Frame(Frame.Kind.RULE, rule, facts.rule(rule)));
      frameOfRule.put(rule, frame);
    }
    return frame;
  }

  private int frameOfPart(Rule part) {
    Integer frame = frameOfPart.get(part);
    if (frame == null) {
      Frame.Kind kind =
          part instanceof Rule.Repeat
              ? Frame.Kind.COUNT
              : part instanceof Rule.Members ? Frame.Kind.MEMBERS : Frame.Kind.INTERSECTION;
      frame = add(new Frame(kind, name, part));
      frameOfPart.put(part, frame);
    }
    return frame;
  }

  private int add(Frame frame) {
    frames.add(frame);
    return frames.size() - 1;
  }

  private void compile(Frame frame) {
    nfa = new Nfa();
    name = frame.name;
    int start = nfa.newState();
    switch (frame.kind) {
      case RULE -> {
        nfa.accept(build(frame.rule, start), 0);
        frame.start = Determinizer.run(nfa, frame, start)[0];
      }
      case COUNT -> {
        Rule.Repeat repeat = (Rule.Repeat) frame.rule;
        frame.min = facts.of(repeat.rule()).nullable() ? 0 : repeat.min();
        frame.max = repeat.max();
        nfa.accept(build(repeat.rule(), start), 0);
        frame.start = Determinizer.run(nfa, frame, start)[0];
      }
      case MEMBERS -> compileMembers(frame, (Rule.Members) frame.rule, start);
      case INTERSECTION -> {
        frame.product = facts.product(name, (Rule.Intersection) frame.rule);
        frame.start = new State(frame);
        frame.states = new State[] {frame.start};
      }
    }
    for (State state : frame.states) {
      edges += 1 + state.bytes.length / 3 + state.calls.length / 2;
    }
    if (edges > MAX_EDGES) {
      throw tooLarge();
    }
  }

  private GrammarException tooLarge() {
    return new GrammarException("the grammar is too large, at rule '" + name + "'");
  }

  private void compileMembers(Frame frame, Rule.Members rule, int start) {
    frame.members = facts.memberSet(rule);
    int count = rule.members().size();
    for (int i = 0; i < count; i++) {
      compileMember(rule.members().get(i).rule(), start, i);
    }
    rule.additional().ifPresent(r -> compileMember(r, start, count));
    int again = nfa.newState();
    if (facts.of(rule.separator()).productive()) {
      nfa.free(build(rule.separator(), again), start);
    }
    State[] starts = Determinizer.run(nfa, frame, start, again);
    frame.start = starts[0];
    frame.again = starts[1];
    MemberReach.set(frame.states, count + 1);
  }

  private void compileMember(Rule rule, int start, int tag) {
    RuleFacts.Facts f = facts.of(rule);
    if (f.nullable()) {
      throw new GrammarException("rule '" + name + "' has a member that may be empty");
    }
    if (f.productive()) {
      nfa.accept(build(rule, start), tag);
    }
  }

  private void requireRoom() {
    if (nfa.size() > MAX_EDGES) {
      throw tooLarge();
    }
  }

  /** Adds a rule that matches something; gives the state after it. No edge leads to its start. */
  private int build(Rule rule, int from) {
    requireRoom();
    if (rule instanceof Rule.Text text) {
      return nfa.text(from, text.text().getBytes(StandardCharsets.UTF_8));
    } else if (rule instanceof Rule.Chars chars) {
      return nfa.chars(from, utf8(chars.set()));
    } else if (rule instanceof Rule.Token token) {
      int to = nfa.newState();
      nfa.token(from, token.id(), to);
      return to;
    } else if (rule instanceof Rule.Sequence sequence) {
      int at = from;
      for (Rule part : sequence.parts()) {
        at = build(part, at);
      }
      return at;
    } else if (rule instanceof Rule.Choice choice) {
      return buildChoice(choice, from);
    } else if (rule instanceof Rule.Repeat repeat) {
      return isCopied(repeat)
          ? buildCopies(repeat, from)
          : buildCall(frameOfPart(rule), rule, from);
    } else if (rule instanceof Rule.Reference reference) {
      return inlineSizes.containsKey(reference.name())
          ? build(facts.rule(reference.name()), from)
          : buildCall(frameOfRule(reference.name()), rule, from);
    }
    return buildCall(frameOfPart(rule), rule, from);
  }

  /**
   * A byte of a text or another part of a sequence, the same object, after a state.
   *
   * @param by a {@link Byte}, of which there is one object a value, or a {@link Rule}
   */
  private record Step(int from, Object by) {
    @Override
    public boolean equals(@Nullable Object o) {
      return o instanceof Step other && from == other.from && by == other.by;
    }

    @Override
    public int hashCode() {
      return 31 * from + System.identityHashCode(by);
    }
  }

  /** Alternatives that begin alike share that: of thousands of texts, most states are the same. */
  private int buildChoice(Rule.Choice choice, int from) {
    int to = nfa.newState();
    buildAlternatives(choice, from, to, new HashMap<>());
    return to;
  }

  private void buildAlternatives(Rule.Choice choice, int from, int to, Map<Step, Integer> steps) {
    for (Rule alternative : choice.alternatives()) {
      if (alternative instanceof Rule.Choice inner) {
        buildAlternatives(inner, from, to, steps);
      } else if (facts.of(alternative).productive()) {
        nfa.free(buildShared(alternative, from, steps), to);
      }
    }
  }

  /** As {@link #build}, with the steps that are known, to which those that are made are added. */
  private int buildShared(Rule rule, int from, Map<Step, Integer> steps) {
    requireRoom();
    int at = from;
    if (rule instanceof Rule.Sequence sequence) {
      for (Rule part : sequence.parts()) {
        at = buildShared(part, at, steps);
      }
    } else if (rule instanceof Rule.Text text) {
      for (byte b : text.text().getBytes(StandardCharsets.UTF_8)) {
        int before = at;
        at = steps.computeIfAbsent(new Step(at, b), step -> nfa.text(before, new byte[] {b}));
      }
    } else {
      Step step = new Step(at, rule);
      Integer known = steps.get(step);
      at = known != null ? known : build(rule, at);
      steps.put(step, at);
    }
    return at;
  }

  private int buildCopies(Rule.Repeat repeat, int from) {
    if (!facts.of(repeat.rule()).productive() || repeat.max() == 0) {
      return from;
    }
    int at = from;
    for (int i = 0; i < repeat.min(); i++) {
      at = build(repeat.rule(), at);
    }
    if (repeat.max() == Rule.UNBOUNDED) {
      int loop = nfa.newState();
      nfa.free(at, loop);
      nfa.free(build(repeat.rule(), loop), loop);
      return loop;
    }
    int to = nfa.newState();
    for (int i = repeat.min(); i < repeat.max(); i++) {
      nfa.free(at, to);
      at = build(repeat.rule(), at);
    }
    nfa.free(at, to);
    return to;
  }

  private int buildCall(int frame, Rule rule, int from) {
    RuleFacts.Facts f = facts.of(rule);
    int to = nfa.newState();
    if (f.nonEmpty()) {
      nfa.call(from, frame, to);
    }
    if (f.nullable()) {
      nfa.free(from, to);
    }
    return to;
  }

  /** The frames by {@link Frame#order}, and calls by the numbers that they have in it. */
  private List<Frame> inOrder() {
    Frame[] ordered = new Frame[frames.size()];
    for (Frame frame : frames) {
      ordered[frame.order] = frame;
      for (State state : frame.states) {
        for (int i = 0; i < state.calls.length; i += 2) {
          state.calls[i] = frames.get(state.calls[i]).order;
        }
      }
    }
    return Arrays.asList(ordered);
  }
}
