package dev.nautil.internal;

import java.io.IOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;

/** Why a file cannot be read or written. */
public final class FileFailure {
  private FileFailure() {}

  /** In words: the messages of some exceptions are the file's name alone. */
  public static String reason(IOException e) {
    if (!(e instanceof FileSystemException file) || file.getReason() != null) {
      return String.valueOf(e.getMessage());
    }
    String why =
        e instanceof AccessDeniedException
            ? "permission denied"
            : e instanceof NoSuchFileException
                ? "there is no such file"
                : e instanceof FileAlreadyExistsException
                    ? "another file is in its place"
                    : e instanceof NotDirectoryException
                        ? "it is no folder"
                        : e.getClass().getSimpleName();
    return e.getMessage() + ": " + why;
  }
}
