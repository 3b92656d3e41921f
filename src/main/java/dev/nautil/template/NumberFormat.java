package dev.nautil.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.Locale;

/** Digits of numbers as printf and Python's format write them, without sign or padding. */
final class NumberFormat {
  /** No double has more significant decimal digits; beyond, only zeros follow. */
  private static final int MAX_DIGITS = 1_100;

  private NumberFormat() {}

  /** An int in base 2, 8, 10 or 16, by the letter of its conversion. */
  static String integer(BigInteger magnitude, char type) {
    return switch (type) {
      case 'b' -> magnitude.toString(2);
      case 'o' -> magnitude.toString(8);
      case 'x' -> magnitude.toString(16);
      case 'X' -> magnitude.toString(16).toUpperCase(Locale.ROOT);
      default -> Numbers.intText(Numbers.normal(magnitude));
    };
  }

  /**
   * A float of any sign, written without it.
   *
   * @param type one of {@code e f g} or its capital
   * @param precision as given; the caller has charged for so many characters
   */
  static String real(double value, char type, long precision, boolean alternate) {
    boolean capital = Character.isUpperCase(type);
    String text;
    if (Double.isNaN(value)) {
      text = "nan";
    } else if (Double.isInfinite(value)) {
      text = "inf";
    } else {
      double d = Math.abs(value);
      text =
          switch (Character.toLowerCase(type)) {
            case 'e' -> exponential(d, precision, alternate);
            case 'f' -> fixed(d, precision, alternate);
            default -> general(d, precision, alternate);
          };
    }
    return capital ? text.toUpperCase(Locale.ROOT) : text;
  }

  private static String zeros(long n) {
    return "0".repeat((int) Math.max(0, n));
  }

  private static String fixed(double d, long precision, boolean alternate) {
    int digits = (int) Math.min(precision, MAX_DIGITS);
    String s = new BigDecimal(d).setScale(digits, RoundingMode.HALF_EVEN).toPlainString();
    return s + (alternate && precision == 0 ? "." : "") + zeros(precision - digits);
  }

  private static BigDecimal rounded(double d, long significant) {
    int digits = (int) Math.min(significant, MAX_DIGITS);
    return new BigDecimal(d).round(new MathContext(digits, RoundingMode.HALF_EVEN));
  }

  private static String exponential(double d, long precision, boolean alternate) {
    BigDecimal r = rounded(d, precision + 1);
    String digits = r.unscaledValue().toString();
    int exponent = d == 0 ? 0 : digits.length() - 1 - r.scale();
    digits = d == 0 ? "0" : digits;
    digits += zeros(precision + 1 - digits.length());
    digits = digits.substring(0, (int) precision + 1);
    String text = PythonFloat.scientific(digits, exponent);
    return alternate && precision == 0 ? text.replace("e", ".e") : text;
  }

  private static String general(double d, long precision, boolean alternate) {
    long significant = Math.max(1, precision);
    BigDecimal r = rounded(d, significant);
    int exponent = d == 0 ? 0 : r.precision() - 1 - r.scale();
    if (exponent >= -4 && exponent < significant) {
      String s = fixed(d, significant - 1 - exponent, alternate);
      return alternate ? s : trimmed(s);
    }
    String s = exponential(d, significant - 1, alternate);
    int e = s.indexOf('e');
    return alternate ? s : trimmed(s.substring(0, e)) + s.substring(e);
  }

  private static String trimmed(String s) {
    if (!s.contains(".")) {
      return s;
    }
    int end = s.length();
    while (s.charAt(end - 1) == '0') {
      end--;
    }
    return s.substring(0, s.charAt(end - 1) == '.' ? end - 1 : end);
  }

  /** Separators between groups of digits, from the right of the whole part. */
  static String grouped(String s, char separator, int size) {
    int whole = 0;
    while (whole < s.length() && Character.digit(s.charAt(whole), 16) >= 0) {
      whole++;
    }
    StringBuilder out = new StringBuilder(s);
    for (int i = whole - size; i > 0; i -= size) {
      out.insert(i, separator);
    }
    return out.toString();
  }
}
