package dev.nautil;

import java.util.Objects;

/** A Java type that cannot be described to a model, or whose values cannot be read from JSON. */
public class UnsupportedTypeException extends IllegalArgumentException {
  private static final long serialVersionUID = 1;

  private final String typeName;

  /**
   * @param where it stands, such as {@code Booking.guest}
   * @param typeName of the type that cannot be described
   * @param reason why not, and what to do
   */
  public UnsupportedTypeException(String where, String typeName, String reason) {
    super(where + ": " + typeName + " cannot be described to a model: " + reason);
    this.typeName = Objects.requireNonNull(typeName, "typeName");
  }

  /** The name of the type. */
  public String typeName() {
    return typeName;
  }
}
