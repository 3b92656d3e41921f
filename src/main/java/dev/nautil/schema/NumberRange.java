package dev.nautil.schema;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.math.MathContext;
import java.math.RoundingMode;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * Which numbers there may be.
 *
 * @param divisor what they are whole multiples of, or null
 */
record NumberRange(
    @Nullable NumberBound lower, @Nullable NumberBound upper, @Nullable BigDecimal divisor) {

  /** More than a double's, so that what is rounded to so many is still between the same doubles. */
  private static final MathContext BETWEEN_DOUBLES = new MathContext(25);

  /** The numbers within all of these bounds that are multiples of all of these. */
  static NumberRange of(List<NumberBound> bounds, List<BigDecimal> divisors) {
    NumberBound lower = null;
    NumberBound upper = null;
    for (NumberBound bound : bounds) {
      if (bound.upper()) {
        upper = tighter(upper, bound);
      } else {
        lower = tighter(lower, bound);
      }
    }
    BigDecimal divisor = null;
    for (BigDecimal other : divisors) {
      divisor = divisor == null ? other : leastCommonMultiple(divisor, other);
    }
    return new NumberRange(lower, upper, divisor);
  }

  private static NumberBound tighter(@Nullable NumberBound known, NumberBound other) {
    return known == null || !known.admits(other.value()) ? known == null ? other : known : other;
  }

  private static BigDecimal leastCommonMultiple(BigDecimal a, BigDecimal b) {
    int scale = Math.max(a.scale(), b.scale());
    BigInteger x = a.setScale(scale).unscaledValue();
    BigInteger y = b.setScale(scale).unscaledValue();
    return new BigDecimal(x.multiply(y).divide(x.gcd(y)), scale).stripTrailingZeros();
  }

  boolean contains(BigDecimal number) {
    return (lower == null || lower.admits(number))
        && (upper == null || upper.admits(number))
        && (divisor == null || number.remainder(divisor).signum() == 0);
  }

  /**
   * The bound that a text with a point or an exponent must keep as well, so that the double that it
   * is read as keeps this one. Empty where no double within the bound is rounded across it.
   */
  static Optional<NumberBound> asDoubles(NumberBound bound) {
    if (!bound.upper()) {
      NumberBound mirrored = new NumberBound(bound.value().negate(), true, bound.inclusive());
      return asDoubles(mirrored)
          .map(b -> new NumberBound(b.value().negate(), false, b.inclusive()));
    }
    double last = bound.value().doubleValue();
    if (last == Double.NEGATIVE_INFINITY) {
      return Optional.empty();
    }
    last = Math.min(last, Double.MAX_VALUE);
    while (!bound.admits(BigDecimal.valueOf(last))) {
      last = Math.nextDown(last);
      if (last == Double.NEGATIVE_INFINITY) {
        return Optional.empty();
      }
    }
    double next = Math.nextUp(last);
    if (Double.isInfinite(next)) {
      return Optional.empty();
    }
    // What is in the middle is read as the even one of the two.
    BigDecimal middle =
        new BigDecimal(last).add(new BigDecimal(next)).divide(BigDecimal.valueOf(2));
    BigDecimal before = middle.round(towardNegative());
    return before.compareTo(bound.value()) < 0
        ? Optional.of(
            new NumberBound(before.stripTrailingZeros(), true, before.doubleValue() == last))
        : Optional.empty();
  }

  private static MathContext towardNegative() {
    return new MathContext(BETWEEN_DOUBLES.getPrecision(), RoundingMode.FLOOR);
  }
}
