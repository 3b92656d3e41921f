package dev.nautil.template;

import java.math.BigDecimal;
import java.math.MathContext;
import java.math.RoundingMode;

/** Floats as Python writes them. */
public final class PythonFloat {
  private PythonFloat() {}

  /** The shortest decimal that reads back as the same double, laid out as Python does. */
  public static String repr(double d) {
    if (Double.isNaN(d)) {
      return "nan";
    }
    if (Double.isInfinite(d)) {
      return d > 0 ? "inf" : "-inf";
    }
    String sign = d < 0 || 1 / d < 0 ? "-" : "";
    if (d == 0) {
      return sign + "0.0";
    }
    BigDecimal shortest = shortest(Math.abs(d));
    String digits = shortest.unscaledValue().toString();
    int exponent = digits.length() - 1 - shortest.scale();
    if (exponent < -4 || exponent >= 16) {
      return sign + scientific(digits, exponent);
    }
    String plain = shortest.toPlainString();
    return sign + (plain.contains(".") ? plain : plain + ".0");
  }

  static String scientific(String digits, int exponent) {
    String fraction = digits.length() > 1 ? "." + digits.substring(1) : "";
    String e = Integer.toString(Math.abs(exponent));
    return digits.charAt(0)
        + fraction
        + (exponent < 0 ? "e-" : "e+")
        + (e.length() < 2 ? "0" + e : e);
  }

  private static BigDecimal shortest(double d) {
    BigDecimal exact = new BigDecimal(d);
    // Any 15 digits survive a round trip, except where a double has fewer bits than usual.
    for (int precision = d < Double.MIN_NORMAL ? 1 : 15; ; precision++) {
      BigDecimal rounded = exact.round(new MathContext(precision, RoundingMode.HALF_EVEN));
      if (precision == 17 || rounded.doubleValue() == d) {
        return rounded.stripTrailingZeros();
      }
    }
  }
}
