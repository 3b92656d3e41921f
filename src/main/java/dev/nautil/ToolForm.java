package dev.nautil;

import dev.nautil.engine.ToolGrammar;
import dev.nautil.engine.ToolSyntax;
import dev.nautil.grammar.Grammar;
import dev.nautil.schema.JsonSchemaGrammar;
import dev.nautil.tokenizer.Tokenizer;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * What replies may be where there are tools. Equal ones give the same grammar for the same model.
 *
 * @param text what replies without calls are held to; null for any text
 */
record ToolForm(List<Tool> tools, ToolChoice choice, @Nullable Constraint text) {
  Grammar grammar(ToolSyntax syntax, Tokenizer tokenizer) {
    ToolGrammar grammar = new ToolGrammar(syntax, tokenizer, ToolForm::arguments);
    return switch (choice.mode()) {
      case AUTO, NONE -> grammar.offered(tools, text == null ? null : text.grammar());
      case REQUIRED -> grammar.demanded(tools, true);
      case NAMED -> grammar.demanded(named(), false);
    };
  }

  private static Grammar arguments(Tool tool) {
    try {
      return JsonSchemaGrammar.compile(tool.strictSchema());
    } catch (SchemaException e) {
      throw e.of(tool);
    }
  }

  private List<Tool> named() {
    return tools.stream().filter(tool -> choice.name().equals(Optional.of(tool.name()))).toList();
  }
}
