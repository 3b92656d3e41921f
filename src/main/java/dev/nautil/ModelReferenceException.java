package dev.nautil;

import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** A text that names no model: neither a file nor a reference. */
public class ModelReferenceException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  /** Control and format characters, halves of surrogate pairs, and spaces that look like others. */
  private static final Pattern INVISIBLE = Pattern.compile("[\\p{Cc}\\p{Cf}\\p{Cs}\\p{Z}&&[^ ]]");

  private final String reference;

  /**
   * @param reference the text
   * @param reason what is wrong with it, and what to write
   */
  public ModelReferenceException(String reference, String reason) {
    super(visible("'" + reference + "' names no model: " + reason));
    this.reference = Objects.requireNonNull(reference, "reference");
  }

  /** The text. */
  public String reference() {
    return reference;
  }

  private static String visible(String message) {
    return INVISIBLE
        .matcher(message)
        .replaceAll(
            m -> Matcher.quoteReplacement(String.format("\\u%04x", m.group().codePointAt(0))));
  }
}
