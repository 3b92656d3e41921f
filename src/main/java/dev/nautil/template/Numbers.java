package dev.nautil.template;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/** Python's numbers: ints without bounds (Long where it fits, else BigInteger), floats, bools. */
final class Numbers {
  /** An int beyond this is refused; Python refuses to print one beyond 4,300 digits. */
  private static final int MAX_BITS = 32_768;

  static final int MAX_DIGITS = 4_300;

  private Numbers() {}

  static boolean isInt(Object o) {
    return o instanceof Long || o instanceof Boolean || o instanceof BigInteger;
  }

  static boolean isNumber(Object o) {
    return o instanceof Double || isInt(o);
  }

  static BigInteger big(Object o) {
    if (o instanceof BigInteger b) {
      return b;
    }
    return BigInteger.valueOf(small(o));
  }

  private static long small(Object o) {
    return o instanceof Boolean b ? (b ? 1 : 0) : (Long) o;
  }

  private static boolean isSmall(Object o) {
    return !(o instanceof BigInteger);
  }

  static Object normal(BigInteger b) {
    if (b.bitLength() < 64) {
      return b.longValue();
    }
    if (b.bitLength() > MAX_BITS) {
      throw tooLarge();
    }
    return b;
  }

  private static Fail tooLarge() {
    return new Fail("an integer of more than " + MAX_BITS + " bits: memory limit");
  }

  static double dbl(Object o) {
    if (o instanceof Double d) {
      return d;
    }
    double d = o instanceof BigInteger b ? b.doubleValue() : small(o);
    if (Double.isInfinite(d)) {
      throw new Fail("int too large to convert to float");
    }
    return d;
  }

  /** A Java int from an int value, clamped: for indices and widths. */
  static long index(Object o, String what) {
    if (!isInt(o)) {
      throw new Fail(what + " must be an integer, not '" + Types.name(o) + "'");
    }
    if (o instanceof BigInteger b) {
      return b.signum() < 0 ? Long.MIN_VALUE / 4 : Long.MAX_VALUE / 4;
    }
    return Math.max(Long.MIN_VALUE / 4, Math.min(Long.MAX_VALUE / 4, small(o)));
  }

  static Object arithmetic(Expr.Op op, Object a, Object b, Budget budget) {
    if (a instanceof Double || b instanceof Double) {
      return floats(op, dbl(a), dbl(b));
    }
    if (op == Expr.Op.DIV) {
      return divide(a, b);
    }
    if (op == Expr.Op.POW) {
      return power(a, b, budget);
    }
    if (isSmall(a) && isSmall(b)) {
      Object result = longs(op, small(a), small(b));
      if (result != null) {
        return result;
      }
    }
    return bigs(op, big(a), big(b), budget);
  }

  private static @Nullable Object longs(Expr.Op op, long x, long y) {
    switch (op) {
      case ADD -> {
        long r = x + y;
        return ((x ^ r) & (y ^ r)) < 0 ? null : (Object) r;
      }
      case SUB -> {
        long r = x - y;
        return ((x ^ y) & (x ^ r)) < 0 ? null : (Object) r;
      }
      case MUL -> {
        long high = Math.multiplyHigh(x, y);
        long low = x * y;
        return high == 0 && low >= 0 || high == -1 && low < 0 ? (Object) low : null;
      }
      case FLOORDIV -> {
        checkDivisor(y != 0);
        return x == Long.MIN_VALUE && y == -1 ? null : (Object) Math.floorDiv(x, y);
      }
      case MOD -> {
        checkDivisor(y != 0);
        return Math.floorMod(x, y);
      }
      default -> throw new AssertionError(op);
    }
  }

  private static void checkDivisor(boolean nonZero) {
    if (!nonZero) {
      throw new Fail("division by zero");
    }
  }

  private static Object bigs(Expr.Op op, BigInteger x, BigInteger y, Budget budget) {
    long words = (x.bitLength() / 64 + 1L) * (y.bitLength() / 64 + 1L);
    budget.steps(words / 8);
    switch (op) {
      case ADD:
        return normal(x.add(y));
      case SUB:
        return normal(x.subtract(y));
      case MUL:
        return normal(x.multiply(y));
      default:
        checkDivisor(y.signum() != 0);
        BigInteger[] qr = x.divideAndRemainder(y);
        boolean adjust = qr[1].signum() != 0 && qr[1].signum() != y.signum();
        if (op == Expr.Op.FLOORDIV) {
          return normal(adjust ? qr[0].subtract(BigInteger.ONE) : qr[0]);
        }
        return normal(adjust ? qr[1].add(y) : qr[1]);
    }
  }

  private static Object divide(Object a, Object b) {
    BigInteger y = big(b);
    checkDivisor(y.signum() != 0);
    BigInteger x = big(a);
    if (x.bitLength() <= 53 && y.bitLength() <= 53) {
      return x.doubleValue() / y.doubleValue();
    }
    double d = new BigDecimal(x).divide(new BigDecimal(y), new MathContext(40)).doubleValue();
    if (Double.isInfinite(d)) {
      throw new Fail("integer division result too large for a float");
    }
    return d;
  }

  private static Object power(Object a, Object b, Budget budget) {
    BigInteger x = big(a);
    BigInteger y = big(b);
    if (y.signum() < 0) {
      if (x.signum() == 0) {
        throw new Fail("0.0 cannot be raised to a negative power");
      }
      return floats(Expr.Op.POW, dbl(a), dbl(b));
    }
    if (x.abs().bitLength() <= 1) {
      return x.signum() < 0 && !y.testBit(0) ? 1L : y.signum() == 0 ? 1L : normal(x);
    }
    if (y.bitLength() > 31 || (x.bitLength() - 1L) * y.intValue() > MAX_BITS) {
      throw tooLarge();
    }
    long words = (long) x.bitLength() * y.intValue() / 64 + 1;
    budget.steps(words * words / 8);
    return normal(x.pow(y.intValue()));
  }

  private static Object floats(Expr.Op op, double x, double y) {
    switch (op) {
      case ADD:
        return x + y;
      case SUB:
        return x - y;
      case MUL:
        return x * y;
      case DIV:
        checkDivisor(y != 0);
        return x / y;
      case FLOORDIV:
        checkDivisor(y != 0);
        return floorDiv(x, y);
      case MOD:
        checkDivisor(y != 0);
        return mod(x, y);
      default:
        return pow(x, y);
    }
  }

  private static double mod(double x, double y) {
    double m = x % y;
    if (m == 0) {
      return Math.copySign(0.0, y);
    }
    return (y < 0) != (m < 0) ? m + y : m;
  }

  /** As CPython computes it: from the remainder, so that the two agree. */
  private static double floorDiv(double x, double y) {
    double m = x % y;
    double div = (x - m) / y;
    if (m != 0 && (y < 0) != (m < 0)) {
      div -= 1;
    }
    if (div == 0) {
      return Math.copySign(0.0, x / y);
    }
    double floor = Math.floor(div);
    return div - floor > 0.5 ? floor + 1 : floor;
  }

  private static double pow(double x, double y) {
    if (x == 0 && y < 0) {
      throw new Fail("0.0 cannot be raised to a negative power");
    }
    if (x < 0 && y != Math.rint(y) && !Double.isInfinite(x)) {
      throw new Fail("complex numbers are not supported");
    }
    if (x == 1 || y == 0 || x == -1 && Double.isInfinite(y)) {
      return 1.0;
    }
    double r = Math.pow(x, y);
    if (Double.isInfinite(r) && !Double.isInfinite(x) && !Double.isInfinite(y)) {
      throw new Fail("numerical result out of range");
    }
    return r;
  }

  /** Negative, zero or positive; the caller has dealt with NaN. */
  static int compare(Object a, Object b) {
    if (a instanceof Double || b instanceof Double) {
      if (a instanceof Double x && b instanceof Double y) {
        return x < y ? -1 : x > y ? 1 : 0;
      }
      double x = a instanceof Double d ? d : 0;
      double y = b instanceof Double d ? d : 0;
      if (Double.isInfinite(x) || Double.isInfinite(y)) {
        return Double.isInfinite(x) ? (x > 0 ? 1 : -1) : (y > 0 ? -1 : 1);
      }
      return decimal(a).compareTo(decimal(b));
    }
    return isSmall(a) && isSmall(b) ? Long.compare(small(a), small(b)) : big(a).compareTo(big(b));
  }

  static boolean isNaN(Object o) {
    return o instanceof Double d && d.isNaN();
  }

  private static BigDecimal decimal(Object o) {
    return o instanceof Double d ? new BigDecimal(d) : new BigDecimal(big(o));
  }

  static String intText(Object o) {
    if (o instanceof BigInteger b) {
      // 3.32 bits a digit, so the exact count is needed only near the limit.
      String digits = b.toString();
      if (digits.length() - (b.signum() < 0 ? 1 : 0) > MAX_DIGITS) {
        throw new Fail("exceeds the limit of " + MAX_DIGITS + " digits for integer conversion");
      }
      return digits;
    }
    return Long.toString(small(o));
  }

  /** Python's int(text, base), or null if the text is not such a number. */
  static @Nullable Object parseInt(String text, int base) {
    String s = strip(text);
    boolean negative = s.startsWith("-");
    if (negative || s.startsWith("+")) {
      s = s.substring(1);
    }
    int radix = base;
    if (s.length() > 1 && s.charAt(0) == '0') {
      int prefixed =
          switch (s.charAt(1)) {
            case 'x', 'X' -> 16;
            case 'o', 'O' -> 8;
            case 'b', 'B' -> 2;
            default -> 0;
          };
      if (prefixed != 0 && (base == prefixed || base == 0)) {
        radix = prefixed;
        s = s.substring(2);
        s = s.startsWith("_") ? s.substring(1) : s;
      }
    }
    if (radix == 0) {
      if (s.startsWith("0") && !s.replace("_", "").replace("0", "").isEmpty()) {
        return null;
      }
      radix = 10;
    }
    return parseDigits(s, radix, negative);
  }

  private static @Nullable Object parseDigits(String s, int radix, boolean negative) {
    if (s.isEmpty() || s.startsWith("_") || s.endsWith("_") || s.contains("__")) {
      return null;
    }
    StringBuilder digits = new StringBuilder();
    for (int i = 0; i < s.length(); ) {
      int c = s.codePointAt(i);
      i += Character.charCount(c);
      int digit = c == '_' ? 0 : Character.digit(c, radix);
      if (digit < 0) {
        return null;
      }
      if (c != '_') {
        digits.append(Character.forDigit(digit, radix));
      }
    }
    if (digits.length() > MAX_DIGITS) {
      return null;
    }
    BigInteger value = new BigInteger(digits.toString(), radix);
    return normal(negative ? value.negate() : value);
  }

  /** Python's float(text), or null if the text is not such a number. */
  static @Nullable Double parseFloat(String text) {
    String s = strip(text);
    String word = s.toLowerCase(Locale.ROOT);
    String unsigned = word.startsWith("-") || word.startsWith("+") ? word.substring(1) : word;
    double sign = word.startsWith("-") ? -1 : 1;
    if (unsigned.equals("inf") || unsigned.equals("infinity")) {
      return sign * Double.POSITIVE_INFINITY;
    }
    if (unsigned.equals("nan")) {
      return Double.NaN;
    }
    return isFloat(unsigned) ? sign * Double.parseDouble(unsigned.replace("_", "")) : null;
  }

  private static boolean isFloat(String s) {
    int i = 0;
    int digits = 0;
    boolean dot = false;
    boolean exponent = false;
    for (; i < s.length(); i++) {
      char c = s.charAt(i);
      if (c >= '0' && c <= '9') {
        digits++;
      } else if (c == '_') {
        boolean between =
            i > 0 && isDigit(s.charAt(i - 1)) && i + 1 < s.length() && isDigit(s.charAt(i + 1));
        if (!between) {
          return false;
        }
      } else if (c == '.' && !dot && !exponent) {
        dot = true;
      } else if (c == 'e' && digits > 0 && !exponent) {
        exponent = true;
        digits = 0;
        if (i + 1 < s.length() && (s.charAt(i + 1) == '-' || s.charAt(i + 1) == '+')) {
          i++;
        }
      } else {
        return false;
      }
    }
    return digits > 0;
  }

  private static boolean isDigit(char c) {
    return c >= '0' && c <= '9';
  }

  private static String strip(String s) {
    int from = 0;
    int to = s.length();
    while (from < to && Chars.isSpace(s.charAt(from))) {
      from++;
    }
    while (to > from && Chars.isSpace(s.charAt(to - 1))) {
      to--;
    }
    return s.substring(from, to);
  }
}
