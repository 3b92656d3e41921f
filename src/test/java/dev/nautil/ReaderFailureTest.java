package dev.nautil;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.engine.ChatFormat;
import dev.nautil.engine.Generation.Signal;
import dev.nautil.engine.GenerationRequest;
import dev.nautil.engine.Grammars;
import dev.nautil.engine.Samplers;
import dev.nautil.engine.SignalSource;
import dev.nautil.tokenizer.Tokenizer;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** A turn whose reader fails, not its generation: nothing goes on for nobody. */
class ReaderFailureTest {
  private final AtomicInteger cancelled = new AtomicInteger();
  private final Session session = new Session(new Failing(), Session.options());

  @Test
  void anErrorEndsTheGeneration() {
    Error error = assertThrows(OutOfMemoryError.class, () -> session.send("Hello"));
    assertEquals("of the test", error.getMessage());
    assertTrue(cancelled.get() > 0, "the generation goes on");
    assertEquals(List.of(), session.history());
    cancelled.set(0);
    Reply.Stream stream = session.stream("Hello");
    Error again = assertThrows(OutOfMemoryError.class, stream::reply);
    NautilException told = assertThrows(NautilException.class, stream::reply);
    assertSame(again, told.getCause());
    assertTrue(cancelled.get() > 0, "the generation goes on");
  }

  private final class Failing implements RepliesOnly {
    private final ScriptedModel model = new ScriptedModel("SmolLM2-135M-Instruct.Q4_1.gguf");

    @Override
    public Tokenizer tokenizer() {
      return model.tokenizer();
    }

    @Override
    public ChatFormat chatFormat() {
      return model.chatFormat();
    }

    @Override
    public int contextLength() {
      return model.contextLength();
    }

    @Override
    public Samplers samplers() {
      return model.samplers();
    }

    @Override
    public Grammars grammars() {
      return model.grammars();
    }

    @Override
    public SignalSource submit(GenerationRequest request) {
      return new SignalSource() {
        @Override
        public Signal take() {
          throw new OutOfMemoryError("of the test");
        }

        @Override
        public void cancel() {
          cancelled.incrementAndGet();
        }
      };
    }
  }
}
