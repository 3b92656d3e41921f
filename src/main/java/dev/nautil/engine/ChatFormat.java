package dev.nautil.engine;

import dev.nautil.Message;
import dev.nautil.NautilException;
import dev.nautil.Tool;
import dev.nautil.UnsupportedModelException;
import dev.nautil.internal.NativeFile;
import dev.nautil.template.ChatTemplate;
import dev.nautil.template.TemplateException;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** How a model wants a conversation written. Immutable and thread-safe. */
public abstract sealed class ChatFormat permits MistralChat, TemplateChat {
  private static final String KEY = "tokenizer.chat_template";

  final Tokenizer tokenizer;

  ChatFormat(Tokenizer tokenizer) {
    this.tokenizer = tokenizer;
  }

  /** Whether a file, or the template in its place, says how a conversation is written. */
  public static boolean isIn(NativeFile file, Tokenizer tokenizer, @Nullable String override) {
    String template = template(file, override);
    return isMistral(file, tokenizer, template) || template != null;
  }

  private static @Nullable String template(NativeFile file, @Nullable String override) {
    return override != null ? override : file.get(KEY) instanceof String own ? own : null;
  }

  /**
   * How a file wants a conversation written: by its template, but for the models that Mistral's own
   * encoder is there for.
   *
   * @param override the template that takes the place of the file's own; null: none does
   * @throws UnsupportedModelException if it does not say, or in a way that is not understood
   */
  public static ChatFormat of(NativeFile file, Tokenizer tokenizer, @Nullable String override) {
    String template = template(file, override);
    if (isMistral(file, tokenizer, template)) {
      return new MistralChat(tokenizer);
    }
    String problem = "the file has no chat template (" + KEY + ")";
    if (template != null) {
      try {
        return of(template, tokenizer);
      } catch (TemplateException e) {
        problem =
            (override == null ? "the file's" : "the given")
                + " chat template cannot be used: "
                + e.getMessage();
      }
    }
    throw new UnsupportedModelException(
        file.path() + ": " + problem + ", so that it can only continue raw text");
  }

  /**
   * How a template wants a conversation written.
   *
   * @throws TemplateException if it cannot be compiled
   */
  public static ChatFormat of(String template, Tokenizer tokenizer) {
    return new TemplateChat(tokenizer, ChatTemplate.compile(template));
  }

  /**
   * A model trained further on another format keeps the tokens, but its template has no use for
   * them.
   */
  private static boolean isMistral(
      NativeFile file, Tokenizer tokenizer, @Nullable String template) {
    return "tekken".equals(file.get("tokenizer.ggml.pre"))
        && MistralChat.hasTokens(tokenizer)
        && (template == null || template.contains("[INST]"));
  }

  /**
   * A conversation as text, up to where the model's reply begins.
   *
   * @param messages in the shape that templates know: maps with "role", "content" and the like
   * @param tools that the model may call; null for none
   * @throws NautilException if the conversation is none that can be written so: it says what is
   *     wrong
   */
  public abstract PromptText render(
      List<? extends Map<String, ?>> messages, @Nullable List<?> tools);

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

  /** How the model writes calls of tools. */
  public abstract ToolSyntax toolSyntax();

  /**
   * A session's conversation as text, up to where the model's reply begins.
   *
   * @param tools that the model is told of
   * @throws NautilException if the model's format cannot express it: it says what is wrong
   */
  public abstract PromptText prompt(List<Message> messages, List<Tool> tools);

  static boolean hasTools(Message message) {
    return message instanceof Message.ToolResult
        || (message instanceof Message.Assistant reply && !reply.toolCalls().isEmpty());
  }

  /** A token as a template's or format's own text. */
  final PromptText special(int id) {
    return id < 0
        ? PromptText.plain("")
        : PromptText.trusted(new String(tokenizer.piece(id), StandardCharsets.UTF_8));
  }
}
