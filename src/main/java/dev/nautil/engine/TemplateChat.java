package dev.nautil.engine;

import dev.nautil.NautilException;
import dev.nautil.template.ChatTemplate;
import dev.nautil.template.TemplateException;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Conversations by the template that a file carries. */
final class TemplateChat extends ChatFormat {
  private final ChatTemplate template;

  TemplateChat(Tokenizer tokenizer, ChatTemplate template) {
    super(tokenizer);
    this.template = template;
  }

  @Override
  public PromptText render(List<? extends Map<String, ?>> messages, @Nullable List<?> tools) {
    Map<String, Object> context = new LinkedHashMap<>();
    context.put("messages", messages);
    context.put("tools", tools);
    context.put("documents", null);
    context.put("add_generation_prompt", true);
    context.put("bos_token", special(tokenizer.bos()));
    context.put("eos_token", special(tokenizer.eos()));
    try {
      return template.render(context);
    } catch (TemplateException e) {
      throw new NautilException(
          "the model's chat template refuses the conversation: " + e.getMessage(), e);
    }
  }
}
