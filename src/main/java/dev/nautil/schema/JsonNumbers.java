package dev.nautil.schema;

import com.fasterxml.jackson.databind.JsonNode;
import java.math.BigDecimal;
import org.jspecify.annotations.Nullable;

/** The numbers of a schema. */
final class JsonNumbers {
  /** Before and after the point, so that a number takes no more memory than its text suggests. */
  static final int MAX_DIGITS = 1000;

  private JsonNumbers() {}

  /** A number's value, or null if it is none, is not finite or takes more than the most digits. */
  static @Nullable BigDecimal decimal(JsonNode value) {
    if (!value.isNumber()) {
      return null;
    }
    if (value.isFloatingPointNumber()
        && !value.isBigDecimal()
        && !Double.isFinite(value.asDouble())) {
      return null;
    }
    BigDecimal number = value.decimalValue();
    boolean tooLong =
        Math.abs((long) number.scale()) > MAX_DIGITS || number.precision() > MAX_DIGITS;
    if (tooLong && number.signum() != 0) {
      return null;
    }
    return number.signum() == 0 ? BigDecimal.ZERO : number.stripTrailingZeros();
  }
}
