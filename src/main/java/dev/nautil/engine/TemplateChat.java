package dev.nautil.engine;

import dev.nautil.Message;
import dev.nautil.NautilException;
import dev.nautil.Tool;
import dev.nautil.template.ChatTemplate;
import dev.nautil.template.TemplateException;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** Conversations by the template that a file carries. */
final class TemplateChat extends ChatFormat {
  private final ChatTemplate template;

  /** What the template does with tools; looked for when it is first asked for. */
  private volatile @Nullable Optional<ToolDialect> dialect;

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

  @Override
  public ToolSyntax toolSyntax() {
    return dialect().map(ToolDialect::syntax).orElse(ToolSyntax.HERMES);
  }

  @Override
  public PromptText prompt(List<Message> messages, List<Tool> tools) {
    boolean plain = tools.isEmpty() && messages.stream().noneMatch(ChatFormat::hasTools);
    if (plain) {
      return renderWithoutTools(messages.stream().map(ToolMessages::plain).toList());
    }
    Optional<ToolDialect> known = dialect();
    if (known.isEmpty()) {
      return renderWithoutTools(ToolMessages.described(messages, tools, knowsSystem()));
    }
    List<Map<String, Object>> shaped = ToolMessages.shaped(messages, known.get());
    return tools.isEmpty()
        ? renderWithoutTools(shaped)
        : render(shaped, ToolMessages.declarations(tools));
  }

  /** Templates that are for tools alone take no tools to be an empty list. */
  private PromptText renderWithoutTools(List<? extends Map<String, ?>> messages) {
    try {
      return render(messages, null);
    } catch (NautilException e) {
      try {
        return render(messages, List.of());
      } catch (NautilException again) {
        throw e;
      }
    }
  }

  private Optional<ToolDialect> dialect() {
    Optional<ToolDialect> known = dialect;
    if (known == null) {
      // Two threads may look for it at once, and find the same.
      known = ToolDialect.of((messages, tools) -> render(messages, tools).text());
      dialect = known;
    }
    return known;
  }

  private boolean knowsSystem() {
    String system = "probe system";
    try {
      return render(
              List.of(
                  Map.of("role", "system", "content", system),
                  Map.of("role", "user", "content", "probe question")),
              null)
          .text()
          .contains(system);
    } catch (NautilException e) {
      return false;
    }
  }
}
