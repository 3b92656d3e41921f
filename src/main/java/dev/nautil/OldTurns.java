package dev.nautil;

import dev.nautil.engine.Transcript;
import java.util.List;
import java.util.function.IntFunction;
import java.util.function.Supplier;

/** Which of a conversation's oldest turns a prompt leaves out, where it might not fit otherwise. */
final class OldTurns {
  private int forgotten;

  /** Messages after the system prompt that are left out. */
  int forgotten() {
    return forgotten;
  }

  /**
   * The prompt, without the oldest turns where it might not fit and they may be forgotten.
   *
   * @param prompt without so many messages after the system prompt
   * @param endsOfTurns the ends of the turns that can be forgotten, in such messages
   * @param contextLength tokens
   * @param news is told
   */
  Transcript.Prompt fitting(
      IntFunction<Transcript.Prompt> prompt,
      Supplier<List<Integer>> endsOfTurns,
      SessionOptions options,
      int contextLength,
      List<Event> news) {
    Transcript.Prompt whole = prompt.apply(forgotten);
    int room = contextLength / 4;
    if (options.maxTokens() > 0) {
      room = Math.min(room, options.maxTokens());
    }
    if (options.contextPolicy() == ContextPolicy.FAIL
        || whole.tokens().length <= contextLength - room) {
      return whole;
    }
    List<Integer> ends = endsOfTurns.get();
    int before = ends.indexOf(forgotten) + 1;
    // The fewest turns that are enough, or all.
    int fewest = before;
    int most = ends.size();
    while (fewest < most) {
      int middle = (fewest + most) / 2;
      int without = middle == 0 ? 0 : ends.get(middle - 1);
      if (prompt.apply(without).tokens().length <= contextLength / 2) {
        most = middle;
      } else {
        fewest = middle + 1;
      }
    }
    if (fewest == before) {
      return whole;
    }
    forgotten = ends.get(fewest - 1);
    news.add(new Event.TurnsDropped(fewest - before));
    return prompt.apply(forgotten);
  }
}
