package dev.nautil.tokenizer;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * The tokens that are found in text as they are, before anything else: control tokens (and the
 * unknown token), where the text is trusted, and user-defined ones anywhere.
 *
 * <p>Of those that may be recognised at a place, the longest is; what it covers is not looked at
 * again.
 */
final class SpecialTokens {
  private static final class Node {
    final Map<Character, Node> children = new HashMap<>();
    int token = -1;
  }

  /** One token found in a text. */
  record Match(int token, int end) {}

  private final Node root = new Node();

  /** First characters of special tokens: nearly all text is passed over by this alone. */
  private final BitSet firsts = new BitSet();

  private final TokenTypes types;

  SpecialTokens(StringTable tokens, TokenTypes types) {
    this.types = types;
    for (int id = 0; id < tokens.size(); id++) {
      if (types.isControl(id) || types.isUserDefined(id)) {
        add(tokens.string(id), id);
      }
    }
  }

  private void add(String text, int id) {
    if (text.isEmpty()) {
      return;
    }
    firsts.set(text.charAt(0));
    Node node = root;
    for (int i = 0; i < text.length(); i++) {
      node = node.children.computeIfAbsent(text.charAt(i), c -> new Node());
    }
    if (node.token < 0) {
      node.token = id;
    }
  }

  /** The special token of exactly this text. */
  OptionalInt find(String text) {
    @Nullable Node node = root;
    for (int i = 0; i < text.length() && node != null; i++) {
      node = node.children.get(text.charAt(i));
    }
    return node == null || node.token < 0 ? OptionalInt.empty() : OptionalInt.of(node.token);
  }

  /** The first index from {@code from} on at which a special token may start, or the length. */
  int nextCandidate(char[] text, int from) {
    int i = from;
    while (i < text.length && !firsts.get(text[i])) {
      i++;
    }
    return i;
  }

  /** The special token to recognise at {@code from}, or null. */
  @Nullable Match match(char[] text, int from, PromptText source) {
    @Nullable Match longest = null;
    @Nullable Node node = root.children.get(text[from]);
    for (int end = from + 1; node != null; end++) {
      int token = node.token;
      if (token >= 0 && (types.isUserDefined(token) || source.isTrusted(from, end))) {
        longest = new Match(token, end);
      }
      node = end < text.length ? node.children.get(text[end]) : null;
    }
    return longest;
  }
}
