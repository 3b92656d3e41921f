package dev.nautil;

import dev.nautil.engine.RestoredKv;
import dev.nautil.engine.Transcript;
import dev.nautil.tokenizer.PromptText;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/**
 * What was said in a session, and the tokens that it became. Thread-safe; what changes it is one
 * turn at a time.
 */
final class Conversation {
  private final SessionModel model;
  private final List<Message> history;
  private final Transcript transcript;
  private final @Nullable RestoredKv restored;
  private final Object id = new Object();

  /**
   * @param history the conversation's from now on
   * @param transcript the conversation's from now on
   * @param restored what a file held of the KV cache; null if the conversation came of none
   */
  Conversation(
      SessionModel model,
      List<Message> history,
      Transcript transcript,
      @Nullable RestoredKv restored) {
    this.model = model;
    this.history = history;
    this.transcript = transcript;
    this.restored = restored;
  }

  /** One that goes on by itself from here. */
  synchronized Conversation fork() {
    return new Conversation(model, new ArrayList<>(history), new Transcript(transcript), restored);
  }

  /** A copy. */
  synchronized List<Message> history() {
    return List.copyOf(history);
  }

  /** What the engine knows it by. It holds no model, which users may drop while it is known. */
  Object id() {
    return id;
  }

  @Nullable RestoredKv restored() {
    return restored;
  }

  /** Forgets the last messages. */
  synchronized void rewind(int messages) {
    int kept = history.size() - messages;
    if (messages < 0 || kept < systemMessages()) {
      throw new IllegalArgumentException(
          "rewinding " + messages + " messages of a conversation of " + history.size());
    }
    history.subList(kept, history.size()).clear();
  }

  /** Forgets the last turns, each from what the user said on. */
  synchronized void rewindTurns(int turns) {
    int messages = 0;
    int left = turns;
    for (; left > 0 && messages < history.size(); messages++) {
      left -= history.get(history.size() - 1 - messages) instanceof Message.User ? 1 : 0;
    }
    if (left != 0) {
      throw new IllegalArgumentException(
          "rewinding " + turns + " turns of a conversation of " + (turns - left));
    }
    rewind(messages);
  }

  private int systemMessages() {
    return !history.isEmpty() && history.get(0) instanceof Message.System ? 1 : 0;
  }

  /**
   * The prompt for a turn.
   *
   * @param offered the tools that it shows
   * @param forgotten messages after the system prompt that are left out
   * @param said what the turn adds to the history
   */
  synchronized Transcript.Prompt prompt(
      SessionOptions options, List<Tool> offered, int forgotten, List<Message> said) {
    List<Message> messages = new ArrayList<>(history);
    forget(messages, forgotten);
    messages.addAll(said);
    return encode(options, offered, messages);
  }

  private Transcript.Prompt encode(
      SessionOptions options, List<Tool> offered, List<Message> messages) {
    PromptText text =
        options.isRaw()
            ? PromptText.plain(
                messages.stream().map(Message::content).collect(Collectors.joining()))
            : model.chatFormat().prompt(messages, offered);
    return transcript.encode(text, model.tokenizer());
  }

  /**
   * What the next turn is to begin with, as far as that is known; with something to reply to, since
   * there are formats that write no conversation without.
   */
  synchronized Transcript.Prompt promptOfNextTurn(SessionOptions options) {
    List<Message> next = new ArrayList<>(history);
    List<ToolCall> waiting = PendingCalls.of(next);
    if (!waiting.isEmpty()) {
      waiting.forEach(call -> next.add(call.result("")));
    } else if (!options.isRaw()) {
      next.add(new Message.User("."));
    }
    try {
      return encode(options, options.offered(), next);
    } catch (NautilException e) {
      // The format refuses the conversation: the next turn will say so, if it still does.
      return Transcript.Prompt.empty();
    }
  }

  /**
   * The conversation for a file.
   *
   * @param next the prompt up to which the transcript is kept
   */
  synchronized SavedConversation saved(boolean raw, Transcript.Prompt next) {
    return new SavedConversation(raw, history(), next.known(), new int[0]);
  }

  /**
   * How many messages after the system prompt each of the turns that can be forgotten ends with.
   *
   * @param said what is said now; it belongs to the last turn unless it begins one
   */
  synchronized List<Integer> endsOfTurns(List<Message> said) {
    List<Integer> ends = new ArrayList<>();
    int start = systemMessages();
    for (int i = start + 1; i < history.size(); i++) {
      if (history.get(i) instanceof Message.User) {
        ends.add(i - start);
      }
    }
    if (history.size() > start && said.get(0) instanceof Message.User) {
      ends.add(history.size() - start);
    }
    return ends;
  }

  /** Notes the tokens that a reply was, so that they stay what they are in later prompts. */
  synchronized void note(Transcript.Prompt prompt, PromptText whole, int[] tokens) {
    transcript.add(prompt, whole, tokens);
  }

  /** A turn has come to its end. */
  synchronized void keep(int forgotten, List<Message> said) {
    forget(history, forgotten);
    history.addAll(said);
  }

  private void forget(List<Message> messages, int forgotten) {
    messages.subList(systemMessages(), systemMessages() + forgotten).clear();
  }
}
