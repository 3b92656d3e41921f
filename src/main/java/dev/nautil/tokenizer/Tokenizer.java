package dev.nautil.tokenizer;

import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import org.jspecify.annotations.Nullable;

/**
 * Text to token ids and back.
 *
 * <p>Encoding adds neither BOS nor EOS: {@link #addBos} and {@link #addEos} say what a whole prompt
 * of this model starts and ends with. The ids depend on the vocabulary and the text alone, not on
 * the JDK or its version of Unicode. A lone surrogate in a text is encoded as U+FFFD.
 *
 * <p>Immutable and thread-safe.
 */
public abstract class Tokenizer {
  private final Vocabulary vocabulary;
  private final TokenTypes types;
  private final SpecialTokens specials;

  /** By id: the bytes that the token puts into a text. */
  private final StringTable pieces;

  Tokenizer(Vocabulary vocabulary, TokenTypes types, StringTable pieces) {
    this.vocabulary = vocabulary;
    this.types = types;
    this.specials = new SpecialTokens(vocabulary.tokens(), types);
    this.pieces = pieces;
  }

  /**
   * The tokenizer of a model: byte-level BPE where the vocabulary's model is "gpt2",
   * SentencePiece's BPE with byte fallback where it is "llama".
   *
   * @throws IllegalArgumentException if the model or the pre-tokenizer is not supported (the
   *     message lists those that are), or if the vocabulary lacks what its model needs
   */
  public static Tokenizer of(Vocabulary vocabulary) {
    return switch (vocabulary.model()) {
      case "gpt2" -> new BytePairTokenizer(vocabulary, new TokenTypes(vocabulary));
      case "llama" -> new SentencePieceTokenizer(vocabulary, new TokenTypes(vocabulary));
      default ->
          throw new IllegalArgumentException(
              "unknown tokenizer model \""
                  + vocabulary.model()
                  + "\"; supported are [gpt2, llama]");
    };
  }

  /** Encodes text in which no control token is recognised, whatever it looks like. */
  public final int[] encode(String text) {
    return encode(PromptText.plain(text));
  }

  /** A special token recognised in a text, at UTF-16 offsets. */
  public record Special(int start, int end, int id) {}

  /**
   * The special tokens in a text, in order: control tokens where they lie wholly inside one trusted
   * span, user-defined tokens anywhere; the longest at a place wins. The text between two of them
   * is encoded by itself.
   */
  public final List<Special> specials(PromptText text) {
    char[] chars = text.text().toCharArray();
    List<Special> found = new ArrayList<>();
    for (int i = specials.nextCandidate(chars, 0); i < chars.length; ) {
      SpecialTokens.@Nullable Match match = specials.match(chars, i, text);
      if (match == null) {
        i++;
      } else {
        found.add(new Special(i, match.end(), match.token()));
        i = match.end();
      }
      i = specials.nextCandidate(chars, i);
    }
    return found;
  }

  /** Encodes text: its {@link #specials}, and what is between them, regardless of spans. */
  public final int[] encode(PromptText text) {
    char[] chars = text.text().toCharArray();
    IntList ids = new IntList();
    RunEncoder encoder = newRunEncoder();
    int runStart = 0;
    for (Special special : specials(text)) {
      if (runStart < special.start) {
        encoder.encode(chars, runStart, special.start, ids);
      }
      ids.add(special.id);
      runStart = special.end;
    }
    if (runStart < chars.length) {
      encoder.encode(chars, runStart, chars.length, ids);
    }
    return ids.toArray();
  }

  /** Encodes the text between special tokens. Holds working memory: one for each encoding. */
  interface RunEncoder {
    /**
     * Encodes {@code text[from, to)}, not empty, which starts the text or follows a special token.
     */
    void encode(char[] text, int from, int to, IntList ids);
  }

  abstract RunEncoder newRunEncoder();

  /** Whether a text starts with a space that the encoder put there and the decoder takes away. */
  abstract boolean hasSpacePrefix();

  /** Number of tokens: ids are 0 to size − 1. */
  public final int size() {
    return vocabulary.size();
  }

  /** The token that begins a text, or −1. */
  public final int bos() {
    return vocabulary.bos();
  }

  /** The token that ends a text, or −1. */
  public final int eos() {
    return vocabulary.eos();
  }

  /** The token for what cannot be encoded, or −1. */
  public final int unk() {
    return vocabulary.unk();
  }

  /** The token that fills up, or −1. */
  public final int padding() {
    return vocabulary.padding();
  }

  /** Whether a whole prompt of this model starts with {@link #bos}, which there is then. */
  public final boolean addBos() {
    return vocabulary.addBos() && bos() >= 0;
  }

  /** Whether a whole text for this model ends with {@link #eos}, which there is then. */
  public final boolean addEos() {
    return vocabulary.addEos() && eos() >= 0;
  }

  /**
   * Whether a token is a control token (or the unknown token): never encoded from plain text, and
   * left out of decoded text.
   */
  public final boolean isControl(int id) {
    return types.isControl(check(id));
  }

  /** Whether a reply ends at this token: EOS, the end of a turn, and the like. */
  public final boolean isEndOfGeneration(int id) {
    return types.isEnd(check(id));
  }

  /** All tokens at which a reply ends, ascending; a copy. */
  public final int[] endOfGeneration() {
    return types.ends();
  }

  /** The control or user-defined token that is written like this, as in {@code [TOOL_CALLS]}. */
  public final OptionalInt specialToken(String text) {
    return specials.find(text);
  }

  /**
   * The bytes that a token puts into a text, which need not be whole characters; for a control
   * token, the way it is written. A copy.
   */
  public final byte[] piece(int id) {
    return pieces.get(check(id));
  }

  /** {@link #piece} of every token, by id. */
  public final StringTable pieces() {
    return pieces;
  }

  /** The text of tokens, control tokens left out. U+FFFD stands for bytes that are not UTF-8. */
  public final String decode(int[] ids) {
    return decode(ids, newStreamDecoder());
  }

  /** The text of tokens, control tokens shown the way they are written. */
  public final String decodeWithControl(int[] ids) {
    return decode(ids, newStreamDecoderWithControl());
  }

  private static String decode(int[] ids, StreamDecoder decoder) {
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      decoder.accept(id, text);
    }
    decoder.finish(text);
    return text.toString();
  }

  /** A decoder at the start of a text that leaves out control tokens. */
  public final StreamDecoder newStreamDecoder() {
    return new StreamDecoder(this, false);
  }

  /** A decoder at the start of a text that shows control tokens the way they are written. */
  public final StreamDecoder newStreamDecoderWithControl() {
    return new StreamDecoder(this, true);
  }

  private int check(int id) {
    if (id < 0 || id >= size()) {
      throw new IndexOutOfBoundsException("token " + id + " of " + size());
    }
    return id;
  }
}
