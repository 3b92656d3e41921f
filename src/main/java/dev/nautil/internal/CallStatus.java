package dev.nautil.internal;

import dev.nautil.CancelledException;
import dev.nautil.ContextFullException;
import dev.nautil.GgufException;
import dev.nautil.ModelFileException;
import dev.nautil.NautilException;
import dev.nautil.NotEnoughMemoryException;
import dev.nautil.UnsupportedModelException;
import dev.nautil.internal.bindings.Nautil;
import dev.nautil.internal.bindings.NtError;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** An {@code nt_error} for calls on one thread at a time, and the exception that it becomes. */
final class CallStatus {
  private final NtError error;
  private final @Nullable Path file;

  /**
   * @param file the file that the calls work on, for messages
   */
  CallStatus(@Nullable Path file) {
    this.file = file;
    // Before NtError's initializer, whose own attempt at loading would fail with a bare Error.
    Native.load();
    error = new NtError(Struct.allocate(NtError.class, 1));
  }

  NtError error() {
    return error;
  }

  void check(int status) {
    if (status != Nautil.NT_OK) {
      throw exception(status);
    }
  }

  /** The handle that a constructor of the core returned, which is null where it failed. */
  <T> T check(@Nullable T handle) {
    if (handle == null) {
      throw exception(error.status());
    }
    return handle;
  }

  private RuntimeException exception(int status) {
    String reason = error.message().getString(StandardCharsets.UTF_8);
    String message = file == null ? reason : file + ": " + reason;
    return switch (status) {
      case Nautil.NT_INVALID_ARGUMENT -> new IllegalArgumentException(message);
      case Nautil.NT_IO -> new ModelFileException(message);
      case Nautil.NT_FORMAT ->
          file == null
              ? new IllegalArgumentException(message)
              : new GgufException(file, error.part(), error.offset(), reason);
      case Nautil.NT_UNSUPPORTED -> new UnsupportedModelException(message);
      case Nautil.NT_OUT_OF_MEMORY -> new NotEnoughMemoryException(message);
      // capacity() would be the pointer's own.
      case Nautil.NT_CONTEXT_FULL ->
          new ContextFullException(message, error.used(), error.wanted(), error._capacity());
      case Nautil.NT_INCOMPLETE ->
          new IncompleteHeaderException(
              Objects.requireNonNull(file), error.part(), error.offset(), reason, error.wanted());
      case Nautil.NT_CANCELLED -> new CancelledException(message);
      default -> new NautilException("a defect of Nautil: " + message);
    };
  }
}
