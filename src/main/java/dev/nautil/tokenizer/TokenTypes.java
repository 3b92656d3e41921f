package dev.nautil.tokenizer;

import java.util.BitSet;
import java.util.Set;

/** Which tokens are special, and which end a reply. */
final class TokenTypes {
  /**
   * Tokens that end a turn or a text in the model families that have them, whatever type their
   * files give them (llama-vocab.cpp's list): a file often names one end token where the model uses
   * two.
   */
  private static final Set<String> ENDS =
      Set.of(
          "</s>",
          "<eos>",
          "<|endoftext|>",
          "<|end_of_text|>",
          "<|eot_id|>",
          "<|eom_id|>",
          "<|im_end|>",
          "<|end|>",
          "<end_of_turn>",
          "<end_of_utterance>",
          "<EOT>",
          "_<EOT>",
          "[EOT]",
          "[EOS]",
          "<｜end▁of▁sentence｜>",
          // A model that completes code ends a file with these.
          "<|fim_pad|>",
          "<fim-pad>",
          "<fim_pad>",
          "<PAD>",
          "[PAD]",
          "<|fim_repo|>",
          "<|repo_name|>",
          "<fim-repo>",
          "<REPO>",
          "<reponame>",
          "<|file_sep|>");

  private final BitSet control = new BitSet();
  private final BitSet userDefined = new BitSet();
  private final BitSet bytes = new BitSet();
  private final BitSet ends = new BitSet();

  TokenTypes(Vocabulary vocabulary) {
    for (int id = 0; id < vocabulary.size(); id++) {
      int type = vocabulary.type(id);
      boolean end = isEnd(vocabulary.tokens(), id);
      ends.set(id, end);
      control.set(id, end || type == Vocabulary.CONTROL || type == Vocabulary.UNKNOWN);
      userDefined.set(id, !end && type == Vocabulary.USER_DEFINED);
      bytes.set(id, type == Vocabulary.BYTE);
    }
    if (vocabulary.eos() >= 0) {
      ends.set(vocabulary.eos());
    }
    if (vocabulary.eot() >= 0) {
      ends.set(vocabulary.eot());
    }
  }

  private static boolean isEnd(StringTable tokens, int id) {
    if (tokens.start(id) == tokens.end(id)) {
      return false;
    }
    byte first = tokens.bytes()[tokens.start(id)];
    return (first == '<' || first == '[' || first == '_') && ENDS.contains(tokens.string(id));
  }

  /** Control tokens, and the unknown token: no text of a user's becomes one, nor do they show. */
  boolean isControl(int id) {
    return control.get(id);
  }

  /** Tokens that a publisher added to the vocabulary as text of its own right. */
  boolean isUserDefined(int id) {
    return userDefined.get(id);
  }

  /** Tokens that stand for one byte, named {@code <0x00>} to {@code <0xFF>}. */
  boolean isByte(int id) {
    return bytes.get(id);
  }

  /** Whether a reply ends at this token. */
  boolean isEnd(int id) {
    return ends.get(id);
  }

  int[] ends() {
    return ends.stream().toArray();
  }
}
