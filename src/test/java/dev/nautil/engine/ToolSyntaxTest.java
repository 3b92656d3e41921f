package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.TestModels;
import dev.nautil.Tool;
import dev.nautil.grammar.Rule;
import dev.nautil.internal.NativeFile;
import dev.nautil.tokenizer.Tokenizer;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** What a rule of calls lets through is read as those calls. */
class ToolSyntaxTest {
  private static final Tokenizer TOKENIZER;

  static {
    try (NativeFile file = NativeFile.open(TestModels.smolLm2(), false)) {
      TOKENIZER = Vocabularies.tokenizer(file);
    }
  }

  private static final List<Tool> TOOLS =
      List.of(Tool.declare("first", "", "{}"), Tool.declare("second", "", "{}"));

  /** Texts that a rule matches: of each choice all, of what may be repeated at most one more. */
  private static List<String> texts(Rule rule) {
    List<String> texts = new ArrayList<>();
    if (rule instanceof Rule.Text text) {
      texts.add(text.text());
    } else if (rule instanceof Rule.Chars chars) {
      texts.add(Character.toString(chars.set().ranges()[0]));
    } else if (rule instanceof Rule.Choice choice) {
      choice.alternatives().forEach(alternative -> texts.addAll(texts(alternative)));
    } else if (rule instanceof Rule.Sequence sequence) {
      texts.add("");
      for (Rule part : sequence.parts()) {
        texts.replaceAll(text -> text + "\0");
        List<String> longer = new ArrayList<>();
        for (String text : texts) {
          texts(part).forEach(more -> longer.add(text.replace("\0", more)));
        }
        texts.clear();
        texts.addAll(longer);
      }
    } else if (rule instanceof Rule.Repeat repeat) {
      List<String> once = texts(repeat.rule());
      texts.add(once.get(0).repeat(repeat.min()));
      if (repeat.max() != repeat.min()) {
        once.forEach(text -> texts.add(once.get(0).repeat(repeat.min()) + text));
      }
    } else {
      throw new AssertionError(rule);
    }
    return texts;
  }

  private static List<String> calls(ToolSyntax syntax, List<Tool> tools, boolean several) {
    Rule rule =
        Rule.sequence(
            Rule.text(syntax.marker()),
            syntax.calls(
                tools,
                tool -> Rule.text("{\"of\": \"" + tool.name() + "\"}"),
                Rule::text,
                several));
    return texts(rule);
  }

  private static List<String> read(ToolSyntax syntax, String reply) {
    ToolCallReader reader = syntax.newReader(TOKENIZER);
    List<ToolCallReader.Part> parts = new ArrayList<>(reader.accept(reply));
    parts.addAll(reader.finish(true));
    List<String> names = new ArrayList<>();
    for (ToolCallReader.Part part : parts) {
      ToolCallReader.Call call = (ToolCallReader.Call) part;
      assertEquals("{\"of\":\"" + call.name() + "\"}", call.arguments());
      assertEquals(syntax.style() == ToolSyntax.Style.MISTRAL, call.id() != null);
      names.add(call.name());
    }
    return names;
  }

  @Test
  void rulesAreWhatReadersRead() {
    ToolSyntax llama =
        new ToolSyntax(ToolSyntax.Style.LLAMA, "<|python_tag|>", "", "parameters", "", "; ", true);
    for (ToolSyntax syntax : List.of(ToolSyntax.HERMES, ToolSyntax.MISTRAL, llama)) {
      assertEquals(
          List.of(List.of("first"), List.of("second")),
          calls(syntax, TOOLS, false).stream().map(text -> read(syntax, text)).toList());
      List<List<String>> several =
          calls(syntax, TOOLS, true).stream().map(text -> read(syntax, text)).toList();
      assertTrue(several.contains(List.of("second", "first")), several::toString);
      assertTrue(several.contains(List.of("first")), several::toString);
      assertEquals(
          List.of(List.of("second")),
          calls(syntax, TOOLS.subList(1, 2), false).stream()
              .map(text -> read(syntax, text))
              .toList());
    }
    ToolSyntax single =
        new ToolSyntax(ToolSyntax.Style.LLAMA, "", "", "parameters", "", "; ", false);
    assertEquals(2, calls(single, TOOLS, true).size());
  }

  /** So that a session goes on from the tokens of its calls. */
  @Test
  void rulesAreWhatTemplatesWrite() {
    assertEquals(
        List.of(
            "<tool_call>\n{\"name\": \"first\", \"arguments\": {\"of\": \"first\"}}\n</tool_call>"),
        calls(ToolSyntax.HERMES, TOOLS.subList(0, 1), false));
    assertEquals(
        List.of(
            "[TOOL_CALLS][{\"name\": \"first\", \"arguments\": {\"of\": \"first\"},"
                + " \"id\": \"000000000\"}]"),
        calls(ToolSyntax.MISTRAL, TOOLS.subList(0, 1), false));
  }
}
