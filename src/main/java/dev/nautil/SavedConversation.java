package dev.nautil;

import dev.nautil.engine.Transcript;
import dev.nautil.tokenizer.PromptText;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.EOFException;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;

/**
 * What a saved session says, as bytes: numbers are big-endian, texts are a length and UTF-16, so
 * that whatever was said comes back as it was.
 *
 * @param cached the tokens whose keys and values are saved, too
 */
record SavedConversation(
    boolean raw, List<Message> history, Transcript.State transcript, int[] cached) {
  private static final int SYSTEM = 0;
  private static final int USER = 1;
  private static final int ASSISTANT = 2;
  private static final int TOOL_RESULT = 3;

  SavedConversation withCached(int[] tokens) {
    return new SavedConversation(raw, history, transcript, tokens);
  }

  byte[] toBytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (Writer writer = new Writer(bytes)) {
      writer.out.writeBoolean(raw);
      writer.out.writeInt(history.size());
      for (Message message : history) {
        writer.message(message);
      }
      writer.transcript(transcript);
      writer.numbers(cached);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /**
   * Reads what {@link #toBytes} wrote, or anything else.
   *
   * @param vocabularySize all tokens are below
   * @throws IOException if it is something else: it says what is wrong
   */
  static SavedConversation of(byte[] bytes, int vocabularySize) throws IOException {
    try (Reader reader = new Reader(bytes)) {
      boolean raw = reader.in.readBoolean();
      int messages = reader.count(1);
      List<Message> history = new ArrayList<>();
      for (int i = 0; i < messages; i++) {
        history.add(reader.message());
      }
      SessionOptions options = raw ? SessionOptions.DEFAULTS.raw() : SessionOptions.DEFAULTS;
      HistoryCheck.checked(options, history);
      Transcript.State transcript = reader.transcript(vocabularySize);
      int[] cached = reader.tokens(vocabularySize);
      if (reader.in.available() != 0) {
        throw new IOException("there is more than a conversation");
      }
      return new SavedConversation(raw, List.copyOf(history), transcript, cached);
    } catch (EOFException e) {
      throw new IOException("the conversation ends early", e);
    } catch (IllegalArgumentException e) {
      throw new IOException(e.getMessage(), e);
    }
  }

  private record Writer(DataOutputStream out) implements AutoCloseable {
    Writer(ByteArrayOutputStream bytes) {
      this(new DataOutputStream(bytes));
    }

    void text(String text) throws IOException {
      out.writeInt(text.length());
      out.writeChars(text);
    }

    void numbers(int[] numbers) throws IOException {
      out.writeInt(numbers.length);
      for (int number : numbers) {
        out.writeInt(number);
      }
    }

    void message(Message message) throws IOException {
      if (message instanceof Message.Assistant reply) {
        out.writeByte(ASSISTANT);
        text(reply.content());
        out.writeInt(reply.toolCalls().size());
        for (ToolCall call : reply.toolCalls()) {
          text(call.id());
          text(call.name());
          text(call.arguments());
        }
      } else if (message instanceof Message.ToolResult result) {
        out.writeByte(TOOL_RESULT);
        text(result.callId());
        text(result.name());
        text(result.content());
      } else {
        out.writeByte(message instanceof Message.System ? SYSTEM : USER);
        text(message.content());
      }
    }

    void transcript(Transcript.State state) throws IOException {
      text(state.text().text());
      numbers(state.text().trustedSpans());
      numbers(state.tokens());
      numbers(state.characterMarks());
      numbers(state.tokenMarks());
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }

  private record Reader(DataInputStream in) implements AutoCloseable {
    Reader(byte[] bytes) {
      this(new DataInputStream(new ByteArrayInputStream(bytes)));
    }

    /** A number of things that take so many bytes each at least. */
    int count(int bytesOfEach) throws IOException {
      int count = in.readInt();
      if (count < 0 || count > in.available() / bytesOfEach) {
        throw new IOException(count + " things in " + in.available() + " bytes");
      }
      return count;
    }

    String text() throws IOException {
      char[] text = new char[count(Character.BYTES)];
      for (int i = 0; i < text.length; i++) {
        text[i] = in.readChar();
      }
      return new String(text);
    }

    int[] numbers() throws IOException {
      int[] numbers = new int[count(Integer.BYTES)];
      for (int i = 0; i < numbers.length; i++) {
        numbers[i] = in.readInt();
      }
      return numbers;
    }

    int[] tokens(int vocabularySize) throws IOException {
      int[] tokens = numbers();
      for (int token : tokens) {
        if (token < 0 || token >= vocabularySize) {
          throw new IOException("the model has no token " + token);
        }
      }
      return tokens;
    }

    Message message() throws IOException {
      int kind = in.readByte();
      String first = text();
      return switch (kind) {
        case SYSTEM -> new Message.System(first);
        case USER -> new Message.User(first);
        case ASSISTANT -> new Message.Assistant(first, calls());
        case TOOL_RESULT -> new Message.ToolResult(first, text(), text());
        default -> throw new IOException("a message of kind " + kind);
      };
    }

    private List<ToolCall> calls() throws IOException {
      int count = count(3 * Integer.BYTES);
      List<ToolCall> calls = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        calls.add(new ToolCall(text(), text(), text()));
      }
      return calls;
    }

    Transcript.State transcript(int vocabularySize) throws IOException {
      PromptText text = PromptText.of(text(), numbers());
      return new Transcript.State(text, tokens(vocabularySize), numbers(), numbers());
    }

    @Override
    public void close() throws IOException {
      in.close();
    }
  }
}
