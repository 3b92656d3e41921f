package dev.nautil;

import dev.nautil.engine.ChatFormat;
import dev.nautil.engine.GenerationRequest;
import dev.nautil.engine.Grammars;
import dev.nautil.engine.RestoredKv;
import dev.nautil.engine.Samplers;
import dev.nautil.engine.SignalSource;
import dev.nautil.tokenizer.Tokenizer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** What a session needs of a model. */
interface SessionModel {
  Tokenizer tokenizer();

  ChatFormat chatFormat();

  /** Tokens that a conversation can have. */
  int contextLength();

  Samplers samplers();

  Grammars grammars();

  /** Starts a generation. */
  SignalSource submit(GenerationRequest request);

  /** How probable each token of a prompt is after those before it, from the second on. */
  List<TokenLogprob> score(int[] prompt, int alternatives);

  /**
   * Saves a conversation to a file.
   *
   * @param prompt what the next turn begins with, as far as it is known
   * @param restored the session's
   */
  void save(Path file, SavedConversation conversation, int[] prompt, @Nullable RestoredKv restored);

  /** Holds the model, which would be closed if nobody did. */
  static SessionModel of(Model model) {
    return new SessionModel() {
      @Override
      public Tokenizer tokenizer() {
        return model.loaded().tokenizer();
      }

      @Override
      public ChatFormat chatFormat() {
        return model.loaded().chatFormat();
      }

      @Override
      public int contextLength() {
        return model.describe().contextSize();
      }

      @Override
      public Samplers samplers() {
        return model.loaded().samplers();
      }

      @Override
      public Grammars grammars() {
        return model.loaded().grammars();
      }

      @Override
      public SignalSource submit(GenerationRequest request) {
        return model.engine().submit(request);
      }

      @Override
      public List<TokenLogprob> score(int[] prompt, int alternatives) {
        return model.score(prompt, alternatives);
      }

      @Override
      public void save(
          Path file, SavedConversation conversation, int[] prompt, @Nullable RestoredKv restored) {
        new SessionFile(file, model).write(conversation, prompt, restored);
      }
    };
  }
}
