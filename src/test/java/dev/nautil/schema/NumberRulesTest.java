package dev.nautil.schema;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.nautil.grammar.Recognizer;
import dev.nautil.template.PythonFloat;
import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Texts of numbers, with BigDecimal's arithmetic as the judge. */
class NumberRulesTest {
  private static final int RANGES = 400;
  private static final int TEXTS = 300;

  private final Random random = new Random(3);

  @Test
  void numbersAreComparedExactly() {
    int inside = 0;
    for (int i = 0; i < RANGES; i++) {
      NumberRange range = range();
      RuleSet rules = new RuleSet();
      Optional<Recognizer> recognizer =
          new NumberRules(rules)
              .of(range)
              .map(rule -> Recognizer.of(rules.grammar(rule)).orElseThrow());
      for (int j = 0; j < TEXTS; j++) {
        String text = text(range);
        boolean expected = contains(range, text);
        inside += expected ? 1 : 0;
        boolean actual = recognizer.map(r -> r.matches(text)).orElse(false);
        assertTrue(expected || !actual, range + " takes " + text);
        assertTrue(actual || !expected || isRestricted(range, text), range + " lacks " + text);
      }
    }
    assertTrue(inside > RANGES * TEXTS / 10, inside + " within the ranges");
  }

  /** As it is written, and as the double that it is read as. */
  private static boolean contains(NumberRange range, String text) {
    boolean isDouble = text.matches(".*[.eE].*");
    return range.contains(new BigDecimal(text))
        && (!isDouble || range.contains(BigDecimal.valueOf(Double.parseDouble(text))));
  }

  /** Whether the documented restrictions of multiples leave a text out. */
  private static boolean isRestricted(NumberRange range, String text) {
    if (range.divisor() == null || range.divisor().compareTo(BigDecimal.ONE) == 0) {
      return false;
    }
    BigDecimal number = new BigDecimal(text).stripTrailingZeros();
    boolean isLong = number.precision() - Math.min(number.scale(), 0) > 14;
    boolean hasExponent = text.matches(".*[eE].*");
    return isLong || (hasExponent && range.divisor().unscaledValue().intValue() > 32);
  }

  private NumberRange range() {
    List<NumberBound> bounds = new ArrayList<>();
    BigDecimal low = decimal();
    if (random.nextBoolean()) {
      bounds.add(new NumberBound(low, false, random.nextBoolean()));
    }
    if (random.nextBoolean()) {
      BigDecimal width = random.nextInt(3) == 0 ? BigDecimal.valueOf(1, 3) : decimal().abs();
      bounds.add(new NumberBound(low.add(width), true, random.nextBoolean()));
    }
    List<BigDecimal> divisors =
        switch (random.nextInt(8)) {
          case 0, 1 -> List.of(BigDecimal.ONE);
          case 2 -> List.of(new BigDecimal("0.1"), BigDecimal.valueOf(random.nextInt(20) + 1));
          case 3 -> List.of(BigDecimal.valueOf(random.nextInt(100) + 1, random.nextInt(5) - 2));
          default -> List.of();
        };
    return NumberRange.of(bounds, divisors.stream().map(BigDecimal::stripTrailingZeros).toList());
  }

  private BigDecimal decimal() {
    BigDecimal decimal =
        switch (random.nextInt(4)) {
          case 0 -> BigDecimal.ZERO;
          case 1 -> BigDecimal.valueOf(random.nextInt(2000) - 1000);
          case 2 -> BigDecimal.valueOf(random.nextLong(), random.nextInt(40) - 10);
          default -> BigDecimal.valueOf(random.nextInt(20_000) - 10_000, random.nextInt(8));
        };
    return decimal.signum() == 0 ? BigDecimal.ZERO : decimal.stripTrailingZeros();
  }

  /** A number near a bound, a multiple, or any; in one of the usual notations. */
  private String text(NumberRange range) {
    BigDecimal number = decimal();
    NumberBound bound = random.nextBoolean() ? range.lower() : range.upper();
    if (bound != null && random.nextInt(3) > 0) {
      BigDecimal step = BigDecimal.valueOf(random.nextInt(5) - 2, random.nextInt(20));
      number = bound.value().add(step);
    }
    if (range.divisor() != null && random.nextInt(3) > 0) {
      number = number.divideToIntegralValue(range.divisor()).multiply(range.divisor());
    }
    double rounded = number.doubleValue();
    boolean isShort = number.stripTrailingZeros().precision() <= 15;
    return switch (random.nextInt(4)) {
      case 0 -> isShort && number.scale() < 30 ? number.toPlainString() : PythonFloat.repr(rounded);
      case 1 -> PythonFloat.repr(rounded);
      case 2 -> Double.toString(rounded).replace('E', 'e');
      default -> isShort ? number.stripTrailingZeros().toString() : Double.toString(rounded);
    };
  }
}
