package dev.nautil.template;

import dev.nautil.tokenizer.PromptText;
import java.util.Map;
import java.util.Objects;

/**
 * A chat template in Jinja, compiled once and rendered for each conversation.
 *
 * <p>Templates mean what they mean to Hugging Face's transformers, which renders them with Python's
 * jinja2: an immutable sandbox, {@code trim_blocks} and {@code lstrip_blocks}, {@code break} and
 * {@code continue}, {@code tojson} as json.dumps, {@code raise_exception}, {@code strftime_now} and
 * {@code {% generation %}} blocks. Templates that include or extend others are refused, and {@code
 * autoescape} is too.
 *
 * <p>The prompt knows which of its characters the template wrote. Text in the template and literals
 * in its expressions are trusted, and stay so through every operation; strings of the context are
 * not, unless the caller passes one as {@link PromptText} with trusted spans, as it should the
 * values of {@code bos_token} and {@code eos_token}. So {@code <|im_end|>} in a message is text and
 * no special token, even where the template's own text around it completes one. Digits of an
 * integer that a template prints are trusted, for {@code <|image_{{ loop.index }}|>}.
 *
 * <p>A template is untrusted input. Its source may hold {@value #MAX_SOURCE} characters, nesting is
 * bounded when compiled, and {@link RenderOptions} bounds a rendering.
 *
 * <p>Immutable and thread-safe: any number of threads may render at once.
 */
public final class ChatTemplate {
  private static final int MAX_SOURCE = 1 << 20;

  private final Parser.Template template;

  private ChatTemplate(Parser.Template template) {
    this.template = template;
  }

  /**
   * Compiles a template.
   *
   * @throws TemplateException if the source is no template, names a filter or test that does not
   *     exist outside any condition, or exceeds a limit
   */
  public static ChatTemplate compile(String source) {
    Objects.requireNonNull(source, "source");
    if (source.length() > MAX_SOURCE) {
      throw new TemplateException(
          1, "a template longer than " + MAX_SOURCE + " characters: size limit", false);
    }
    try {
      return new ChatTemplate(Parser.parse(source));
    } catch (StackOverflowError e) {
      throw new TemplateException(1, "nested too deeply for this thread's stack", false);
    }
  }

  /** Renders with {@link RenderOptions#defaults()}. */
  public PromptText render(Map<String, ?> context) {
    return render(context, RenderOptions.defaults());
  }

  /**
   * Renders the template.
   *
   * @param context the template's variables: maps with string keys, collections, strings, booleans,
   *     numbers, nulls and {@link PromptText}, nested; read now and not kept
   * @throws TemplateException if the template fails or reaches a limit
   * @throws IllegalArgumentException if the context holds anything else, or nests too deeply
   */
  public PromptText render(Map<String, ?> context, RenderOptions options) {
    ContextReader reader = new ContextReader();
    Map<String, Object> values = reader.read(context);
    Run run = new Run(options, values, reader.chars(), template.frame());
    try {
      Stmt.run(run, template.body());
      return run.out.toStr().toPromptText();
    } catch (Fail e) {
      throw new TemplateException(run.line, e.getMessage(), e.raisedByTemplate);
    } catch (StackOverflowError e) {
      // Depth is counted against the default stack; a caller's thread may have less left.
      throw new TemplateException(run.line, "nested too deeply for this thread's stack", false);
    }
  }
}
