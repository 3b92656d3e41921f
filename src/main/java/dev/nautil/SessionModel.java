package dev.nautil;

import dev.nautil.engine.ChatFormat;
import dev.nautil.engine.GenerationRequest;
import dev.nautil.engine.Grammars;
import dev.nautil.engine.Samplers;
import dev.nautil.engine.SignalSource;
import dev.nautil.tokenizer.Tokenizer;

/** What a session needs of a model. */
interface SessionModel {
  Tokenizer tokenizer();

  ChatFormat chatFormat();

  Samplers samplers();

  Grammars grammars();

  /** Starts a generation. */
  SignalSource submit(GenerationRequest request);

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
    };
  }
}
