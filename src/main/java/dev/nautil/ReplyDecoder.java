package dev.nautil;

import dev.nautil.engine.StopStrings;
import dev.nautil.engine.ToolCallReader;
import dev.nautil.engine.ToolSyntax;
import dev.nautil.json.JsonValues;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.StreamDecoder;
import dev.nautil.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/** Makes of the tokens of a reply its text and its calls. Not thread-safe. */
final class ReplyDecoder {
  /**
   * How calls are found in a reply.
   *
   * @param newIds of calls that the model gave none
   */
  record Calls(ToolSyntax syntax, Supplier<String> newIds) {}

  private final Tokenizer tokenizer;
  private final StreamDecoder decoder;
  private final StopStrings stop;
  private final @Nullable ToolCallReader reader;
  private final @Nullable Calls calls;
  private final StringBuilder text = new StringBuilder();
  private final List<ToolCall> toolCalls = new ArrayList<>();

  /**
   * What a model says behind a call it says without knowing the result, and no format can hold it.
   */
  private boolean textBehindCall;

  /** All that was generated, calls and their markers too. */
  private PromptText whole = PromptText.plain("");

  private final StringBuilder plain = new StringBuilder();

  /**
   * @param calls null if the model was told of no tools
   */
  ReplyDecoder(Tokenizer tokenizer, List<String> stop, @Nullable Calls calls) {
    this.tokenizer = tokenizer;
    this.decoder = tokenizer.newStreamDecoder();
    this.stop = new StopStrings(stop);
    this.calls = calls;
    this.reader = calls == null ? null : calls.syntax.newReader(tokenizer);
  }

  List<Event> accept(int token) {
    String marker = reader == null ? null : reader.markerOf(token);
    if (marker != null) {
      markerCame(token);
      return events(reader.acceptMarker(marker));
    }
    return events(decoder.accept(token));
  }

  private void markerCame(int token) {
    String written = new String(tokenizer.piece(token), StandardCharsets.UTF_8);
    whole = whole().plus(PromptText.trusted(written));
    plain.setLength(0);
  }

  /**
   * Ends the reply.
   *
   * @param byModel whether the model ended it
   */
  List<Event> finish(boolean byModel) {
    List<Event> events = new ArrayList<>(events(decoder.finish()));
    if (reader != null && !isEnded()) {
      events.addAll(events(reader.finish(byModel)));
    }
    addText(stop.finish(), events);
    return events;
  }

  private List<Event> events(String decoded) {
    plain.append(decoded);
    if (reader != null) {
      return events(reader.accept(decoded));
    }
    List<Event> events = new ArrayList<>();
    addText(stop.accept(decoded), events);
    return events;
  }

  private List<Event> events(List<ToolCallReader.Part> parts) {
    List<Event> events = new ArrayList<>();
    for (ToolCallReader.Part part : parts) {
      if (isEnded()) {
        break;
      }
      textBehindCall = part instanceof ToolCallReader.Text && !toolCalls.isEmpty();
      if (textBehindCall) {
        break;
      }
      if (part instanceof ToolCallReader.Text more) {
        addText(stop.accept(more.text()), events);
      } else {
        // No stop string goes on behind a call.
        addText(stop.finish(), events);
        ToolCall call = call(part);
        toolCalls.add(call);
        events.add(new Event.ToolCall(call));
      }
    }
    return events;
  }

  private void addText(String more, List<Event> events) {
    if (!more.isEmpty()) {
      text.append(more);
      events.add(new Event.Text(more));
    }
  }

  private ToolCall call(ToolCallReader.Part part) {
    if (part instanceof ToolCallReader.Call read) {
      Set<String> taken = toolCalls.stream().map(ToolCall::id).collect(Collectors.toSet());
      String id = read.id();
      boolean free = id != null && !id.isEmpty() && !taken.contains(id);
      return new ToolCall(free ? id : newId(), read.name(), read.arguments());
    }
    String written = ((ToolCallReader.Unreadable) part).text();
    return new ToolCall(newId(), ToolCall.UNREADABLE, JsonValues.write(written));
  }

  private String newId() {
    if (calls == null) {
      throw new IllegalStateException("a call in a reply without tools");
    }
    return calls.newIds.get();
  }

  /** Whether the reply is complete, whatever else is generated. */
  boolean isEnded() {
    return isStopped() || textBehindCall;
  }

  /** Whether a stop string came. */
  boolean isStopped() {
    return stop.isFound();
  }

  /** Without what separates it from calls. */
  String text() {
    return toolCalls.isEmpty() ? text.toString() : text.toString().stripTrailing();
  }

  List<ToolCall> toolCalls() {
    return toolCalls;
  }

  PromptText whole() {
    return whole.plus(PromptText.plain(plain.toString()));
  }
}
