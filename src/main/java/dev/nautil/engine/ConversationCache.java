package dev.nautil.engine;

import dev.nautil.internal.NativeContext;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * Which conversations the KV cache holds, and where the next one goes.
 *
 * <p>Prompts are whole conversations. A prompt goes to the slot whose tokens it shares the longest
 * prefix with, and only the rest is decoded. Where that would drop tokens of another conversation
 * and there is a slot that is needed less, the prefix is shared into it instead. Slots keep their
 * tokens until another conversation needs the place.
 *
 * <p>The engine thread's alone.
 */
final class ConversationCache {
  /**
   * Tokens that are dropped rather than kept in a slot of their own: of another conversation where
   * all slots hold something, and of what the conversation itself was before it was rewound.
   */
  private static final int CHEAP_TO_LOSE = 256;

  /** How many tokens of a prompt's beginning a slot holds. */
  private record Prefix(Slot slot, int length) {}

  private final NativeContext context;
  private final List<Slot> slots;

  /** Steps so far: the clock by which slots are old. */
  private long steps;

  /**
   * @param context whose sequences are the slots
   * @param n slots; sequences from there on are others'
   */
  ConversationCache(NativeContext context, int n) {
    this.context = context;
    List<Slot> all = new ArrayList<>();
    for (int i = 0; i < n; i++) {
      all.add(new Slot(i));
    }
    slots = Collections.unmodifiableList(all);
  }

  List<Slot> slots() {
    return slots;
  }

  long steps() {
    return steps;
  }

  void beginStep() {
    steps++;
  }

  /** Gives a generation the slot that costs the least: one is free. */
  void start(Generation generation) {
    if (generation.pooler != null) {
      // Keys and values that are held already would not tell what the hidden states were.
      Slot target = leastUsed(slots.get(0));
      truncate(target, 0);
      start(generation, target, 0);
      return;
    }
    int[] prompt = generation.text();
    Prefix longest =
        longestPrefix(prompt, generation.request.restored(), generation.request.conversation());
    Slot source = longest.slot;
    // The last token is decoded in any case: its logits are wanted.
    int shared = Math.min(longest.length, prompt.length - 1);
    Slot target = isNeeded(source, shared, generation) ? leastUsed(source) : source;
    if (target == source) {
      truncate(source, shared);
    } else {
      truncate(target, 0);
      context.fork(source.sequence, target.sequence, shared);
      target.hold(source.tokens(), shared, source.restored);
    }
    start(generation, target, shared);
  }

  private void start(Generation generation, Slot target, int shared) {
    target.user = generation;
    target.conversation = generation.request.conversation();
    target.lastUse = steps;
    generation.start(target, shared);
  }

  /** The slot that holds most of a prompt's beginning; of equal ones the one that it may change. */
  private Prefix longestPrefix(
      int[] prompt, @Nullable RestoredKv restored, @Nullable Object conversation) {
    Prefix longest = null;
    for (Slot slot : slots) {
      int length = slot.commonPrefix(prompt, restored);
      if (longest == null
          || length > longest.length
          || (length == longest.length && isRather(slot, longest.slot, conversation))) {
        longest = new Prefix(slot, length);
      }
    }
    return Objects.requireNonNull(longest);
  }

  /** Whether to go on in a slot rather than another: free, the conversation's own, or older. */
  private static boolean isRather(Slot slot, Slot other, @Nullable Object conversation) {
    if ((slot.user == null) != (other.user == null)) {
      return slot.user == null;
    }
    boolean own = slot.conversation == conversation;
    boolean othersOwn = other.conversation == conversation;
    return own == othersOwn ? slot.lastUse < other.lastUse : own;
  }

  /**
   * Whether what a slot holds after its first tokens is to stay: a generation goes on from it, or
   * it costs no third conversation its place, or it is much of another one.
   */
  private boolean isNeeded(Slot slot, int shared, Generation generation) {
    int lost = slot.length() - shared;
    boolean others = slot.conversation != generation.request.conversation();
    boolean isRoom = slots.stream().anyMatch(s -> s.user == null && s.length() == 0);
    int cheap = isRoom && others ? 0 : CHEAP_TO_LOSE;
    return slot.user != null || (lost > cheap && (isRoom || others));
  }

  /** The slot that can best be given up: free, and empty or longest unused. */
  private Slot leastUsed(Slot fallback) {
    Slot best = fallback;
    boolean found = fallback.user == null;
    for (Slot slot : slots) {
      if (slot.user != null) {
        continue;
      }
      boolean emptier = slot.length() == 0 && best.length() > 0;
      boolean older = slot.lastUse < best.lastUse && (slot.length() == 0) == (best.length() == 0);
      if (!found || emptier || older) {
        best = slot;
        found = true;
      }
    }
    return best;
  }

  /** The generation has ended; its slot keeps the tokens, unless it was an embedded text's. */
  void release(Generation generation) {
    Slot slot = generation.slot;
    if (slot == null) {
      return;
    }
    slot.user = null;
    if (generation.pooler != null) {
      // No text is likely to start like one that was embedded.
      truncate(slot, 0);
    }
  }

  void truncate(Slot slot, int length) {
    context.truncate(slot.sequence, length);
    slot.truncate(length);
  }

  /**
   * Gives up the second half of the longest unused conversation: what it begins with is what others
   * may share. False: all are in use.
   */
  boolean shrinkLongestUnused() {
    Slot unused = null;
    for (Slot slot : slots) {
      // A step that failed for want of heap may have left more than the slot knows of.
      boolean candidate = slot.user == null && context.sequenceLength(slot.sequence) > 0;
      if (candidate && (unused == null || slot.lastUse < unused.lastUse)) {
        unused = slot;
      }
    }
    if (unused == null) {
      return false;
    }
    truncate(unused, unused.length() / 2 / KvRoom.PAGE * KvRoom.PAGE);
    return true;
  }

  /**
   * Makes an empty sequence that is no slot's share what slots hold of the start of a prompt.
   *
   * @return how many tokens
   */
  int shareInto(int sequence, int[] prompt, @Nullable RestoredKv restored) {
    Prefix longest = longestPrefix(prompt, restored, null);
    context.fork(longest.slot.sequence, sequence, longest.length);
    return longest.length;
  }

  /** Gives a slot the tokens of a sequence that is no slot's, unless all slots are in use. */
  void adopt(int sequence, int[] tokens, RestoredKv restored) {
    Slot target = leastUsed(slots.get(0));
    if (target.user != null) {
      return;
    }
    truncate(target, 0);
    context.fork(sequence, target.sequence, tokens.length);
    target.hold(tokens, tokens.length, restored);
    target.lastUse = steps;
  }
}
