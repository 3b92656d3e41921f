package dev.nautil.engine;

import com.fasterxml.jackson.databind.JsonNode;
import dev.nautil.engine.ToolSyntax.Style;
import dev.nautil.json.InvalidJsonException;
import dev.nautil.json.JsonValues;
import dev.nautil.tokenizer.Tokenizer;
import dev.nautil.tokenizer.Utf8;
import java.util.ArrayList;
import java.util.List;
import java.util.OptionalInt;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * Tells text from calls of tools in a reply, while it comes in.
 *
 * <p>Of a call nothing is text. A call whose JSON is broken, or that names no tool or has half of a
 * character, is {@link Unreadable}, so that the model can be told; only where nothing but JSON says
 * that it is a call (Llama) it is text instead, since a model may be asked for JSON.
 *
 * <p>Where a marker is a control token, its letters by themselves are text. Not thread-safe.
 */
public final class ToolCallReader {
  /** A part of a reply. */
  public sealed interface Part {}

  /** Not empty. */
  public record Text(String text) implements Part {}

  /**
   * A call.
   *
   * @param arguments JSON; an object, unless the model made a mistake
   * @param id that the model gave it, if any
   */
  public record Call(String name, String arguments, @Nullable String id) implements Part {}

  /** What was to be a call, as the model wrote it. */
  public record Unreadable(String text) implements Part {}

  private enum State {
    /** Text, in which a marker may come. */
    TEXT,
    /** Where a reply begins, if calls begin without a marker. */
    START,
    /** Behind a marker, or behind a call that another may follow. */
    BEFORE_CALL,
    IN_CALL,
    AFTER_CALL,
    /** No calls any more. */
    ONLY_TEXT
  }

  /** How a call without a marker may begin. */
  private static final Pattern LIKE_CALL =
      Pattern.compile("\\{\\s*\"(name|type|function|parameters|arguments)\".*", Pattern.DOTALL);

  private static final Pattern MAY_BECOME_CALL =
      Pattern.compile("\\{\\s*(\"[a-z]{0,10})?", Pattern.DOTALL);

  private final ToolSyntax syntax;

  /** What calls begin with: a marker, or a control token of that name. */
  private final String marker;

  private final OptionalInt markerToken;
  private final OptionalInt closingToken;
  private final StringBuilder held = new StringBuilder();
  private final List<Part> parts = new ArrayList<>();
  private State state;

  /** Whether a marker said that this is a call. */
  private boolean marked;

  /** Whether nothing but blanks came since a call, which are no text. */
  private boolean behindCall;

  /** So much of what is held has no marker. */
  private int searched;

  // Of the object in which the reader is: how far it was looked at, and what was found.
  private int scanned;
  private int depth;
  private boolean inString;
  private boolean escaped;

  ToolCallReader(ToolSyntax syntax, Tokenizer tokenizer) {
    this.syntax = syntax;
    marker = syntax.style() == Style.LLAMA ? "<|python_tag|>" : syntax.marker();
    markerToken = controlToken(tokenizer, marker);
    closingToken = controlToken(tokenizer, ToolSyntax.CLOSING);
    state = syntax.style() == Style.LLAMA ? State.START : State.TEXT;
  }

  private static OptionalInt controlToken(Tokenizer tokenizer, String text) {
    OptionalInt token = tokenizer.specialToken(text);
    return token.isPresent() && tokenizer.isControl(token.getAsInt()) ? token : OptionalInt.empty();
  }

  /** The marker that a control token is, or null. */
  public @Nullable String markerOf(int token) {
    return markerToken.equals(OptionalInt.of(token))
        ? marker
        : closingToken.equals(OptionalInt.of(token)) ? ToolSyntax.CLOSING : null;
  }

  /** Takes a marker that is a token of its own. */
  public List<Part> acceptMarker(String given) {
    if (given.equals(marker) && state != State.IN_CALL) {
      flushText();
      begin();
      return taken();
    }
    return state == State.TEXT || state == State.ONLY_TEXT ? List.of() : accept(given);
  }

  /** Takes more of the reply and gives the parts that are known by now. */
  public List<Part> accept(String text) {
    held.append(text);
    advance();
    return taken();
  }

  /**
   * Ends the reply.
   *
   * @param whole whether the model ended it, so that a call that is not complete is a mistake
   */
  public List<Part> finish(boolean whole) {
    // A quote too many hides the end of a call from the scanner.
    while (state == State.IN_CALL && syntax.style() == Style.HERMES) {
      int closing = held.indexOf(ToolSyntax.CLOSING);
      if (closing < 0) {
        break;
      }
      endUnreadable(closing);
      advance();
    }
    boolean call = state == State.IN_CALL || (state == State.BEFORE_CALL && marked);
    boolean cut = !whole && held.indexOf("\"" + syntax.argumentsKey() + "\"") > 0;
    if (!call || (!marked && !cut)) {
      flushText();
    } else if (whole && !held.toString().isBlank()) {
      unreadable(held.toString());
    }
    held.setLength(0);
    state = State.ONLY_TEXT;
    return taken();
  }

  private void advance() {
    while (step()) {
      // Each step takes something off what is held, or goes to another state.
    }
  }

  private List<Part> taken() {
    List<Part> taken = List.copyOf(parts);
    parts.clear();
    return taken;
  }

  private void text(int end) {
    if (end > 0) {
      behindCall = false;
      parts.add(new Text(held.substring(0, end)));
      held.delete(0, end);
    }
  }

  private void flushText() {
    boolean remains =
        held.toString().isBlank() || ToolSyntax.CLOSING.startsWith(held.toString().strip());
    if (behindCall && remains) {
      held.setLength(0);
    }
    text(held.length());
  }

  private void unreadable(String text) {
    behindCall = true;
    parts.add(new Unreadable(text.strip()));
  }

  private void begin() {
    marked = true;
    state = State.BEFORE_CALL;
  }

  /** Whether there was something to do. */
  private boolean step() {
    return switch (state) {
      case TEXT -> inText();
      case START -> atStart();
      case BEFORE_CALL -> beforeCall();
      case IN_CALL -> inCall();
      case AFTER_CALL -> afterCall();
      case ONLY_TEXT -> {
        text(held.length());
        yield false;
      }
    };
  }

  private boolean inText() {
    if (behindCall) {
      held.delete(0, firstNotBlank());
    }
    int at = markerToken.isPresent() ? -1 : held.indexOf(marker);
    if (at >= 0) {
      text(at);
      held.delete(0, marker.length());
      begin();
      return true;
    }
    text(held.length() - (markerToken.isPresent() ? 0 : beginningOf(marker)));
    return false;
  }

  /** How many of the last characters may be the beginning of a string. */
  private int beginningOf(String string) {
    int length = Math.min(held.length(), string.length() - 1);
    while (length > 0 && !string.startsWith(held.substring(held.length() - length))) {
      length--;
    }
    return length;
  }

  private boolean atStart() {
    int at = firstNotBlank();
    if (at == held.length()) {
      return false;
    }
    String rest = held.substring(at);
    if (markerToken.isEmpty() && rest.startsWith(marker)) {
      held.delete(0, at + marker.length());
      begin();
      return true;
    }
    if (LIKE_CALL.matcher(rest).matches()) {
      held.delete(0, at);
      enterCall();
      return true;
    }
    boolean open = MAY_BECOME_CALL.matcher(rest).matches() || marker.startsWith(rest);
    if (!open) {
      state = State.ONLY_TEXT;
    }
    return !open;
  }

  private int firstNotBlank() {
    int at = 0;
    while (at < held.length() && Character.isWhitespace(held.charAt(at))) {
      at++;
    }
    return at;
  }

  private void enterCall() {
    state = State.IN_CALL;
    scanned = 0;
    depth = 0;
    inString = false;
    escaped = false;
  }

  private boolean beforeCall() {
    int at = firstNotBlank();
    while (syntax.style() == Style.MISTRAL
        && at < held.length()
        && "[,".indexOf(held.charAt(at)) >= 0) {
      held.delete(0, at + 1);
      at = firstNotBlank();
    }
    if (at == held.length()) {
      return false;
    }
    if (held.charAt(at) == '{') {
      held.delete(0, at);
      enterCall();
      return true;
    }
    return noCall(at);
  }

  /** Something else stands where a call is to be. */
  private boolean noCall(int at) {
    if (syntax.style() == Style.HERMES) {
      int closing = find(ToolSyntax.CLOSING);
      if (closing >= 0) {
        endUnreadable(closing);
      }
      return foundUnless(closing < 0);
    }
    if (syntax.style() == Style.MISTRAL && held.charAt(at) == ']') {
      held.delete(0, at + 1);
      state = State.AFTER_CALL;
      return true;
    }
    // To the end of the reply.
    return false;
  }

  private void endUnreadable(int closing) {
    unreadable(held.substring(0, closing));
    held.delete(0, closing + ToolSyntax.CLOSING.length());
    state = State.TEXT;
  }

  /** Where a marker is in what is held; −1 if it is not. */
  private int find(String string) {
    return held.indexOf(string, Math.max(0, searched - ToolSyntax.CLOSING.length()));
  }

  /** Gives whether it was found, and notes how far was looked. */
  private boolean foundUnless(boolean notFound) {
    searched = notFound ? held.length() : 0;
    return !notFound;
  }

  private boolean inCall() {
    int end = endOfObject();
    if (end < 0) {
      return false;
    }
    String json = held.substring(0, end);
    Part part = call(json);
    if (part == null && !marked) {
      state = State.ONLY_TEXT;
      return true;
    }
    parts.add(part == null ? new Unreadable(json) : part);
    behindCall = true;
    held.delete(0, end);
    state = State.AFTER_CALL;
    return true;
  }

  private int endOfObject() {
    for (; scanned < held.length(); scanned++) {
      char c = held.charAt(scanned);
      if (escaped) {
        escaped = false;
      } else if (inString) {
        escaped = c == '\\';
        inString = c != '"';
      } else if (c == '"') {
        inString = true;
      } else if (c == '{' || c == '[') {
        depth++;
      } else if ((c == '}' || c == ']') && --depth == 0) {
        return scanned + 1;
      }
    }
    return -1;
  }

  private boolean afterCall() {
    int at = firstNotBlank();
    if (at == held.length()) {
      return false;
    }
    char c = held.charAt(at);
    switch (syntax.style()) {
      case MISTRAL -> {
        held.delete(0, at + (c == ',' || c == ']' ? 1 : 0));
        state = c == ',' ? State.BEFORE_CALL : c == ']' ? State.AFTER_CALL : State.ONLY_TEXT;
      }
      case HERMES -> {
        int closing = find(ToolSyntax.CLOSING);
        int next = find(marker);
        if (closing >= 0 && (next < 0 || closing < next)) {
          next = closing + ToolSyntax.CLOSING.length();
        }
        if (next >= 0) {
          held.delete(0, next);
          state = State.TEXT;
        }
        return foundUnless(next < 0);
      }
      case LLAMA -> {
        held.delete(0, c == ';' || c == ',' ? at + 1 : at);
        state =
            c == ';' || c == ',' ? State.BEFORE_CALL : c == '{' ? State.BEFORE_CALL : State.TEXT;
      }
    }
    return true;
  }

  /** Null if the object is no call that can be read. */
  private @Nullable Call call(String json) {
    JsonNode node;
    try {
      node = JsonValues.parse(json);
    } catch (InvalidJsonException e) {
      return null;
    }
    JsonNode call = node.path("function").isObject() ? node.path("function") : node;
    JsonNode name = call.path("name");
    JsonNode arguments = call.has("arguments") ? call.get("arguments") : call.path("parameters");
    boolean plain = !marked && arguments.isMissingNode();
    if (!name.isTextual() || !ToolSyntax.isName(name.textValue()) || plain) {
      return null;
    }
    String written =
        arguments.isMissingNode() || arguments.isNull()
            ? "{}"
            : arguments.isTextual() ? arguments.textValue() : arguments.toString();
    String id = node.path("id").textValue();
    boolean isText = Utf8.loneSurrogate(written) < 0;
    boolean hasId = id != null && Utf8.loneSurrogate(id) < 0;
    return isText ? new Call(name.textValue(), written, hasId ? id : null) : null;
  }
}
