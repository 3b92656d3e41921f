package dev.nautil.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.nautil.engine.ChatFormat;
import dev.nautil.template.ChatTemplate;
import dev.nautil.template.RenderOptions;
import dev.nautil.template.TemplateException;
import dev.nautil.tokenizer.PromptText;
import dev.nautil.tokenizer.Tokenizer;
import java.io.IOException;
import java.util.List;
import java.util.Map;

/** JSON lines about texts, chats and templates. */
final class TextJson {
  private TextJson() {}

  static void encodeTexts(Io io, Tokenizer tokenizer) throws IOException {
    Json.answerLines(
        io,
        (question, json) -> {
          int[] ids = tokenizer.encode(get(question, "text", String.class));
          json.writeStartObject();
          writeIds(json, ids);
          json.writeEndObject();
        });
  }

  static void encodeChats(Io io, ChatFormat format) throws IOException {
    Json.answerLines(
        io,
        (question, json) -> {
          List<Map<String, Object>> messages =
              ChatShape.messages(get(question, "messages", List.class));
          List<Object> tools = ChatShape.tools(question.get("tools"));
          json.writeStartObject();
          try {
            PromptText prompt = format.render(messages, tools);
            write(json, "prompt", prompt.text());
            writeIds(json, format.encode(prompt));
          } catch (TemplateException e) {
            write(json, "error", e.getMessage());
          }
          json.writeEndObject();
        });
  }

  static void renderTemplates(Io io, RenderOptions options) throws IOException {
    Json.answerLines(
        io,
        (question, json) -> {
          String template = get(question, "template", String.class);
          Map<String, Object> context = Json.object(question.get("context"));
          json.writeStartObject();
          try {
            write(json, "output", ChatTemplate.compile(template).render(context, options).text());
          } catch (TemplateException e) {
            write(json, "error", e.getMessage());
          }
          json.writeEndObject();
        });
  }

  private static <T> T get(Map<String, Object> question, String key, Class<T> type) {
    Object value = question.get(key);
    if (type.isInstance(value)) {
      return type.cast(value);
    }
    throw new Failure(
        "\"" + key + "\" is " + (value == null ? "missing" : "of the wrong type: " + value));
  }

  private static void write(JsonGenerator json, String key, String text) throws IOException {
    json.writeFieldName(key);
    Json.write(json, text);
  }

  private static void writeIds(JsonGenerator json, int[] ids) throws IOException {
    json.writeFieldName("ids");
    Json.write(json, ids);
  }
}
