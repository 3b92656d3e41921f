package dev.nautil;

import dev.nautil.engine.ChatFormat;
import dev.nautil.engine.Generation.Signal;
import dev.nautil.engine.GenerationRequest;
import dev.nautil.engine.Grammars;
import dev.nautil.engine.Samplers;
import dev.nautil.engine.SignalSource;
import dev.nautil.engine.Vocabularies;
import dev.nautil.grammar.GrammarMatcher;
import dev.nautil.internal.NativeFile;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import org.jspecify.annotations.Nullable;

/** A model that says what it is told to, token by token, and notes what it was asked. */
final class ScriptedModel implements RepliesOnly {
  /** What it says next, and why it stops. */
  private record Line(String text, FinishReason reason) {}

  private final Tokenizer tokenizer;
  private final ChatFormat format;
  private int contextLength = 4096;
  private final Samplers samplers;
  private final Grammars grammars;
  private final Deque<Line> script = new ArrayDeque<>();
  private final List<int[]> prompts = new ArrayList<>();
  private final List<@Nullable GrammarMatcher> matchers = new ArrayList<>();

  /** Of a model file: its tokenizer and its chat format. */
  ScriptedModel(String file) {
    this(file, null);
  }

  /** Of a model file's tokenizer, with another chat template; null: the file's format. */
  ScriptedModel(String file, @Nullable String template) {
    try (NativeFile opened = NativeFile.open(TestModels.path(file), false)) {
      tokenizer = Vocabularies.tokenizer(opened);
      format =
          template == null
              ? ChatFormat.of(opened, tokenizer, null)
              : ChatFormat.of(template, tokenizer);
      samplers = new Samplers(tokenizer, tokenizer.size());
      grammars = new Grammars(tokenizer);
    }
  }

  ScriptedModel contextLength(int tokens) {
    contextLength = tokens;
    return this;
  }

  ScriptedModel says(String text) {
    return says(text, FinishReason.STOP);
  }

  ScriptedModel says(String text, FinishReason reason) {
    script.add(new Line(text, reason));
    return this;
  }

  /** The prompt of the n-th generation, from 0, control tokens shown. */
  String prompt(int n) {
    return tokenizer.decodeWithControl(prompts.get(n));
  }

  int[] promptTokens(int n) {
    return prompts.get(n);
  }

  /** Whether the n-th generation was held to something, and could have begun so. */
  boolean couldSay(int n, String text) {
    GrammarMatcher matcher = Objects.requireNonNull(matchers.get(n)).copy();
    for (int token : tokenizer.encode(PromptText.trusted(text))) {
      if (!matcher.allows(token)) {
        return false;
      }
      matcher.accept(token);
    }
    return true;
  }

  int generations() {
    return prompts.size();
  }

  @Override
  public Tokenizer tokenizer() {
    return tokenizer;
  }

  @Override
  public ChatFormat chatFormat() {
    return format;
  }

  @Override
  public int contextLength() {
    return contextLength;
  }

  @Override
  public Samplers samplers() {
    return samplers;
  }

  @Override
  public Grammars grammars() {
    return grammars;
  }

  @Override
  public SignalSource submit(GenerationRequest request) {
    prompts.add(request.prompt());
    matchers.add(request.matcher());
    Line line = script.remove();
    BlockingQueue<Signal> signals = new LinkedBlockingQueue<>();
    signals.add(new Signal.Prompt(request.prompt().length, request.prompt().length));
    if (line.text.equals("fail")) {
      signals.add(new Signal.Failed(new NautilException("the script says so")));
      return source(signals);
    }
    for (int token : tokenizer.encode(PromptText.trusted(line.text))) {
      signals.add(new Signal.Token(token, null));
    }
    if (line.reason != FinishReason.CANCELLED) {
      signals.add(end(line.reason));
    }
    return source(signals);
  }

  private static Signal end(FinishReason reason) {
    Duration second = Duration.ofSeconds(1);
    return new Signal.End(reason, 0, new Timings(second, second, second));
  }

  private static SignalSource source(BlockingQueue<Signal> signals) {
    return new SignalSource() {
      @Override
      public Signal take() throws InterruptedException {
        return signals.take();
      }

      @Override
      public void cancel() {
        signals.add(end(FinishReason.CANCELLED));
      }
    };
  }
}
