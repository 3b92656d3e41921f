package dev.nautil.engine;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.TestModels;
import dev.nautil.Tool;
import dev.nautil.grammar.Grammar;
import dev.nautil.grammar.GrammarMatcher;
import dev.nautil.internal.NativeFile;
import dev.nautil.schema.JsonSchemaGrammar;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.util.List;
import org.junit.jupiter.api.Test;

class ToolGrammarTest {
  private static final Tokenizer TEKKEN = tokenizer("tekken-tiny.gguf");
  private static final Tokenizer PLAIN = tokenizer("SmolLM2-135M-Instruct.Q4_1.gguf");

  private static final ToolSyntax LLAMA =
      new ToolSyntax(ToolSyntax.Style.LLAMA, "", "", "parameters", "", "; ", false);

  private static final List<Tool> TOOLS =
      List.of(
          Tool.declare(
              "f",
              "",
              "{\"type\":\"object\",\"properties\":{\"n\":{\"type\":\"integer\"}},"
                  + "\"additionalProperties\":false}"),
          Tool.declare("g", "", "{\"type\":\"object\",\"additionalProperties\":false}"));

  private static Tokenizer tokenizer(String file) {
    try (NativeFile opened = NativeFile.open(TestModels.path(file), false)) {
      return Vocabularies.tokenizer(opened);
    }
  }

  private static ToolGrammar grammar(ToolSyntax syntax, Tokenizer tokenizer) {
    return new ToolGrammar(syntax, tokenizer, tool -> JsonSchemaGrammar.compile(tool.schema()));
  }

  /** How much of a text is allowed: "no", "so far", or "whole". */
  private static String allowed(Grammar grammar, Tokenizer tokenizer, PromptText text) {
    GrammarMatcher matcher = new Grammars(tokenizer).newMatcher(grammar, () -> grammar);
    for (int token : tokenizer.encode(text)) {
      if (!matcher.allows(token)) {
        return "no";
      }
      matcher.accept(token);
    }
    return matcher.isComplete() ? "whole" : "so far";
  }

  private static void assertAllowed(
      String how, Grammar grammar, Tokenizer tokenizer, PromptText text) {
    String is = allowed(grammar, tokenizer, text);
    assertTrue(is.equals(how), () -> text.text() + " is allowed: " + is + ", not " + how);
  }

  @Test
  void mistralsMarkerIsAToken() {
    PromptText marker = PromptText.trusted("[TOOL_CALLS]");
    String call = "[{\"name\": \"f\", \"arguments\": {\"n\": 7}, \"id\": \"abcdefghi\"}";
    Grammar demanded = grammar(ToolSyntax.MISTRAL, TEKKEN).demanded(TOOLS, true);
    assertAllowed("so far", demanded, TEKKEN, marker.plus(PromptText.plain(call)));
    assertAllowed("whole", demanded, TEKKEN, marker.plus(PromptText.plain(call + "]")));
    assertAllowed("no", demanded, TEKKEN, PromptText.plain("[TOOL_CALLS]" + call));
    Grammar one = grammar(ToolSyntax.MISTRAL, TEKKEN).demanded(TOOLS, false);
    assertAllowed("no", one, TEKKEN, marker.plus(PromptText.plain(call + ", {")));
    Grammar offered = grammar(ToolSyntax.MISTRAL, TEKKEN).offered(TOOLS, null);
    assertAllowed("whole", offered, TEKKEN, PromptText.plain("Say [TOOL_CALLS] [x] <s>."));
    assertAllowed("whole", offered, TEKKEN, marker.plus(PromptText.plain(call + "]")));
    assertAllowed("no", offered, TEKKEN, PromptText.plain("Hm. ").plus(marker));
    assertAllowed(
        "no", offered, TEKKEN, PromptText.plain("Hm.").plus(PromptText.trusted("[INST]")));
  }

  @Test
  void llamasCallsAreToldFromOtherJson() {
    Grammar offered = grammar(LLAMA, PLAIN).offered(TOOLS, null);
    for (String text : List.of("", "Hi {", "{\"a\": 1}", "{\"nam", "{\"names\": 1}", "{ x")) {
      assertAllowed("whole", offered, PLAIN, PromptText.plain(text));
    }
    String call = "{\"name\": \"f\", \"parameters\": {\"n\": 7}}";
    assertAllowed("whole", offered, PLAIN, PromptText.plain(call));
    assertAllowed("no", offered, PLAIN, PromptText.plain(call.replace("7", "\"7\"")));
    assertAllowed("no", offered, PLAIN, PromptText.plain("{\"name\": \"h"));
  }

  @Test
  void hermesCallsBeginAnywhereInAText() {
    Grammar offered = grammar(ToolSyntax.HERMES, PLAIN).offered(TOOLS, null);
    String call = "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"n\": 7}}\n</tool_call>";
    for (String text : List.of("", "Hi <tool", "a <b> {}", call, "Let me see. " + call)) {
      assertAllowed("whole", offered, PLAIN, PromptText.plain(text));
    }
    assertAllowed("so far", offered, PLAIN, PromptText.plain("Hm. <tool_call>"));
    assertAllowed("no", offered, PLAIN, PromptText.plain("Hm. <tool_call> It is"));
    assertAllowed("no", offered, PLAIN, PromptText.plain("Hm. " + call.replace("7", "\"7\"")));
    assertAllowed("no", offered, PLAIN, PromptText.plain("Hm. " + call.replace("\"f\"", "\"h\"")));
  }

  @Test
  void aTextWithAFormMayBeACallInstead() {
    Grammar yes = Grammar.regex("yes|no");
    Grammar offered = grammar(ToolSyntax.HERMES, PLAIN).offered(TOOLS, yes);
    assertAllowed("whole", offered, PLAIN, PromptText.plain("yes"));
    assertAllowed("no", offered, PLAIN, PromptText.plain("maybe"));
    String call = "<tool_call>\n{\"name\": \"g\", \"arguments\": {}}\n</tool_call>";
    assertAllowed("whole", offered, PLAIN, PromptText.plain(call));
    assertFalse(allowed(offered, PLAIN, PromptText.plain("yes" + call)).equals("whole"));
  }
}
