package dev.nautil.engine;

import dev.nautil.Message;
import dev.nautil.UnsupportedModelException;
import dev.nautil.internal.NativeFile;
import dev.nautil.template.ChatTemplate;
import dev.nautil.template.TemplateException;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How a model's file wants a conversation written. Immutable and thread-safe. */
public final class ChatFormat {
  private static final String KEY = "tokenizer.chat_template";

  private final Tokenizer tokenizer;
  private final ChatTemplate template;

  private ChatFormat(Tokenizer tokenizer, ChatTemplate template) {
    this.tokenizer = tokenizer;
    this.template = template;
  }

  /** Whether a file says how it wants a conversation written. */
  public static boolean isIn(NativeFile file) {
    return file.get(KEY) instanceof String;
  }

  /**
   * How a file wants a conversation written.
   *
   * @throws UnsupportedModelException if it does not say, or in a way that is not understood
   */
  public static ChatFormat of(NativeFile file, Tokenizer tokenizer) {
    String problem = "the file has no chat template (" + KEY + ")";
    if (file.get(KEY) instanceof String template) {
      try {
        return new ChatFormat(tokenizer, ChatTemplate.compile(template));
      } catch (TemplateException e) {
        problem = "the file's chat template cannot be used: " + e.getMessage();
      }
    }
    throw new UnsupportedModelException(
        file.path() + ": " + problem + ", so that it can only continue raw text");
  }

  /**
   * A conversation as text, up to where the model's reply begins.
   *
   * @param messages in the shape that templates know: maps with "role", "content" and the like
   * @param tools that the model may call; null for none
   * @throws dev.nautil.template.TemplateException if the template refuses the conversation
   */
  public PromptText render(List<? extends Map<String, ?>> messages, @Nullable List<?> tools) {
    Map<String, Object> context = new LinkedHashMap<>();
    context.put("messages", messages);
    context.put("tools", tools);
    context.put("documents", null);
    context.put("add_generation_prompt", true);
    context.put("bos_token", special(tokenizer.bos()));
    context.put("eos_token", special(tokenizer.eos()));
    return template.render(context);
  }

  /** The same as token ids, with the model's BOS first where it wants one. */
  public int[] encode(PromptText prompt) {
    return withBos(tokenizer, tokenizer.encode(prompt));
  }

  /** Puts BOS before ids if the model wants one and the template has not written it. */
  public static int[] withBos(Tokenizer tokenizer, int[] ids) {
    if (!tokenizer.addBos() || (ids.length > 0 && ids[0] == tokenizer.bos())) {
      return ids;
    }
    int[] all = new int[ids.length + 1];
    all[0] = tokenizer.bos();
    System.arraycopy(ids, 0, all, 1, ids.length);
    return all;
  }

  /** A message in the shape that templates know. */
  public static Map<String, String> toMap(Message message) {
    String role =
        message instanceof Message.System
            ? "system"
            : message instanceof Message.User ? "user" : "assistant";
    return Map.of("role", role, "content", message.content());
  }

  private Object special(int id) {
    return id < 0
        ? ""
        : PromptText.trusted(new String(tokenizer.piece(id), StandardCharsets.UTF_8));
  }
}
