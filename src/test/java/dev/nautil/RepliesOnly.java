package dev.nautil;

import dev.nautil.engine.RestoredKv;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** A model for sessions that are neither scored nor saved. */
interface RepliesOnly extends SessionModel {
  @Override
  default List<TokenLogprob> score(int[] prompt, int alternatives) {
    throw new UnsupportedOperationException();
  }

  @Override
  default void save(
      Path file, SavedConversation conversation, int[] prompt, @Nullable RestoredKv restored) {
    throw new UnsupportedOperationException();
  }
}
