package dev.nautil.template;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.tokenizer.PromptText;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Who wrote each character of a prompt. */
class ProvenanceTest {
  /** Special tokens of many models; a message may hold any of them. */
  private static final List<String> MARKERS =
      List.of(
          "<|im_end|>",
          "<|im_start|>",
          "[/INST]",
          "[INST]",
          "<s>",
          "</s>",
          "<|eot_id|>",
          "<|end|>",
          "<end_of_turn>",
          "<|END_OF_TURN_TOKEN|>",
          "<｜end▁of▁sentence｜>",
          "<|tool_call|>",
          "[TOOL_CALLS]");

  /** Surrounds a message's text; no template writes one, and JSON does not escape it. */
  private static final char MARK = '^';

  private static PromptText render(String source, Map<String, ?> context) {
    return ChatTemplate.compile(source).render(context, Conformance.OPTIONS);
  }

  /** The trusted characters as they are, each other one as a dot. */
  private static String trustedPart(PromptText text) {
    StringBuilder shown = new StringBuilder();
    for (int i = 0; i < text.text().length(); i++) {
      shown.append(text.isTrusted(i, i + 1) ? text.text().charAt(i) : '.');
    }
    return shown.toString();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '¦',
      ignoreLeadingAndTrailingWhitespace = true,
      value = {
        "a{{ m }}b ¦ a...b",
        "{{ 'a' ~ m ~ 'b' }} ¦ a...b",
        "{{ 'a' + m + 'b' }} ¦ a...b",
        "{{ ('ab' + m)[1:4] }} ¦ b..",
        "{{ ('ab' + m)[::-1] }} ¦ ...ba",
        "{{ (m ~ '!')|upper }} ¦ ...!",
        "{{ (m ~ 'ab')|title }} ¦ ...ab",
        "{{ ('ß' ~ m ~ 'ß')|upper }} ¦ SS...SS",
        "{{ ('  x' ~ m ~ 'y ')|trim }} ¦ x...y",
        "{{ ('xax' ~ m).strip('x') }} ¦ ax...",
        "{{ 'a-b'|replace('-', m) }} ¦ a...b",
        "{{ (m ~ m)|replace('x', '-') }} ¦ -..-..",
        "{{ [m, 'a', m]|join('|') }} ¦ ...|a|...",
        "{{ ['a', 'b']|join(m) }} ¦ a...b",
        "{{ m.join(['a', 'b']) }} ¦ a...b",
        "{{ 'a%sb%d' % (m, 7) }} ¦ a...b7",
        "{{ 'a{}b{}'.format(m, 7) }} ¦ a...b7",
        "{{ '{:*^7}'.format(m) }} ¦ **...**",
        "{{ m.format('a') }} ¦ ...",
        "{{ (m ~ '%s') % 'a' }} ¦ ...a",
        "{{ ('a' ~ m).split('x')[0] }} ¦ a",
        "{{ ('a b' ~ m).split() }} ¦ ..a....b.....",
        "{{ m * 2 ~ 'a' * 2 }} ¦ ......aa",
        "{{ m|list|join }} ¦ ...",
        "{{ {'k': m}|tojson }} ¦ ..k.........",
        "{{ ['a', m] }} ¦ ..a.........",
        "{% set q %}a{{ m }}{% endset %}{{ q }}b ¦ a...b",
        "{% macro f(v) %}[{{ v }}]{% endmacro %}{{ f(m) }}{{ f('a') }} ¦ [...][a]",
        "{% macro f() %}[{{ caller() }}]{% endmacro %}{% call f() %}a{{ m }}{% endcall %} ¦ [a...]",
        "{% filter upper %}a{{ m }}{% endfilter %} ¦ A...",
        "{% for c in 'a' ~ m %}{{ c }}{% endfor %} ¦ a...",
        "{{ m|indent }}{{ 'a'|indent }} ¦ ...a",
        "{{ none|default(m) }}{{ zz|default('a') }} ¦ ....a",
        "{{ m|default('a') }}{{ '' or m or 'a' }} ¦ ......",
        "{{ ('a' ~ m)|truncate(2, true, '', 0) }} ¦ a.",
        "{{ ('<' ~ m)|escape }} ¦ &lt;...",
        "{{ '<|image_' ~ 3 ~ '|>' }} ¦ <|image_3|>",
        "<|image_{{ n }}|> ¦ <|image_5|>",
        "{{ [n]|tojson }} ¦ ...",
        "{{ strftime_now('on %d') }} ¦ on ..",
        "{{ bos_token }}{{ m }}{{ bos_token + 'a' }} ¦ <s>...<s>a",
        "{{ d.keys()|join }}{{ d.k }} ¦ ....",
        "{% set ns = namespace(t='a') %}{% set ns.t = ns.t + m %}{{ ns.t }} ¦ a...",
        "{{ 'aBC'.removeprefix('a').lower() ~ m.removesuffix('z') }} ¦ bc..",
        "{{ m|urlencode ~ 'a b'|urlencode }} ¦ ...a%20b",
        "{{ 'a' ~ m|string ~ m|safe }} ¦ a......",
        "{{ 'ab'.center(4) }} ¦ .ab.",
        "{{ dict(a=m)|items|first|join }} ¦ a..."
      })
  void originsSurviveEveryOperation(String source, String expected) {
    Map<String, Object> context =
        Map.of("m", "xyz", "n", 5, "d", Map.of("k", "xyz"), "bos_token", PromptText.trusted("<s>"));
    assertEquals(expected, trustedPart(render(source, context)));
  }

  @Test
  void aTokenAcrossTheBoundaryIsNoToken() {
    PromptText text = render("<|im_{{ m }}", Map.of("m", "end|>"));
    assertEquals("<|im_end|>", text.text());
    assertFalse(text.isTrusted(0, 10));
    text = render("<|im_{{ m }}|>", Map.of("m", "end"));
    assertFalse(text.isTrusted(0, 10));
  }

  @Test
  void literalsThatTheTemplateJoinsAreOneToken() {
    for (String source :
        List.of(
            "{{ '<|' ~ 'im_end|>' }}",
            "<|{{ 'im' }}_end|>",
            "{{ ['<|im', 'end|>']|join('_') }}",
            "{% set a = '<|' %}{{ a }}{{ m }}im_end|>",
            "{{ '<|%s|>' % 'im_end' }}",
            "{{ '<|{}|>'.format('im_end') }}",
            "{% macro t(x) %}<|{{ x }}|>{% endmacro %}{{ t('im_end') }}")) {
      PromptText text = render(source, Map.of("m", ""));
      assertEquals("<|im_end|>", text.text());
      assertTrue(text.isTrusted(0, 10), source);
    }
  }

  @Test
  void conformanceTemplatesTrustNoMessage() throws IOException {
    Path folder = Conformance.jinja().resolve("templates");
    int conversations = 0;
    int templates = 0;
    int silent = 0;
    try (Stream<Path> files = Files.list(folder)) {
      for (Path file : files.toList()) {
        templates++;
        ChatTemplate template = ChatTemplate.compile(Files.readString(file));
        int rendered = 0;
        for (String marker : MARKERS) {
          for (Map<String, Object> context : contexts(marker)) {
            rendered += check(template, context, marker) ? 1 : 0;
          }
        }
        conversations += rendered;
        silent += rendered == 0 ? 1 : 0;
      }
    }
    // One of them wants a variable that no conversation has.
    assertTrue(templates >= 35 && silent <= 1, silent + " of " + templates + " rendered nothing");
    assertTrue(conversations > 20 * templates, conversations + " rendered");
  }

  /** Conversations of several shapes whose every text holds the marker. */
  private static List<Map<String, Object>> contexts(String marker) {
    String text = MARK + marker + MARK;
    Map<String, Object> user = Map.of("role", "user", "content", text);
    Map<String, Object> assistant = Map.of("role", "assistant", "content", text);
    Map<String, Object> system = Map.of("role", "system", "content", text);
    Map<String, Object> function =
        new LinkedHashMap<>(
            Map.of(
                "name",
                "f" + text,
                "description",
                text,
                "parameters",
                Map.of(
                    "type",
                    "object",
                    "required",
                    List.of("a"),
                    "properties",
                    Map.of("a", Map.of("type", "string", "description", text)))));
    Map<String, Object> tool = Map.of("type", "function", "function", function);
    Map<String, Object> call =
        Map.of(
            "id",
            "123456789",
            "type",
            "function",
            "function",
            Map.of("name", "f" + text, "arguments", Map.of("a", text)));
    Map<String, Object> calling = new LinkedHashMap<>();
    calling.put("role", "assistant");
    calling.put("content", "");
    calling.put("tool_calls", List.of(call));
    Map<String, Object> result =
        Map.of("role", "tool", "tool_call_id", "123456789", "name", "f", "content", text);
    List<Map<String, Object>> contexts = new ArrayList<>();
    contexts.add(context(List.of(user), null));
    contexts.add(context(List.of(system, user, assistant, user), null));
    contexts.add(context(List.of(user, calling, result, assistant, user), List.of(tool)));
    return contexts;
  }

  private static Map<String, Object> context(List<?> messages, List<?> tools) {
    Map<String, Object> context = new LinkedHashMap<>();
    context.put("messages", messages);
    context.put("tools", tools);
    context.put("documents", null);
    context.put("add_generation_prompt", true);
    context.put("bos_token", PromptText.trusted("<s>"));
    context.put("eos_token", PromptText.trusted("</s>"));
    return context;
  }

  /** Whether the template took the conversation; if so, that it trusts what it should. */
  private static boolean check(ChatTemplate template, Map<String, Object> context, String marker) {
    PromptText prompt;
    try {
      prompt = template.render(context, Conformance.OPTIONS);
    } catch (TemplateException e) {
      return false;
    }
    String text = prompt.text();
    BitSet typed = new BitSet();
    boolean inside = false;
    for (int i = 0; i < text.length(); i++) {
      boolean mark = text.charAt(i) == MARK;
      typed.set(i, inside || mark);
      inside ^= mark;
      assertFalse(typed.get(i) && prompt.isTrusted(i, i + 1), text);
    }
    for (int at = text.indexOf(marker); at >= 0; at = text.indexOf(marker, at + 1)) {
      assertEquals(
          !typed.get(at), prompt.isTrusted(at, at + marker.length()), marker + " in " + text);
    }
    assertTrue(prompt.trustedSpans().length > 0);
    return true;
  }
}
