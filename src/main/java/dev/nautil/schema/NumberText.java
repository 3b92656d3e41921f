package dev.nautil.schema;

import java.math.BigDecimal;
import java.math.BigInteger;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * An automaton that reads a number's text and tells whether the number is in a range, exactly: the
 * digits are compared with those of the bounds, and the remainder by the divisor is kept. An
 * exponent, which is read last, may then be from a least to a greatest.
 *
 * <p>With an exponent, there is one digit other than 0 before the point, as common writers have it
 * (Python, Java, JavaScript, C), or the number is 0. What has a point or an exponent is commonly
 * read as a double; it is held to the bounds both as it is written and as it is then read.
 */
final class NumberText {
  /** What the automaton reads, but for the exponent. */
  static final String CHARACTERS = "-.0123456789";

  private static final int RADIX = 10;

  /** Exponents of doubles: from that of the least subnormal one. */
  private static final int MIN_EXPONENT = -324;

  private static final int MAX_EXPONENT = 308;

  /** Digits before the point, or zeros after it, over which bounds are compared. */
  private static final int MAX_COMPARED = 60;

  /** Digits that a double keeps whatever they are, to which multiples are held. */
  private static final int DIGITS_KEPT_BY_DOUBLES = 15;

  /**
   * Digits that doubles are written with: 17 tell any two apart, Java before 19 may write one more.
   */
  private static final int DIGITS_OF_DOUBLES = 18;

  /** States of the remainder. */
  static final int MAX_DIVISOR = 500;

  /** Above it, an exponent would make too many states. */
  private static final int MAX_DIVISOR_WITH_EXPONENT = 32;

  private static final char LESS = '\ufffe';
  private static final char GREATER = '\uffff';

  /** Exponents there may be; none where the first is above the last. */
  record Exponents(int first, int last) {
    static final Exponents NONE = new Exponents(0, -1);

    boolean isEmpty() {
      return first > last;
    }
  }

  private enum Phase {
    START,
    SIGN,
    /** A 0 before the point. */
    ZERO,
    WHOLE,
    /** The point, after 0 and after another number. */
    POINT_OF_ZERO,
    POINT_OF_WHOLE,
    /** Zeros after the point of 0. */
    ZERO_FRACTION,
    /** Digits after the point of 0, not all zeros. */
    FRACTION_OF_ZERO,
    FRACTION_OF_WHOLE
  }

  /**
   * @param digits before the point, the first of which is not 0; with {@link
   *     Phase#FRACTION_OF_ZERO} minus the zeros after it
   * @param compared a bound each: how many digits are equal to its first ones, or {@link #LESS} or
   *     {@link #GREATER}
   * @param remainder of the digits without their last zeros, by the divisor
   * @param lastNonzero place of the last digit that is not 0, from the point on; or a later one,
   *     where only an exponent can make a multiple
   * @param place of the last digit, from the point on
   */
  record State(
      Phase phase,
      boolean negative,
      int digits,
      String compared,
      int remainder,
      int lastNonzero,
      int place) {}

  /**
   * A bound of the number without its sign, as 0.d₁d₂… × 10^exponent.
   *
   * @param digits d₁d₂…, from 0 to 9; none for 0
   * @param ofDoubles whether it holds only for what has a point or an exponent
   */
  private record Limit(
      byte[] digits, int exponent, boolean upper, boolean inclusive, boolean ofDoubles) {
    boolean isZero() {
      return digits.length == 0;
    }

    boolean admits(int comparison) {
      return comparison == 0 ? inclusive : upper == comparison < 0;
    }
  }

  private final List<Limit> positive = new ArrayList<>();
  private final List<Limit> negative = new ArrayList<>();
  private final boolean hasDivisor;
  private final int divisor;

  /** The divisor is {@link #divisor} × 10^−scale. */
  private final int scale;

  private final int comparedDigits;
  private final int comparedZeros;

  /**
   * @throws IllegalArgumentException if the divisor has too many digits
   */
  NumberText(NumberRange range) {
    @Nullable BigDecimal multiple = range.divisor();
    hasDivisor = multiple != null;
    if (multiple != null) {
      BigInteger digits = multiple.unscaledValue();
      if (digits.compareTo(BigInteger.valueOf(MAX_DIVISOR)) > 0
          || Math.abs(multiple.scale()) > DIGITS_KEPT_BY_DOUBLES) {
        throw new IllegalArgumentException(
            "multiples of "
                + multiple
                + " cannot be enforced; of what is up to "
                + MAX_DIVISOR
                + ", or that times a power of ten, they can");
      }
      divisor = digits.intValueExact();
      scale = multiple.scale();
    } else {
      divisor = 1;
      scale = 0;
    }
    BigDecimal most = BigDecimal.valueOf(Double.MAX_VALUE);
    limit(new NumberBound(most, true, true), true);
    limit(new NumberBound(most.negate(), false, true), true);
    for (NumberBound bound : bounds(range)) {
      limit(bound, false);
      Optional<NumberBound> ofDoubles = NumberRange.asDoubles(bound);
      ofDoubles.ifPresent(b -> limit(b, true));
    }
    int digits = 1;
    int zeros = 0;
    for (List<Limit> limits : List.of(positive, negative)) {
      for (Limit limit : limits) {
        if (!limit.isZero() && limit.exponent <= MAX_EXPONENT) {
          digits = Math.max(digits, limit.exponent);
          zeros = Math.max(zeros, -limit.exponent);
        }
      }
    }
    comparedDigits = Math.min(digits, MAX_COMPARED) + 1;
    comparedZeros = Math.min(zeros, MAX_COMPARED) + 1;
  }

  private static List<NumberBound> bounds(NumberRange range) {
    List<NumberBound> bounds = new ArrayList<>();
    if (range.lower() != null) {
      bounds.add(range.lower());
    }
    if (range.upper() != null) {
      bounds.add(range.upper());
    }
    return bounds;
  }

  private void limit(NumberBound bound, boolean ofDoubles) {
    limit(positive, bound.value(), bound.upper(), bound.inclusive(), ofDoubles);
    limit(negative, bound.value().negate(), !bound.upper(), bound.inclusive(), ofDoubles);
  }

  private static void limit(
      List<Limit> limits, BigDecimal value, boolean upper, boolean inclusive, boolean ofDoubles) {
    if (value.signum() < 0 || (value.signum() == 0 && !upper && inclusive)) {
      if (!upper) {
        return;
      }
      // Nothing of this sign is below; as a bound, that is: below 0.
      limits.add(new Limit(new byte[0], 0, true, false, ofDoubles));
      return;
    }
    BigDecimal stripped = value.stripTrailingZeros();
    String text = value.signum() == 0 ? "" : stripped.unscaledValue().toString();
    byte[] digits = new byte[text.length()];
    for (int i = 0; i < digits.length; i++) {
      digits[i] = (byte) (text.charAt(i) - '0');
    }
    limits.add(new Limit(digits, digits.length - stripped.scale(), upper, inclusive, ofDoubles));
  }

  State start() {
    return new State(Phase.START, false, 0, "", 0, 0, 0);
  }

  /** The state after one more of {@link #CHARACTERS}, or null if it may not come. */
  @Nullable State after(State s, char c) {
    if (c == '-') {
      return s.phase == Phase.START ? signed(true) : null;
    }
    if (c == '.') {
      return afterPoint(s);
    }
    int digit = c - '0';
    return switch (s.phase) {
      case START -> after(signed(false), c);
      case SIGN -> digit == 0 ? with(s, Phase.ZERO) : digit(with(s, Phase.WHOLE), 1, digit);
      case ZERO -> null;
      case WHOLE -> afterWholeDigit(s, digit);
      case POINT_OF_ZERO, ZERO_FRACTION -> afterZeroFractionDigit(s, digit);
      case POINT_OF_WHOLE, FRACTION_OF_WHOLE ->
          digit(with(s, Phase.FRACTION_OF_WHOLE), s.digits, digit);
      case FRACTION_OF_ZERO -> digit(s, s.digits, digit);
    };
  }

  private State signed(boolean isNegative) {
    String compared = "\0".repeat(limits(isNegative).size());
    return new State(Phase.SIGN, isNegative, 0, compared, 0, 0, 0);
  }

  private static State with(State s, Phase phase) {
    return new State(phase, s.negative, s.digits, s.compared, s.remainder, s.lastNonzero, s.place);
  }

  private List<Limit> limits(boolean isNegative) {
    return isNegative ? negative : positive;
  }

  private @Nullable State afterPoint(State s) {
    if (s.phase == Phase.ZERO) {
      return with(s, Phase.POINT_OF_ZERO);
    }
    boolean keptByDoubles =
        isAnyOrWhole() || s.digits + Math.max(scale, 0) <= DIGITS_KEPT_BY_DOUBLES;
    return s.phase == Phase.WHOLE && keptByDoubles ? settled(with(s, Phase.POINT_OF_WHOLE)) : null;
  }

  /** Whether every double that is large enough is in the range. */
  private boolean isAnyOrWhole() {
    return !hasDivisor || (divisor == 1 && scale == 0);
  }

  private @Nullable State afterWholeDigit(State s, int digit) {
    int digits = s.digits + 1;
    if (!isAnyOrWhole()) {
      return digits > DIGITS_KEPT_BY_DOUBLES ? null : digit(s, digits, digit);
    }
    if (digits > MAX_COMPARED && comparedDigits > MAX_COMPARED) {
      return null;
    }
    // As many digits as tell two cases of multiples apart do not matter here.
    return digit(s, Math.min(digits, comparedDigits), digit);
  }

  private @Nullable State afterZeroFractionDigit(State s, int digit) {
    int zeros = Math.min(s.digits, comparedZeros);
    if (digit == 0) {
      State zero = digit(with(s, Phase.ZERO_FRACTION), 0, 0);
      return zero == null
          ? null
          : new State(
              zero.phase,
              s.negative,
              Math.min(zeros + 1, comparedZeros),
              s.compared,
              0,
              0,
              zero.place);
    }
    if (zeros == comparedZeros && comparedZeros > MAX_COMPARED) {
      return null;
    }
    return digit(with(s, Phase.FRACTION_OF_ZERO), -zeros, digit);
  }

  /** After a digit of a state whose phase is already that after it. */
  private @Nullable State digit(State s, int digits, int digit) {
    boolean isWhole = s.phase == Phase.WHOLE;
    int place = isWhole || !hasDivisor ? 0 : s.place + 1;
    int mostPlaces = mostPlaces(s, digits);
    int remainder = s.remainder;
    int lastNonzero = s.lastNonzero;
    if (hasDivisor && digit != 0) {
      if (!isWhole && place > mostPlaces) {
        return null;
      }
      int shift = isWhole ? 1 - s.lastNonzero : place - s.lastNonzero;
      remainder = (int) ((remainder * powerOfTen(shift) + digit) % divisor);
      lastNonzero = isWhole ? 0 : place;
    } else if (hasDivisor && isWhole) {
      boolean isCounted = -lastNonzero < Math.max(-scale, 0);
      lastNonzero -= isCounted ? 1 : 0;
      remainder = isCounted ? remainder : remainder * RADIX % divisor;
    }
    boolean isPastMultiples = lastNonzero > Math.max(scale, 0);
    if (digit == 0 && isPastMultiples && place <= mostPlaces) {
      // Only an exponent can make a multiple of this; that it counts the zeros too saves states.
      lastNonzero = place;
      remainder = remainder * RADIX % divisor;
    }
    String compared = s.phase == Phase.ZERO_FRACTION ? s.compared : compare(s, digit);
    return settled(
        new State(
            s.phase,
            s.negative,
            digits,
            compared,
            remainder,
            lastNonzero,
            Math.min(place, mostPlaces)));
  }

  /** Places after the point in which there may be something other than 0. */
  private int mostPlaces(State s, int digits) {
    boolean mayHaveExponent =
        s.phase == Phase.FRACTION_OF_WHOLE && digits == 1 && divisor <= MAX_DIVISOR_WITH_EXPONENT;
    int ofDoubles = isAnyOrWhole() ? DIGITS_OF_DOUBLES : DIGITS_KEPT_BY_DOUBLES;
    return Math.max(scale, mayHaveExponent ? ofDoubles - 1 : 0);
  }

  private long powerOfTen(int exponent) {
    long power = 1;
    for (int i = 0; i < exponent; i++) {
      power = power * RADIX % divisor;
    }
    return power;
  }

  private String compare(State s, int digit) {
    char[] compared = s.compared.toCharArray();
    for (int i = 0; i < compared.length; i++) {
      byte[] digits = limits(s.negative).get(i).digits;
      if (compared[i] < LESS) {
        int other = compared[i] < digits.length ? digits[compared[i]] : 0;
        if (digit != other) {
          compared[i] = digit < other ? LESS : GREATER;
        } else if (compared[i] < digits.length) {
          compared[i]++;
        }
      }
    }
    return String.valueOf(compared);
  }

  /** The same with the comparisons decided that only an exponent could have changed. */
  private State settled(State s) {
    char[] compared = s.compared.toCharArray();
    for (int i = 0; i < compared.length; i++) {
      Limit limit = limits(s.negative).get(i);
      switch (s.phase) {
        case WHOLE -> {
          if (limit.isZero() || (s.digits > 1 && s.digits > limit.exponent)) {
            compared[i] = GREATER;
          } else if (s.digits > 1 && limit.exponent > MAX_EXPONENT) {
            // There are not so many digits.
            compared[i] = LESS;
          }
        }
        case POINT_OF_WHOLE, FRACTION_OF_WHOLE -> {
          if (s.digits > 1 && s.digits != limit.exponent) {
            compared[i] = s.digits < limit.exponent ? LESS : GREATER;
          }
        }
        case FRACTION_OF_ZERO -> {
          if (limit.isZero() || s.digits != limit.exponent) {
            compared[i] = !limit.isZero() && s.digits < limit.exponent ? LESS : GREATER;
          }
        }
        default -> {}
      }
    }
    return new State(
        s.phase,
        s.negative,
        s.digits,
        String.valueOf(compared),
        s.remainder,
        s.lastNonzero,
        s.place);
  }

  /** Whether the text may end here. */
  boolean accepts(State s) {
    return switch (s.phase) {
      case START, SIGN, POINT_OF_ZERO, POINT_OF_WHOLE -> false;
      case ZERO -> admitsZero(s, false);
      case ZERO_FRACTION -> admitsZero(s, true);
      case WHOLE -> isMultiple(s) && isWithinLimits(s, false);
      case FRACTION_OF_ZERO, FRACTION_OF_WHOLE -> isMultiple(s) && isWithinLimits(s, true);
    };
  }

  private boolean admitsZero(State s, boolean isDouble) {
    for (Limit limit : limits(s.negative)) {
      if ((isDouble || !limit.ofDoubles) && !limit.admits(limit.isZero() ? 0 : -1)) {
        return false;
      }
    }
    return true;
  }

  private boolean isWithinLimits(State s, boolean isDouble) {
    for (int i = 0; i < s.compared.length(); i++) {
      Limit limit = limits(s.negative).get(i);
      int comparison =
          limit.isZero() || s.digits > limit.exponent
              ? 1
              : s.digits < limit.exponent ? -1 : comparison(s, i);
      // With one digit, an exponent could still have changed what is settled else.
      if ((isDouble || !limit.ofDoubles) && !limit.admits(comparison)) {
        return false;
      }
    }
    return true;
  }

  /** Of the digits alone. */
  private int comparison(State s, int i) {
    char compared = s.compared.charAt(i);
    if (compared == LESS || compared == GREATER) {
      return compared == LESS ? -1 : 1;
    }
    return compared < limits(s.negative).get(i).digits.length ? -1 : 0;
  }

  private boolean isMultiple(State s) {
    return !hasDivisor || scale - s.lastNonzero >= placesToMultiple(s.remainder);
  }

  /** By how many places digits of this remainder must be shifted to give a multiple. */
  private int placesToMultiple(int remainder) {
    int shifted = remainder;
    // The divisor's factors of 2 and 5 are no more than its bits.
    for (int places = 0; places < Integer.SIZE; places++) {
      if (shifted == 0) {
        return places;
      }
      shifted = shifted * RADIX % divisor;
    }
    return Integer.MAX_VALUE;
  }

  /** Which exponents may come here. */
  Exponents exponents(State s) {
    if (s.phase == Phase.ZERO || s.phase == Phase.ZERO_FRACTION) {
      return admitsZero(s, true) ? new Exponents(MIN_EXPONENT, MAX_EXPONENT) : Exponents.NONE;
    }
    boolean isNormalized =
        (s.phase == Phase.WHOLE || s.phase == Phase.FRACTION_OF_WHOLE) && s.digits == 1;
    if (!isNormalized || divisor > MAX_DIVISOR_WITH_EXPONENT) {
      return Exponents.NONE;
    }
    int places = placesToMultiple(s.remainder);
    if (places == Integer.MAX_VALUE) {
      return Exponents.NONE;
    }
    int first = hasDivisor ? Math.max(places + s.lastNonzero - scale, MIN_EXPONENT) : MIN_EXPONENT;
    int last = isAnyOrWhole() ? MAX_EXPONENT : DIGITS_KEPT_BY_DOUBLES - 1;
    for (int i = 0; i < s.compared.length(); i++) {
      Limit limit = limits(s.negative).get(i);
      if (limit.isZero()) {
        last = limit.upper ? MIN_EXPONENT - 1 : last;
        continue;
      }
      // With d.ddd, the exponent that makes as many places as the bound has.
      int same = limit.exponent - 1;
      int strict = limit.admits(comparison(s, i)) ? 0 : 1;
      if (limit.upper) {
        last = Math.min(last, same - strict);
      } else {
        first = Math.max(first, same + strict);
      }
    }
    return first > last ? Exponents.NONE : new Exponents(first, last);
  }
}
