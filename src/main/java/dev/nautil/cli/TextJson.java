package dev.nautil.cli;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.nautil.engine.ChatFormat;
import dev.nautil.template.ChatTemplate;
import dev.nautil.template.RenderOptions;
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
        question -> {
          int[] ids = tokenizer.encode(get(question, "text", String.class));
          return json -> {
            json.writeStartObject();
            writeIds(json, ids);
            json.writeEndObject();
          };
        });
  }

  static void encodeChats(Io io, ChatFormat format) throws IOException {
    Json.answerLines(
        io,
        question -> {
          List<Map<String, Object>> messages =
              ChatShape.messages(get(question, "messages", List.class));
          PromptText prompt = format.render(messages, ChatShape.tools(question.get("tools")));
          int[] ids = format.encode(prompt);
          return json -> {
            json.writeStartObject();
            write(json, "prompt", prompt.text());
            writeIds(json, ids);
            json.writeEndObject();
          };
        });
  }

  static void renderTemplates(Io io, RenderOptions options) throws IOException {
    Json.answerLines(
        io,
        question -> {
          ChatTemplate template = ChatTemplate.compile(get(question, "template", String.class));
          String text = template.render(Json.object(question.get("context")), options).text();
          return json -> {
            json.writeStartObject();
            write(json, "output", text);
            json.writeEndObject();
          };
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
